"""What a VMA that is reached, down or only reported by its workers shows over many jobs."""

import pytest

from domain.errors import StorageUnavailable
from domain.processes.contact import REPORT_VALID_FOR
from domain.replication_job import ReplicationJob
from domain.vma_status import Document, VMAStatus
from tests.domain.processes.contacts import ask, forgets
from tests.support.builders import document, observed
from tests.support.harness import COMPLETED, RUNNING, Harness

NOT_KNOWING = [VMAStatus.UNANSWERED, VMAStatus.UNINTELLIGIBLE, VMAStatus.NOT_ASKED]


class TestReached:
    """A VMA that never answered at its present address may not be there."""

    @staticmethod
    async def reached(harness: Harness, job_id: str) -> bool:
        return harness.contact.circumstances(await harness.app.job(job_id)).reached

    async def test_where_it_answered_when_the_job_was_registered_it_was_reached(self, harness: Harness) -> None:
        await harness.job()

        harness.vma.says["job-1"] = VMAStatus.UNREACHABLE
        await ask(harness, "job-1")

        assert await self.reached(harness, "job-1")

    @pytest.mark.parametrize("silence", [VMAStatus.UNREACHABLE, VMAStatus.NOT_ASKED])
    async def test_at_an_address_that_never_answered_it_was_not(self, harness: Harness, silence: VMAStatus) -> None:
        await harness.job()
        harness.vma.addresses["default"] = "http://elsewhere"
        harness.vma.says["job-1"] = silence

        await ask(harness, "job-1")

        assert not await self.reached(harness, "job-1")

    @pytest.mark.parametrize("answer", [RUNNING, VMAStatus.NOT_FOUND, VMAStatus.UNANSWERED, VMAStatus.UNINTELLIGIBLE])
    async def test_any_answer_there_means_that_it_was_for_all_of_its_jobs_and_for_good(
        self, harness: Harness, answer: Document | VMAStatus
    ) -> None:
        for job_id, vma in (("job-1", "default"), ("job-2", "default"), ("job-3", "second")):
            await harness.job(job_id, vma=vma)
        harness.vma.addresses |= {"default": "http://elsewhere", "second": "http://nowhere"}
        harness.vma.says["job-1"] = answer
        await ask(harness, "job-1")

        harness.vma.says["job-1"] = VMAStatus.UNREACHABLE
        await ask(harness, "job-1")

        assert [await self.reached(harness, f"job-{n}") for n in (1, 2, 3)] == [True, True, False]

    async def test_where_it_did_not_answer_at_registration_either_it_was_not(self, harness: Harness) -> None:
        harness.vma.says["job-1"] = VMAStatus.UNREACHABLE
        await harness.job()
        assert not await self.reached(harness, "job-1")


