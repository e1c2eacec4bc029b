"""Another VMA may answer at the address of one that is in the settings."""

import pytest

from domain.lifecycle import JobState
from domain.vma_status import Document, VMAStatus
from tests.domain.processes.contacts import ask
from tests.support.builders import document, observed
from tests.support.harness import COMPLETED, RUNNING, Harness

NOT_KNOWING = [VMAStatus.UNANSWERED, VMAStatus.UNINTELLIGIBLE, VMAStatus.NOT_ASKED]


class TestReplaced:
    """The settings name another address for a VMA, and what answers there may be another VMA."""

    @staticmethod
    async def two_jobs(harness: Harness) -> None:
        """Have two jobs seen at http://default, then change the address."""
        for job_id in ("job-1", "job-2"):
            await harness.job(job_id)
            harness.vma.says[job_id] = RUNNING
            await harness.app.observe(job_id, await ask(harness, job_id))
        harness.vma.addresses["default"] = "http://elsewhere"
        harness.vma.says.clear()

    @staticmethod
    async def replaced(harness: Harness, job_id: str) -> bool:
        return harness.contact.circumstances(await harness.app.job(job_id)).replaced

    async def test_a_vma_that_knows_none_of_our_jobs_at_a_new_address_is_another_vma(self, harness: Harness) -> None:
        await self.two_jobs(harness)

        await ask(harness, "job-1")

        assert await self.replaced(harness, "job-1")
        assert await self.replaced(harness, "job-2")

    async def test_a_vma_where_one_of_our_jobs_runs_is_the_same(self, harness: Harness) -> None:
        await self.two_jobs(harness)
        harness.vma.says["job-1"] = RUNNING

        await ask(harness, "job-1")

        assert not await self.replaced(harness, "job-2")

    @pytest.mark.parametrize("said", [COMPLETED, document(VMAStatus.FAILED, 3.0)])
    async def test_an_end_at_a_new_address_may_be_an_earlier_jobs_and_ends_none(
        self, harness: Harness, said: Document
    ) -> None:
        await self.two_jobs(harness)
        harness.vma.says["job-1"] = said

        await ask(harness, "job-1")

        assert await self.replaced(harness, "job-1")
        assert await self.replaced(harness, "job-2")
        assert (await harness.decided("job-1")).state is JobState.PENDING_RETRY

    @pytest.mark.parametrize("silence", [*NOT_KNOWING, VMAStatus.UNREACHABLE, VMAStatus.NOT_FOUND])
    async def test_a_silent_vma_at_a_new_address_stays_unrecognised(self, harness: Harness, silence: VMAStatus) -> None:
        await self.two_jobs(harness)
        harness.vma.says["job-1"] = silence

        await ask(harness, "job-1")

        assert await self.replaced(harness, "job-2")

    async def test_a_job_that_is_new_at_an_address_shows_nothing_of_the_others(self, harness: Harness) -> None:
        await self.two_jobs(harness)
        await harness.job("job-3", percent=0.0)
        harness.vma.says["job-3"] = RUNNING

        await ask(harness, "job-3")

        assert await self.replaced(harness, "job-1")
        assert not await self.replaced(harness, "job-3")

    async def test_a_workers_own_report_does_not_show_that_the_vma_is_the_same(self, harness: Harness) -> None:
        await self.two_jobs(harness)
        harness.contact.record_report(await harness.app.job("job-1"), observed(RUNNING))

        await ask(harness, "job-1")

        assert await self.replaced(harness, "job-2")

    async def test_a_report_does_not_undo_that_a_vma_was_recognised(self, harness: Harness) -> None:
        await self.two_jobs(harness)
        harness.vma.says["job-1"] = RUNNING
        await ask(harness, "job-1")
        harness.contact.record_report(await harness.app.job("job-2"), observed(RUNNING))

        await ask(harness, "job-2")

        assert not await self.replaced(harness, "job-2")

    async def test_a_vma_that_is_back_at_its_old_address_is_the_same(self, harness: Harness) -> None:
        await self.two_jobs(harness)
        await ask(harness, "job-1")

        del harness.vma.addresses["default"]

        assert not await self.replaced(harness, "job-1")

    async def test_a_third_address_is_another_vma_again(self, harness: Harness) -> None:
        await self.two_jobs(harness)
        harness.vma.says["job-1"] = RUNNING
        await ask(harness, "job-1")

        harness.vma.addresses["default"] = "http://third"

        assert await self.replaced(harness, "job-2")

    async def test_another_vma_is_not_affected(self, harness: Harness) -> None:
        await harness.job("job-9", vma="second")
        harness.vma.says["job-9"] = RUNNING
        await harness.app.observe("job-9", await ask(harness, "job-9"))

        await self.two_jobs(harness)

        assert not await self.replaced(harness, "job-9")

    async def test_a_job_that_the_vma_never_knew_at_its_old_address_is_not_missed_at_the_new_one(
        self, harness: Harness
    ) -> None:
        await self.two_jobs(harness)
        harness.vma.addresses["default"] = "http://default"
        await harness.job("job-3", percent=0.0)
        harness.vma.addresses["default"] = "http://elsewhere"

        await ask(harness, "job-3")

        assert [await self.replaced(harness, f"job-{n}") for n in (1, 2, 3)] == [True, True, False]

    async def test_an_address_that_was_never_known_has_not_changed(self, harness: Harness) -> None:
        harness.vma.says["job-1"] = VMAStatus.UNREACHABLE
        await harness.job("job-1")

        assert not await self.replaced(harness, "job-1")
