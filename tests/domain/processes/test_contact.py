"""What shows only over many jobs: a VMA that is down, one that has forgotten its jobs, and another one in its place."""

import msgspec
import pytest

from domain.evidence import Amnesia
from domain.processes.contact import REPORT_COUNTS_FOR, Contact
from domain.recovery_policy import Outcome
from domain.replication_job import ReplicationJob
from domain.vma_status import Document, Observation, VMAStatus
from tests.builders import document, observed
from tests.scenery import COMPLETED, REQUEST, RUNNING, Scenery

NOT_KNOWING = [VMAStatus.UNANSWERED, VMAStatus.UNINTELLIGIBLE, VMAStatus.NOT_ASKED]


async def ask_all(
    scenery: Scenery, count: int, *, lost: int, vma: str = "default", others: Document | VMAStatus = RUNNING
) -> None:
    """Register so many jobs and ask for each twice; the first `lost` of them are not found."""
    names = [f"job-{vma}-{n}" for n in range(count)]
    for n, name in enumerate(names):
        await scenery.job(name, vma=vma)
        if n >= lost:
            scenery.vma.says[name] = others
    scenery.clock.advance(60)
    for name in 2 * names:
        await ask(scenery, name)


async def ask(scenery: Scenery, job_id: str) -> Observation:
    return await scenery.contact.ask(await scenery.app.job(job_id))


async def amnesia_of(scenery: Scenery, job_id: str) -> Amnesia | None:
    return scenery.contact.circumstances(await scenery.app.job(job_id)).amnesia


async def forgets(scenery: Scenery, job_id: str) -> bool:
    return await amnesia_of(scenery, job_id) is not None