class TestReports:
    """A worker's own report is contact, too."""

    REPORTED = observed(document(VMAStatus.RUNNING, 77.0))
    SILENCES = (VMAStatus.NOT_FOUND, VMAStatus.UNREACHABLE, *NOT_KNOWING)

    async def job_that_reports(self, harness: Harness, says: Document | VMAStatus) -> ReplicationJob:
        job = await harness.job()
        harness.contact.record_report(job, self.REPORTED)
        harness.vma.says[job.id] = says
        return job

    @pytest.mark.parametrize("silence", SILENCES)
    async def test_it_stands_where_the_vma_has_nothing_to_say_of_the_job(
        self, harness: Harness, silence: VMAStatus
    ) -> None:
        job = await self.job_that_reports(harness, silence)
        harness.clock.advance(30.0)

        seen = await harness.contact.ask(job)

        assert (seen.status, seen.progress_percent, seen.observed_at) == (VMAStatus.RUNNING, 77.0, harness.clock.now())
        assert [one.status for one in seen.answers] == [VMAStatus.RUNNING, silence]
        assert harness.contact.circumstances(job).silence.inconclusive_for == 0.0

    @pytest.mark.parametrize("silence", SILENCES)
    async def test_it_counts_for_half_a_minute_and_not_longer(self, harness: Harness, silence: VMAStatus) -> None:
        job = await self.job_that_reports(harness, silence)
        harness.clock.advance(30.1)

        assert (await harness.contact.ask(job)).status is silence

    async def test_polls_in_between_do_not_make_it_count_for_longer(self, harness: Harness) -> None:
        job = await self.job_that_reports(harness, VMAStatus.NOT_FOUND)
        seen = []
        for _ in range(4):
            harness.clock.advance(10.0)
            seen.append((await harness.contact.ask(job)).status)

        assert seen == [VMAStatus.RUNNING] * 3 + [VMAStatus.NOT_FOUND]

    async def test_the_next_report_makes_it_count_again(self, harness: Harness) -> None:
        job = await self.job_that_reports(harness, VMAStatus.NOT_FOUND)
        harness.clock.advance(60)
        harness.contact.record_report(job, self.REPORTED)
        harness.clock.advance(20)

        assert (await harness.contact.ask(job)).status is VMAStatus.RUNNING

    @pytest.mark.parametrize("said", [RUNNING, COMPLETED, document(VMAStatus.FAILED, 3.0)])
    async def test_what_the_vma_states_outweighs_it(self, harness: Harness, said: Document) -> None:
        job = await self.job_that_reports(harness, said)

        seen = await harness.contact.ask(job)

        assert (seen.status, seen.progress_percent) == (said.status, said.progress_percent)

    async def test_other_jobs_are_not_affected(self, harness: Harness) -> None:
        other = await harness.job("job-2")
        await self.job_that_reports(harness, VMAStatus.NOT_FOUND)

        assert (await harness.contact.ask(other)).status is VMAStatus.NOT_FOUND

    async def test_a_job_that_reports_is_still_one_that_its_vma_has_forgotten(self, harness: Harness) -> None:
        """Two of four report: the VMA knows none of them, so the silence of the other two proves nothing."""
        for n in range(4):
            await harness.job(f"job-{n}")
        for n in range(2):
            harness.contact.record_report(await harness.app.job(f"job-{n}"), self.REPORTED)
        for n in 2 * [0, 1, 2, 3]:
            await ask(harness, f"job-{n}")

        assert await forgets(harness, "job-3")

    async def test_a_vma_that_is_down_stays_down_while_a_worker_reports(self, harness: Harness) -> None:
        back: list[str] = []
        harness.contact.on_back(back.append)
        other = await harness.job("job-2")
        job = await self.job_that_reports(harness, VMAStatus.UNREACHABLE)
        harness.vma.says["job-2"] = VMAStatus.UNREACHABLE

        for one in (other, job, other, job):
            await harness.contact.ask(one)

        assert (harness.contact.is_down("default"), back) == (True, [])

    @staticmethod
    def store(harness: Harness, *meanwhile: ReplicationJob) -> None:
        """Fail to store a report, while one of each of these jobs arrives."""
        with harness.contact.reporting("job-1", observed(RUNNING)):
            for job in meanwhile:
                harness.contact.record_report(job, observed(document(VMAStatus.RUNNING, 88.0)))
            raise StorageUnavailable("full")

    async def test_one_that_cannot_be_stored_leaves_the_one_before_it_each_time(self, harness: Harness) -> None:
        job = await self.job_that_reports(harness, VMAStatus.NOT_FOUND)

        for _ in range(3):
            with pytest.raises(StorageUnavailable):
                self.store(harness)

            assert (await harness.contact.ask(job)).progress_percent == 77.0

    async def test_one_that_cannot_be_stored_leaves_the_newer_one_and_those_of_other_jobs(
        self, harness: Harness
    ) -> None:
        other = await harness.job("job-2")
        job = await self.job_that_reports(harness, VMAStatus.NOT_FOUND)

        with pytest.raises(StorageUnavailable):
            self.store(harness, job, other)

        assert [(await harness.contact.ask(one)).progress_percent for one in (job, other)] == [88.0, 88.0]

    async def test_one_counts_for_as_long_as_it_is_being_stored_and_then_for_its_time(self, harness: Harness) -> None:
        job, other = await harness.job(), await harness.job("job-2")
        for job_id in ("job-1", "job-2"):
            harness.vma.says[job_id] = VMAStatus.NOT_FOUND

        async def seen() -> list[VMAStatus]:
            return [(await harness.contact.ask(one)).status for one in (job, other)]

        reported = observed(RUNNING)
        with harness.contact.reporting("job-1", reported):
            harness.clock.advance(10 * REPORT_VALID_FOR)
            while_stored = await seen()
        harness.contact.record_report(job, reported)
        harness.clock.advance(REPORT_VALID_FOR)
        stored = await seen()
        harness.clock.advance(1)

        assert while_stored == stored == [VMAStatus.RUNNING, VMAStatus.NOT_FOUND]
        assert await seen() == [VMAStatus.NOT_FOUND] * 2

    async def test_the_first_one_that_cannot_be_stored_leaves_none(self, harness: Harness) -> None:
        job = await harness.job()
        harness.vma.says[job.id] = VMAStatus.NOT_FOUND

        with pytest.raises(StorageUnavailable):
            self.store(harness)

        assert (await harness.contact.ask(job)).status is VMAStatus.NOT_FOUND

    async def test_after_the_job_has_ended_it_counts_no_more(self, harness: Harness) -> None:
        job = await self.job_that_reports(harness, VMAStatus.NOT_FOUND)

        harness.contact.forget(job)

        assert (await harness.contact.ask(job)).status is VMAStatus.NOT_FOUND


