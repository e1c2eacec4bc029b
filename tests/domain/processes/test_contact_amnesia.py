"""A VMA that has forgotten its jobs shows only over many jobs, or after an outage."""

import asyncio

import msgspec
import pytest

from domain.processes.contact import Contact
from domain.recovery_policy import Outcome
from domain.replication_job import ReplicationJob
from domain.vma_status import Document, VMAStatus
from tests.domain.processes.contacts import amnesia_of, ask, ask_all, forgets
from tests.support.harness import REQUEST, RUNNING, Harness

NOT_KNOWING = [VMAStatus.UNANSWERED, VMAStatus.UNINTELLIGIBLE, VMAStatus.NOT_ASKED]


class TestAmnesia:
    """The VMA keeps everything in memory: after its restart every id is unknown until its worker's next update."""

    async def test_a_vma_that_does_not_know_most_of_its_jobs_has_forgotten_them(self, harness: Harness) -> None:
        await ask_all(harness, 20, lost=11)

        amnesia = await amnesia_of(harness, "job-default-0")

        assert amnesia is not None
        assert (amnesia.not_found, amnesia.asked, amnesia.since) == (11, 20, harness.clock.now())
        assert not await forgets(harness, "job-default-19")

    async def test_amnesia_lasts_since_it_was_first_seen(self, harness: Harness) -> None:
        await ask_all(harness, 20, lost=11)
        first = await amnesia_of(harness, "job-default-0")

        harness.clock.advance(60)
        await ask(harness, "job-default-0")
        later = [await amnesia_of(harness, f"job-default-{n}") for n in range(11)]

        assert first is not None
        assert later == [first] * 11

    @pytest.mark.parametrize("lost", [3, 9, 10])
    async def test_half_of_the_jobs_or_fewer_are_not_most(self, harness: Harness, lost: int) -> None:
        await ask_all(harness, 20, lost=lost)

        assert not await forgets(harness, "job-default-0")

    @pytest.mark.parametrize(("jobs", "lost", "forgotten"), [(3, 3, True), (4, 3, True), (2, 2, False), (5, 2, False)])
    async def test_three_jobs_are_enough_to_tell_and_two_are_not(
        self, harness: Harness, jobs: int, lost: int, *, forgotten: bool
    ) -> None:
        await ask_all(harness, jobs, lost=lost)

        assert await forgets(harness, "job-default-0") is forgotten

    async def test_the_first_answers_do_not_tell_before_the_others_have_come(self, harness: Harness) -> None:
        """The first ten jobs of a hundred may all be the lost ones."""
        for n in range(8):
            await harness.job(f"job-{n}")
        for n in range(4):
            await ask(harness, f"job-{n}")
            assert not await forgets(harness, f"job-{n}")
        for n in range(4, 8):
            harness.vma.says[f"job-{n}"] = RUNNING
            await ask(harness, f"job-{n}")

        for n in range(4):
            await ask(harness, f"job-{n}")
            assert not await forgets(harness, f"job-{n}")

    async def test_amnesia_is_seen_from_every_job_that_was_asked_about_twice_or_more_often(
        self, harness: Harness
    ) -> None:
        await ask_all(harness, 2, lost=2)
        for _ in range(3):
            await ask(harness, "job-default-0")
            assert not await forgets(harness, "job-default-0")
        await harness.job("job-3")
        await ask(harness, "job-3")
        assert not await forgets(harness, "job-3")

        assert await forgets(harness, "job-default-0")

        assert await forgets(harness, "job-3")

    async def test_each_vma_is_judged_by_itself(self, harness: Harness) -> None:
        await ask_all(harness, 12, lost=12, vma="one")
        await ask_all(harness, 12, lost=1, vma="two")

        assert await forgets(harness, "job-one-0")
        assert not await forgets(harness, "job-two-0")

    async def test_jobs_that_have_ended_are_not_counted_when_they_are_asked_about_again(self, harness: Harness) -> None:
        await ask_all(harness, 4, lost=0)
        for n in range(6):
            await harness.job(f"guess-{n}")
            guess = await harness.decided(f"guess-{n}")
            harness.contact.forget(guess)
            assert guess.is_guess
            await ask(harness, guess.id)

        harness.vma.says["job-default-0"] = VMAStatus.NOT_FOUND
        for _ in range(2):
            await ask(harness, "job-default-0")

        assert not await forgets(harness, "job-default-0")

    async def test_jobs_that_may_not_have_started_are_not_counted(self, harness: Harness) -> None:
        for n in range(20):
            await harness.job(f"job-{n}", percent=0)
            await ask(harness, f"job-{n}")
            await ask(harness, f"job-{n}")

        assert not await forgets(harness, "job-0")

    @pytest.mark.parametrize("silence", NOT_KNOWING)
    async def test_jobs_of_which_nothing_is_known_are_not_counted_as_found(
        self, harness: Harness, silence: VMAStatus
    ) -> None:
        await ask_all(harness, 10, lost=4, others=silence)

        amnesia = await amnesia_of(harness, "job-default-0")

        assert amnesia is not None
        assert (amnesia.not_found, amnesia.asked) == (4, 4)

    async def test_a_job_that_was_heard_of_since_is_not_forgotten_and_the_others_are(self, harness: Harness) -> None:
        await ask_all(harness, 12, lost=12)
        assert await forgets(harness, "job-default-3")

        harness.vma.says["job-default-3"] = RUNNING
        await ask(harness, "job-default-3")

        assert not await forgets(harness, "job-default-3")
        assert await forgets(harness, "job-default-4")

    async def test_amnesia_lasts_until_no_job_is_missing(self, harness: Harness) -> None:
        """Workers announce themselves one after the other: the last of them is no more lost than the first."""
        await ask_all(harness, 6, lost=6)
        assert await forgets(harness, "job-default-5")
        for n in range(5):
            harness.vma.says[f"job-default-{n}"] = RUNNING
            await ask(harness, f"job-default-{n}")
            assert await forgets(harness, "job-default-5")
        harness.vma.says["job-default-5"] = RUNNING
        await ask(harness, "job-default-5")

        harness.vma.says["job-default-5"] = VMAStatus.NOT_FOUND
        for _ in range(3):
            await ask(harness, "job-default-5")

        assert not await forgets(harness, "job-default-5")

    async def test_a_single_job_that_is_not_found_after_an_outage_of_its_vma_was_forgotten(
        self, harness: Harness
    ) -> None:
        await ask_all(harness, 1, lost=0)
        await ask_all(harness, 1, lost=0, vma="other")
        harness.vma.says["job-default-0"] = VMAStatus.UNREACHABLE
        await ask(harness, "job-default-0")
        harness.vma.says |= {"job-default-0": VMAStatus.NOT_FOUND, "job-other-0": VMAStatus.NOT_FOUND}

        await ask(harness, "job-default-0")
        assert not await forgets(harness, "job-default-0")
        for name in 2 * ["job-default-0", "job-other-0"]:
            await ask(harness, name)

        assert await forgets(harness, "job-default-0")
        assert not await forgets(harness, "job-other-0")

    async def test_a_job_that_gave_no_answer_between_an_outage_and_not_found_was_forgotten(
        self, harness: Harness
    ) -> None:
        await ask_all(harness, 1, lost=0)
        for says in (VMAStatus.UNREACHABLE, VMAStatus.UNANSWERED, *(2 * [VMAStatus.NOT_FOUND])):
            harness.vma.says["job-default-0"] = says
            await ask(harness, "job-default-0")

        assert await forgets(harness, "job-default-0")

    @pytest.mark.parametrize(
        ("said", "is_remembered"),
        [
            ([VMAStatus.UNREACHABLE], True),
            ([VMAStatus.UNREACHABLE, VMAStatus.UNANSWERED], True),
            ([VMAStatus.UNREACHABLE, VMAStatus.NOT_ASKED], True),
            ([VMAStatus.UNREACHABLE, RUNNING], False),
            ([VMAStatus.UNANSWERED], False),
        ],
    )
    @pytest.mark.parametrize("decides", [True, False])
    async def test_an_outage_is_remembered_over_our_own_restart_until_the_job_is_found(
        self, harness: Harness, said: list[Document | VMAStatus], *, is_remembered: bool, decides: bool
    ) -> None:
        await ask_all(harness, 1, lost=0)
        for says in said:
            harness.vma.says["job-default-0"] = says
            if decides:
                await harness.decided("job-default-0")
            else:
                await harness.app.observe("job-default-0", await ask(harness, "job-default-0"))
        fresh = Contact(harness.vma, harness.clock, harness.policy, harness.silences, harness.app.may_be_open)
        fresh.restore(await harness.app.job("job-default-0"))

        harness.vma.says["job-default-0"] = VMAStatus.NOT_FOUND
        for _ in range(2):
            await fresh.ask(await harness.app.job("job-default-0"))

        known = fresh.circumstances(await harness.app.job("job-default-0"))
        assert (known.amnesia is not None) is is_remembered

    async def test_a_second_amnesia_begins_anew(self, harness: Harness) -> None:
        await ask_all(harness, 4, lost=4)
        first = await amnesia_of(harness, "job-default-0")
        for status in (RUNNING, VMAStatus.NOT_FOUND, VMAStatus.NOT_FOUND):
            harness.clock.advance(60)
            for n in range(4):
                harness.vma.says[f"job-default-{n}"] = status
                await ask(harness, f"job-default-{n}")

        again = await amnesia_of(harness, "job-default-0")

        assert first is not None
        assert again == msgspec.structs.replace(first, since=harness.clock.now())

    @pytest.mark.parametrize("ends_first", [True, False])
    @pytest.mark.parametrize("says", [RUNNING, VMAStatus.NOT_FOUND])
    async def test_a_job_that_has_ended_when_an_answer_about_an_older_state_of_it_comes_is_not_counted(
        self, harness: Harness, says: Document | VMAStatus, *, ends_first: bool
    ) -> None:
        """A poll that begins while the end of its job is stored reads the job as it was before."""
        await ask_all(harness, 6, lost=0)
        ended = [f"job-default-{n}" for n in range(3, 6)]
        before = (await harness.event_log.load_many(ReplicationJob, ended)).values()

        async def end() -> None:
            for name in ended:
                await harness.app.operator_decide(name, Outcome.FAIL, "mara", "gone", REQUEST)
                harness.contact.forget(await harness.app.job(name))

        if ends_first:
            await end()
        harness.vma.hang("default")
        harness.vma.says |= dict.fromkeys(ended, says)
        asking = [asyncio.ensure_future(harness.contact.ask(job)) for job in before]
        await asyncio.sleep(0)
        if not ends_first:
            await end()
        harness.vma.go_on()
        await asyncio.gather(*asking)

        await ask(harness, "job-default-0")
        assert not await forgets(harness, "job-default-0")
        for n in range(3):
            harness.vma.says[f"job-default-{n}"] = VMAStatus.NOT_FOUND
        for n in 2 * [0, 1, 2]:
            await ask(harness, f"job-default-{n}")

        amnesia = await amnesia_of(harness, "job-default-0")
        assert amnesia is not None
        assert (amnesia.not_found, amnesia.asked) == (3, 3)

    async def test_a_job_that_has_ended_is_not_missing(self, harness: Harness) -> None:
        await ask_all(harness, 4, lost=3)
        await harness.app.operator_decide("job-default-0", Outcome.FAIL, "mara", "gone", REQUEST)

        harness.contact.forget(await harness.app.job("job-default-0"))

        assert not await forgets(harness, "job-default-1")

    async def test_amnesia_is_remembered_over_our_own_restart(self, harness: Harness) -> None:
        await ask_all(harness, 4, lost=4)
        job = await harness.decided("job-default-0")
        assert job.decision is not None
        assert job.decision.rule == "vma-amnesia"
        never = await harness.job("job-of-another", vma="another")

        fresh = Contact(harness.vma, harness.clock, harness.policy, harness.silences, harness.app.may_be_open)
        fresh.restore(job)
        fresh.restore(never)

        assert fresh.circumstances(job).amnesia == job.decision.amnesia
        assert fresh.circumstances(never).amnesia is None