class TestAmnesia:
    """The VMA keeps everything in memory: after its restart every id is unknown until its worker's next update."""

    async def test_a_vma_that_does_not_know_most_of_its_jobs_has_forgotten_them(self, scenery: Scenery) -> None:
        await ask_all(scenery, 20, lost=11)

        amnesia = await amnesia_of(scenery, "job-default-0")

        assert amnesia is not None
        assert (amnesia.not_found, amnesia.asked, amnesia.since) == (11, 20, scenery.clock.now())
        assert not await forgets(scenery, "job-default-19")

    async def test_half_of_them_is_not_most(self, scenery: Scenery) -> None:
        await ask_all(scenery, 20, lost=10)

        assert not await forgets(scenery, "job-default-0")

    @pytest.mark.parametrize(("jobs", "lost", "forgotten"), [(3, 3, True), (4, 3, True), (2, 2, False), (5, 2, False)])
    async def test_three_jobs_are_enough_to_tell_and_two_are_not(
        self, scenery: Scenery, jobs: int, lost: int, *, forgotten: bool
    ) -> None:
        await ask_all(scenery, jobs, lost=lost)

        assert await forgets(scenery, "job-default-0") is forgotten

    async def test_the_first_answers_do_not_tell_before_the_others_have_come(self, scenery: Scenery) -> None:
        """The first ten jobs of a hundred may all be the lost ones."""
        for n in range(8):
            await scenery.job(f"job-{n}")
        for n in range(4):
            await ask(scenery, f"job-{n}")
            assert not await forgets(scenery, f"job-{n}")
        for n in range(4, 8):
            scenery.vma.says[f"job-{n}"] = RUNNING
            await ask(scenery, f"job-{n}")

        for n in range(4):
            await ask(scenery, f"job-{n}")
            assert not await forgets(scenery, f"job-{n}")

    async def test_each_vma_is_judged_by_itself(self, scenery: Scenery) -> None:
        await ask_all(scenery, 12, lost=12, vma="one")
        await ask_all(scenery, 12, lost=1, vma="two")

        assert await forgets(scenery, "job-one-0")
        assert not await forgets(scenery, "job-two-0")

    async def test_jobs_that_may_not_have_started_are_not_counted(self, scenery: Scenery) -> None:
        for n in range(20):
            await scenery.job(f"job-{n}", percent=0)
            await ask(scenery, f"job-{n}")
            await ask(scenery, f"job-{n}")

        assert not await forgets(scenery, "job-0")

    @pytest.mark.parametrize("silence", NOT_KNOWING)
    async def test_jobs_of_which_nothing_is_known_are_not_counted_as_found(
        self, scenery: Scenery, silence: VMAStatus
    ) -> None:
        await ask_all(scenery, 10, lost=4, others=silence)

        amnesia = await amnesia_of(scenery, "job-default-0")

        assert amnesia is not None
        assert (amnesia.not_found, amnesia.asked) == (4, 4)

    async def test_a_job_that_was_heard_of_since_is_not_forgotten_and_the_others_are(self, scenery: Scenery) -> None:
        await ask_all(scenery, 12, lost=12)
        assert await forgets(scenery, "job-default-3")

        scenery.vma.says["job-default-3"] = RUNNING
        await ask(scenery, "job-default-3")

        assert not await forgets(scenery, "job-default-3")
        assert await forgets(scenery, "job-default-4")

    async def test_it_lasts_until_no_job_is_missing(self, scenery: Scenery) -> None:
        """Workers announce themselves one after the other: the last of them is no more lost than the first."""
        await ask_all(scenery, 6, lost=6)
        assert await forgets(scenery, "job-default-5")
        for n in range(5):
            scenery.vma.says[f"job-default-{n}"] = RUNNING
            await ask(scenery, f"job-default-{n}")
            assert await forgets(scenery, "job-default-5")
        scenery.vma.says["job-default-5"] = RUNNING
        await ask(scenery, "job-default-5")

        scenery.vma.says["job-default-5"] = VMAStatus.NOT_FOUND
        for _ in range(3):
            await ask(scenery, "job-default-5")

        assert not await forgets(scenery, "job-default-5")

    async def test_a_second_time_it_begins_anew(self, scenery: Scenery) -> None:
        await ask_all(scenery, 4, lost=4)
        first = await amnesia_of(scenery, "job-default-0")
        for status in (RUNNING, VMAStatus.NOT_FOUND, VMAStatus.NOT_FOUND):
            scenery.clock.advance(60)
            for n in range(4):
                scenery.vma.says[f"job-default-{n}"] = status
                await ask(scenery, f"job-default-{n}")

        again = await amnesia_of(scenery, "job-default-0")

        assert first is not None
        assert again == msgspec.structs.replace(first, since=scenery.clock.now())

    async def test_a_job_that_has_ended_is_not_missing(self, scenery: Scenery) -> None:
        await ask_all(scenery, 4, lost=3)
        await scenery.app.operator_decide("job-default-0", Outcome.FAIL, "mara", "gone", REQUEST)

        scenery.contact.forget(await scenery.app.job("job-default-0"))

        assert not await forgets(scenery, "job-default-1")

    async def test_it_is_remembered_over_our_own_restart(self, scenery: Scenery) -> None:
        await ask_all(scenery, 4, lost=4)
        job = await scenery.decided("job-default-0")
        assert job.decision is not None
        assert job.decision.rule == "vma-amnesia"
        never = await scenery.job("job-of-another", vma="another")

        fresh = Contact(scenery.vma, scenery.clock, scenery.policy, scenery.silences)
        fresh.restore(job)
        fresh.restore(never)

        assert fresh.circumstances(job).amnesia == job.decision.amnesia
        assert fresh.circumstances(never).amnesia is None