class TestDown:
    """A VMA is down while it, as a whole, is unreachable."""

    @pytest.mark.parametrize("answer", [RUNNING, COMPLETED, VMAStatus.NOT_FOUND, VMAStatus.UNANSWERED])
    async def test_the_next_answer_of_any_kind_means_that_it_is_back_and_is_told_once(
        self, harness: Harness, answer: Document | VMAStatus
    ) -> None:
        job = await harness.job()
        back: list[str] = []
        harness.contact.on_back(back.append)
        harness.vma.says[job.id] = VMAStatus.UNREACHABLE
        for _ in range(3):
            await harness.contact.ask(job)
            assert harness.contact.is_down("default")

        harness.vma.says[job.id] = answer
        for _ in range(2):
            await harness.contact.ask(job)

            assert (harness.contact.is_down("default"), back) == (False, ["default"])

    async def test_that_we_could_not_ask_says_nothing_of_it(self, harness: Harness) -> None:
        job = await harness.job()
        back: list[str] = []
        harness.contact.on_back(back.append)
        for status, down in ((VMAStatus.NOT_ASKED, False), (VMAStatus.UNREACHABLE, True), (VMAStatus.NOT_ASKED, True)):
            harness.vma.says[job.id] = status
            await harness.contact.ask(job)
            assert harness.contact.is_down("default") is down

        assert back == []

    async def test_another_vma_is_not_down(self, harness: Harness) -> None:
        job = await harness.job()
        harness.vma.says[job.id] = VMAStatus.UNREACHABLE

        await harness.contact.ask(job)

        assert not harness.contact.is_down("second")


async def test_a_look_before_a_job_is_registered_is_no_contact_with_it(harness: Harness) -> None:
    other = await harness.job("job-2")
    harness.vma.says["job-1"] = VMAStatus.UNREACHABLE

    seen = await harness.contact.probe_unregistered("job-1", "default", ("disk-of-job-1",))

    assert (seen.status, seen.address) == (VMAStatus.UNREACHABLE, "http://default")
    assert not harness.contact.is_down("default")
    assert harness.contact.circumstances(other).silence.probes == 0


async def test_whoever_listens_hears_each_observation_also_one_before_a_registration(harness: Harness) -> None:
    heard: list[tuple[str, VMAStatus]] = []
    harness.contact.on_observed(lambda seen: heard.append((seen.job_id, seen.status)))
    harness.vma.says["job-1"] = RUNNING
    job = await harness.job()

    for said in (VMAStatus.UNREACHABLE, VMAStatus.UNREACHABLE, COMPLETED):
        harness.vma.says["job-1"] = said
        await harness.contact.ask(job)

    assert heard == [
        ("job-1", VMAStatus.RUNNING),
        *(2 * [("job-1", VMAStatus.UNREACHABLE)]),
        ("job-1", VMAStatus.COMPLETED),
    ]


async def test_a_vma_is_known_if_it_is_in_the_settings(harness: Harness) -> None:
    harness.vma.addresses["gone"] = None

    assert harness.contact.knows("default")
    assert not harness.contact.knows("gone")


async def test_of_a_job_that_was_never_asked_about_nothing_is_known(harness: Harness) -> None:
    job = await harness.job()
    harness.clock.advance(70)

    known = harness.contact.circumstances(job)

    assert (known.silence.status, known.silence.duration, known.silence.probes) == (VMAStatus.UNANSWERED, 0.0, 0)
    assert (known.without_contact, known.amnesia, known.replaced) == (70.0, None, False)


class TestMissing:
    """A VMA begins to miss jobs when the first that it knew is not found: then all its jobs are asked about."""

    async def test_the_first_missing_job_is_told_once_and_of_its_own_vma(self, harness: Harness) -> None:
        missing: list[str] = []
        harness.contact.on_missing(missing.append)
        for name in ("a1", "a2", "b1"):
            await harness.job(name, vma=name[0])
            harness.vma.says[name] = RUNNING
            await ask(harness, name)

        for name in ("a1", "a2"):
            harness.vma.says[name] = VMAStatus.NOT_FOUND
            await ask(harness, name)
        await ask(harness, "b1")

        assert missing == ["a"]

    async def test_it_is_told_again_after_the_missing_job_was_heard_of_again(self, harness: Harness) -> None:
        missing: list[str] = []
        harness.contact.on_missing(missing.append)
        job = await harness.job()
        for said in (RUNNING, VMAStatus.NOT_FOUND, RUNNING, VMAStatus.NOT_FOUND):
            harness.vma.says[job.id] = said
            await ask(harness, job.id)

        assert missing == ["default", "default"]

    async def test_a_job_that_the_vma_never_knew_is_not_missing(self, harness: Harness) -> None:
        missing: list[str] = []
        harness.contact.on_missing(missing.append)
        await harness.job(percent=0.0)

        await ask(harness, "job-1")

        assert missing == []