class TestReplaced:
    """The settings name another address for a VMA, and what answers there may be another VMA."""

    @staticmethod
    async def two_jobs(scenery: Scenery) -> None:
        """Have two jobs seen at http://default, then change the address."""
        for job_id in ("job-1", "job-2"):
            await scenery.job(job_id)
            scenery.vma.says[job_id] = RUNNING
            await scenery.app.observe(job_id, await ask(scenery, job_id))
        scenery.vma.addresses["default"] = "http://elsewhere"
        scenery.vma.says.clear()

    @staticmethod
    async def replaced(scenery: Scenery, job_id: str) -> bool:
        return scenery.contact.circumstances(await scenery.app.job(job_id)).replaced

    async def test_one_that_knows_none_of_our_jobs_is_another_vma(self, scenery: Scenery) -> None:
        await self.two_jobs(scenery)

        await ask(scenery, "job-1")

        assert await self.replaced(scenery, "job-1")
        assert await self.replaced(scenery, "job-2")

    @pytest.mark.parametrize("said", [RUNNING, COMPLETED, document(VMAStatus.FAILED, 3.0)])
    async def test_one_that_knows_one_of_them_is_the_same(self, scenery: Scenery, said: Document) -> None:
        await self.two_jobs(scenery)
        scenery.vma.says["job-1"] = said

        await ask(scenery, "job-1")

        assert not await self.replaced(scenery, "job-2")

    @pytest.mark.parametrize("silence", [*NOT_KNOWING, VMAStatus.UNREACHABLE, VMAStatus.NOT_FOUND])
    async def test_silence_shows_nothing(self, scenery: Scenery, silence: VMAStatus) -> None:
        await self.two_jobs(scenery)
        scenery.vma.says["job-1"] = silence

        await ask(scenery, "job-1")

        assert await self.replaced(scenery, "job-2")

    async def test_a_job_that_is_new_there_shows_nothing_of_the_others(self, scenery: Scenery) -> None:
        await self.two_jobs(scenery)
        await scenery.job("job-3", percent=0.0)
        scenery.vma.says["job-3"] = RUNNING

        await ask(scenery, "job-3")

        assert await self.replaced(scenery, "job-1")
        assert not await self.replaced(scenery, "job-3")

    async def test_nor_does_a_workers_own_report(self, scenery: Scenery) -> None:
        await self.two_jobs(scenery)
        scenery.contact.reported(await scenery.app.job("job-1"), observed(RUNNING))

        await ask(scenery, "job-1")

        assert await self.replaced(scenery, "job-2")

    async def test_a_report_does_not_undo_that_it_was_recognised(self, scenery: Scenery) -> None:
        await self.two_jobs(scenery)
        scenery.vma.says["job-1"] = RUNNING
        await ask(scenery, "job-1")
        scenery.contact.reported(await scenery.app.job("job-2"), observed(RUNNING))

        await ask(scenery, "job-2")

        assert not await self.replaced(scenery, "job-2")

    async def test_back_at_its_old_address_it_is_the_same(self, scenery: Scenery) -> None:
        await self.two_jobs(scenery)
        await ask(scenery, "job-1")

        del scenery.vma.addresses["default"]

        assert not await self.replaced(scenery, "job-1")

    async def test_a_third_address_is_another_vma_again(self, scenery: Scenery) -> None:
        await self.two_jobs(scenery)
        scenery.vma.says["job-1"] = RUNNING
        await ask(scenery, "job-1")

        scenery.vma.addresses["default"] = "http://third"

        assert await self.replaced(scenery, "job-2")

    async def test_another_vma_is_not_affected(self, scenery: Scenery) -> None:
        await scenery.job("job-9", vma="second")
        scenery.vma.says["job-9"] = RUNNING
        await scenery.app.observe("job-9", await ask(scenery, "job-9"))

        await self.two_jobs(scenery)

        assert not await self.replaced(scenery, "job-9")

    async def test_an_address_that_was_never_known_has_not_changed(self, scenery: Scenery) -> None:
        scenery.vma.says["job-1"] = VMAStatus.UNREACHABLE
        await scenery.job("job-1")

        assert not await self.replaced(scenery, "job-1")


class TestReached:
    """A VMA that never answered at its present address may not be there."""

    @staticmethod
    async def reached(scenery: Scenery, job_id: str) -> bool:
        return scenery.contact.circumstances(await scenery.app.job(job_id)).reached

    async def test_where_it_answered_when_the_job_was_registered_it_was_reached(self, scenery: Scenery) -> None:
        await scenery.job()

        scenery.vma.says["job-1"] = VMAStatus.UNREACHABLE
        await ask(scenery, "job-1")

        assert await self.reached(scenery, "job-1")

    @pytest.mark.parametrize("silence", [VMAStatus.UNREACHABLE, VMAStatus.NOT_ASKED])
    async def test_at_an_address_that_never_answered_it_was_not(self, scenery: Scenery, silence: VMAStatus) -> None:
        await scenery.job()
        scenery.vma.addresses["default"] = "http://elsewhere"
        scenery.vma.says["job-1"] = silence

        await ask(scenery, "job-1")

        assert not await self.reached(scenery, "job-1")

    @pytest.mark.parametrize("answer", [RUNNING, VMAStatus.NOT_FOUND, VMAStatus.UNANSWERED, VMAStatus.UNINTELLIGIBLE])
    async def test_any_answer_there_means_that_it_was_for_all_of_its_jobs_and_for_good(
        self, scenery: Scenery, answer: Document | VMAStatus
    ) -> None:
        for job_id, vma in (("job-1", "default"), ("job-2", "default"), ("job-3", "second")):
            await scenery.job(job_id, vma=vma)
        scenery.vma.addresses |= {"default": "http://elsewhere", "second": "http://nowhere"}
        scenery.vma.says["job-1"] = answer
        await ask(scenery, "job-1")

        scenery.vma.says["job-1"] = VMAStatus.UNREACHABLE
        await ask(scenery, "job-1")

        assert [await self.reached(scenery, f"job-{n}") for n in (1, 2, 3)] == [True, True, False]

    async def test_where_it_did_not_answer_at_registration_either_it_was_not(self, scenery: Scenery) -> None:
        scenery.vma.says["job-1"] = VMAStatus.UNREACHABLE
        await scenery.job()
        assert not await self.reached(scenery, "job-1")


class TestReports:
    """A worker's own report is contact, too."""

    REPORTED = observed(document(VMAStatus.RUNNING, 77.0))
    SILENCES = (VMAStatus.NOT_FOUND, VMAStatus.UNREACHABLE, *NOT_KNOWING)

    async def job_that_reports(self, scenery: Scenery, says: Document | VMAStatus) -> ReplicationJob:
        job = await scenery.job()
        scenery.contact.reported(job, self.REPORTED)
        scenery.vma.says[job.id] = says
        return job

    @pytest.mark.parametrize("silence", SILENCES)
    async def test_it_stands_where_the_vma_has_nothing_to_say_of_the_job(
        self, scenery: Scenery, silence: VMAStatus
    ) -> None:
        job = await self.job_that_reports(scenery, silence)
        scenery.clock.advance(REPORT_COUNTS_FOR)

        seen = await scenery.contact.ask(job)

        assert (seen.status, seen.progress_percent, seen.observed_at) == (VMAStatus.RUNNING, 77.0, scenery.clock.now())
        assert [one.status for one in seen.answers] == [VMAStatus.RUNNING, silence]
        assert scenery.contact.circumstances(job).silence.unheard_for == 0.0

    @pytest.mark.parametrize("silence", SILENCES)
    async def test_it_counts_for_half_a_minute_and_not_longer(self, scenery: Scenery, silence: VMAStatus) -> None:
        job = await self.job_that_reports(scenery, silence)
        scenery.clock.advance(REPORT_COUNTS_FOR + 0.1)

        assert (await scenery.contact.ask(job)).status is silence

    async def test_the_next_report_makes_it_count_again(self, scenery: Scenery) -> None:
        job = await self.job_that_reports(scenery, VMAStatus.NOT_FOUND)
        scenery.clock.advance(60)
        scenery.contact.reported(job, self.REPORTED)
        scenery.clock.advance(20)

        assert (await scenery.contact.ask(job)).status is VMAStatus.RUNNING

    @pytest.mark.parametrize("said", [RUNNING, COMPLETED, document(VMAStatus.FAILED, 3.0)])
    async def test_what_the_vma_states_outweighs_it(self, scenery: Scenery, said: Document) -> None:
        job = await self.job_that_reports(scenery, said)

        seen = await scenery.contact.ask(job)

        assert (seen.status, seen.progress_percent) == (said.status, said.progress_percent)

    async def test_other_jobs_are_not_affected(self, scenery: Scenery) -> None:
        other = await scenery.job("job-2")
        await self.job_that_reports(scenery, VMAStatus.NOT_FOUND)

        assert (await scenery.contact.ask(other)).status is VMAStatus.NOT_FOUND

    async def test_a_job_that_reports_is_still_one_that_its_vma_has_forgotten(self, scenery: Scenery) -> None:
        """Two of four report: the VMA knows none of them, so the silence of the other two proves nothing."""
        for n in range(4):
            await scenery.job(f"job-{n}")
        for n in range(2):
            scenery.contact.reported(await scenery.app.job(f"job-{n}"), self.REPORTED)
        for n in 2 * [0, 1, 2, 3]:
            await ask(scenery, f"job-{n}")

        assert await forgets(scenery, "job-3")

    async def test_a_vma_that_is_down_stays_down_while_a_worker_reports(self, scenery: Scenery) -> None:
        back: list[str] = []
        scenery.contact.on_back(back.append)
        other = await scenery.job("job-2")
        job = await self.job_that_reports(scenery, VMAStatus.UNREACHABLE)
        scenery.vma.says["job-2"] = VMAStatus.UNREACHABLE

        for one in (other, job, other, job):
            await scenery.contact.ask(one)

        assert (scenery.contact.is_down("default"), back) == (True, [])

    async def test_after_the_job_has_ended_it_counts_no_more(self, scenery: Scenery) -> None:
        job = await self.job_that_reports(scenery, VMAStatus.NOT_FOUND)

        scenery.contact.forget(job)

        assert (await scenery.contact.ask(job)).status is VMAStatus.NOT_FOUND


class TestDown:
    """A VMA is down while it, as a whole, is unreachable."""

    @pytest.mark.parametrize("answer", [RUNNING, COMPLETED, VMAStatus.NOT_FOUND, VMAStatus.UNANSWERED])
    async def test_the_next_answer_of_any_kind_means_that_it_is_back_and_is_told_once(
        self, scenery: Scenery, answer: Document | VMAStatus
    ) -> None:
        job = await scenery.job()
        back: list[str] = []
        scenery.contact.on_back(back.append)
        scenery.vma.says[job.id] = VMAStatus.UNREACHABLE
        for _ in range(3):
            await scenery.contact.ask(job)
            assert scenery.contact.is_down("default")

        scenery.vma.says[job.id] = answer
        for _ in range(2):
            await scenery.contact.ask(job)

        assert (scenery.contact.is_down("default"), back) == (False, ["default"])

    async def test_that_we_could_not_ask_says_nothing_of_it(self, scenery: Scenery) -> None:
        job = await scenery.job()
        back: list[str] = []
        scenery.contact.on_back(back.append)
        for status, down in ((VMAStatus.NOT_ASKED, False), (VMAStatus.UNREACHABLE, True), (VMAStatus.NOT_ASKED, True)):
            scenery.vma.says[job.id] = status
            await scenery.contact.ask(job)
            assert scenery.contact.is_down("default") is down

        assert back == []

    async def test_another_vma_is_not_down(self, scenery: Scenery) -> None:
        job = await scenery.job()
        scenery.vma.says[job.id] = VMAStatus.UNREACHABLE

        await scenery.contact.ask(job)

        assert not scenery.contact.is_down("second")


async def test_a_look_before_a_job_is_registered_is_no_contact_with_it(scenery: Scenery) -> None:
    other = await scenery.job("job-2")
    scenery.vma.says["job-1"] = VMAStatus.UNREACHABLE

    seen = await scenery.contact.look("job-1", "default", ("disk-of-job-1",))

    assert (seen.status, seen.address) == (VMAStatus.UNREACHABLE, "http://default")
    assert not scenery.contact.is_down("default")
    assert scenery.contact.circumstances(other).silence.probes == 0


async def test_a_vma_is_known_if_it_is_in_the_settings(scenery: Scenery) -> None:
    scenery.vma.addresses["gone"] = None

    assert scenery.contact.knows("default")
    assert not scenery.contact.knows("gone")


async def test_of_a_job_that_was_never_asked_about_nothing_is_known(scenery: Scenery) -> None:
    job = await scenery.job()
    scenery.clock.advance(70)

    known = scenery.contact.circumstances(job)

    assert (known.silence.status, known.silence.held_for, known.silence.probes) == (VMAStatus.UNANSWERED, 0.0, 0)
    assert (known.without_contact, known.amnesia, known.replaced) == (70.0, None, False)


class TestMissing:
    """A VMA begins to miss jobs when the first that it knew is not found: then all its jobs are asked about."""

    async def test_the_first_missing_job_is_told_once_and_of_its_own_vma(self, scenery: Scenery) -> None:
        missing: list[str] = []
        scenery.contact.on_missing(missing.append)
        for name in ("a1", "a2", "b1"):
            await scenery.job(name, vma=name[0])
            scenery.vma.says[name] = RUNNING
            await ask(scenery, name)

        for name in ("a1", "a2"):
            scenery.vma.says[name] = VMAStatus.NOT_FOUND
            await ask(scenery, name)
        await ask(scenery, "b1")

        assert missing == ["a"]

    async def test_it_is_told_again_after_the_missing_job_was_heard_of_again(self, scenery: Scenery) -> None:
        missing: list[str] = []
        scenery.contact.on_missing(missing.append)
        job = await scenery.job()
        for said in (RUNNING, VMAStatus.NOT_FOUND, RUNNING, VMAStatus.NOT_FOUND):
            scenery.vma.says[job.id] = said
            await ask(scenery, job.id)

        assert missing == ["default", "default"]

    async def test_a_job_that_the_vma_never_knew_is_not_missing(self, scenery: Scenery) -> None:
        missing: list[str] = []
        scenery.contact.on_missing(missing.append)
        await scenery.job(percent=0.0)

        await ask(scenery, "job-1")

        assert missing == []
