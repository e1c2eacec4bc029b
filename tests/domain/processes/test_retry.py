"""A job that waits is asked for again, ever more rarely, and nothing is recorded while nothing changes."""

from itertools import pairwise, permutations

import pytest

from domain.events import Cause
from domain.processes.retry import Backoff, RetryScheduler
from domain.recovery_policy import Outcome, Rule
from domain.replication_job import ReplicationJob
from domain.vma_status import DiskReport, Document, VMAStatus
from tests.support.builders import document
from tests.support.harness import REQUEST, RUNNING, Harness, while_running
from tests.support.memory_log import MemoryLog


@pytest.fixture
def retries(harness: Harness) -> RetryScheduler:
    return RetryScheduler(harness.shared, Backoff(5.0, 60.0, lambda: 1.0), harness.request)


async def waiting(harness: Harness, retries: RetryScheduler, silence: VMAStatus = VMAStatus.UNREACHABLE) -> None:
    """Have one job wait for its VMA, which is down."""
    await harness.job()
    harness.vma.says["job-1"] = silence
    retries.watch(await harness.decided("job-1"))
    harness.vma.asked.clear()


async def another_waiting(harness: Harness, retries: RetryScheduler) -> None:
    """Have job-2 wait as well."""
    await harness.job("job-2")
    harness.vma.says["job-2"] = VMAStatus.UNREACHABLE
    retries.watch(await harness.decided("job-2"))


async def recovered(harness: Harness) -> ReplicationJob:
    """Take the job through recovery on what is known of it."""
    await harness.app.begin_recovery("job-1", "run-2", Cause.RETRY_DUE, "test")
    job = await harness.app.job("job-1")
    observation = await harness.contact.ask(job)
    known = harness.contact.circumstances(job)
    await harness.app.recover("job-1", "run-2", observation, known, lambda _: 5.0)
    return await harness.app.job("job-1")


def test_the_wait_doubles_up_to_its_maximum_with_jitter() -> None:
    longest, shortest = Backoff(5, 60, lambda: 1.0), Backoff(5, 60, lambda: 0.0)

    assert [longest(n) for n in range(1, 7)] == [5, 10, 20, 40, 60, 60]
    assert [shortest(n) for n in range(1, 7)] == [2.5, 5, 10, 20, 30, 30]
    assert (longest(10_000), longest(0)) == (60, 5)


async def test_while_the_vma_is_down_it_is_asked_and_nothing_is_recorded(
    harness: Harness, retries: RetryScheduler
) -> None:
    await waiting(harness, retries)
    before = await harness.kinds()

    await while_running(retries.run(), lambda: len(harness.vma.asked) >= 5)

    assert await harness.kinds() == before
    assert harness.requested == []
    assert harness.clock.elapsed >= 5 + 10 + 20 + 40 + 60


async def test_a_job_is_asked_about_when_its_decision_says_and_then_after_waits_that_double(harness: Harness) -> None:
    retries = RetryScheduler(harness.shared, Backoff(8.0, 60.0, lambda: 1.0), harness.request)
    await waiting(harness, retries)
    asked_at = [harness.clock.elapsed]
    harness.contact.on_observed(lambda _: asked_at.append(harness.clock.elapsed))

    await while_running(retries.run(), lambda: len(asked_at) > 5)

    waits = [later - earlier for earlier, later in pairwise(asked_at)]
    assert waits[:5] == pytest.approx([5.0, 16.0, 32.0, 60.0, 60.0], abs=0.25)


async def test_a_completion_in_doubt_is_asked_about_without_longer_waits_until_it_has_held(
    harness: Harness, retries: RetryScheduler
) -> None:
    await harness.job()
    unfinished = DiskReport(disk_id="0", status=VMAStatus.RUNNING, progress_percent=99.5)
    harness.vma.says["job-1"] = document(VMAStatus.COMPLETED, 100.0, disks=(unfinished,))
    job = await recovered(harness)
    retries.watch(job)
    asked_at = [harness.clock.elapsed]
    harness.contact.on_observed(lambda _: asked_at.append(harness.clock.elapsed))

    await while_running(retries.run(), lambda: bool(harness.requested))

    assert job.decision is not None
    assert job.decision.rule == Rule.COMPLETION_UNCONFIRMED
    assert max(later - earlier for earlier, later in pairwise(asked_at)) == pytest.approx(5.0, abs=0.25)
    assert harness.requested_at[0] >= harness.policy.completion_window


async def test_a_job_that_is_overdue_is_due_now(harness: Harness, retries: RetryScheduler) -> None:
    await waiting(harness, retries)
    harness.clock.advance(60.0)

    assert (retries.due_in("job-1"), retries.due_in("job-2")) == (0.0, None)


async def test_a_changed_answer_is_for_recovery(harness: Harness, retries: RetryScheduler) -> None:
    await waiting(harness, retries)
    harness.vma.says["job-1"] = RUNNING

    await while_running(retries.run(), lambda: bool(harness.requested))

    assert harness.requested[0] == ("job-1", Cause.RETRY_DUE)


KINDS = [VMAStatus.UNANSWERED, VMAStatus.UNINTELLIGIBLE, VMAStatus.NOT_ASKED, VMAStatus.UNREACHABLE]


@pytest.mark.parametrize(("before", "other"), [*permutations(KINDS, 2), (VMAStatus.UNREACHABLE, VMAStatus.NOT_FOUND)])
async def test_another_kind_of_not_knowing_is_for_recovery(
    harness: Harness, retries: RetryScheduler, before: VMAStatus, other: VMAStatus
) -> None:
    await waiting(harness, retries, before)
    harness.vma.says["job-1"] = other

    await while_running(retries.run(), lambda: bool(harness.requested))

    assert harness.requested[0] == ("job-1", Cause.RETRY_DUE)
    assert harness.requested_at[0] < 10


@pytest.mark.parametrize("silence", KINDS)
async def test_a_job_that_has_waited_for_long_is_handed_to_recovery_once(
    harness: Harness, retries: RetryScheduler, silence: VMAStatus
) -> None:
    await waiting(harness, retries, silence)
    before = await harness.kinds()

    await while_running(retries.run(), lambda: bool(harness.requested))
    assert harness.clock.elapsed >= harness.policy.attention_after
    assert (harness.requested[0], await harness.kinds()) == (("job-1", Cause.RETRY_DUE), before)

    retries.drop("job-1")
    job = await recovered(harness)
    assert job.decision is not None
    assert (job.decision.needs_attention, job.decision.attempt) == (True, 2)
    harness.requested.clear()
    harness.vma.asked.clear()
    retries.watch(job)
    before = await harness.kinds()
    await while_running(retries.run(), lambda: len(harness.vma.asked) >= 20)

    assert (harness.requested, await harness.kinds()) == ([], before)


async def test_a_job_that_waits_is_handed_over_from_just_the_time_for_attention_on(
    harness: Harness, retries: RetryScheduler
) -> None:
    await waiting(harness, retries)
    harness.clock.advance(299.9)
    await retries._retry("job-1")
    assert harness.requested == []

    harness.clock.advance(harness.policy.attention_after - harness.clock.elapsed)
    await retries._retry("job-1")

    assert harness.requested == [("job-1", Cause.RETRY_DUE)]


async def test_a_job_that_has_waited_for_long_is_not_handed_over_again_after_our_restart(
    harness: Harness, retries: RetryScheduler
) -> None:
    await waiting(harness, retries)
    retries.drop("job-1")
    job = await harness.decided("job-1", inconclusive_for=300.0)
    harness.contact.forget(job)
    harness.vma.asked.clear()

    retries.watch(job)
    await while_running(retries.run(), lambda: len(harness.vma.asked) >= 20)

    assert harness.requested == []


@pytest.mark.parametrize(("silence", "is_told"), [(kind, kind is not VMAStatus.UNREACHABLE) for kind in KINDS])
async def test_another_cause_is_told_when_a_person_was_told_of_the_first_for_as_long_as_that_takes(
    harness: Harness, retries: RetryScheduler, silence: VMAStatus, *, is_told: bool
) -> None:
    """The login is refused after the certificate was. The reason of a VMA that is down has other figures each time."""
    await waiting(harness, retries, silence)
    await another_waiting(harness, retries)
    for job_id in ("job-1", "job-2"):
        retries.drop(job_id)
        retries.watch(await harness.decided(job_id, inconclusive_for=300.0))
    told_at, second = harness.clock.elapsed, harness.policy.attention_after
    harness.vma.details["job-1"] = "login refused"

    await retries._retry("job-1")
    harness.clock.advance(second - 0.1)
    await retries._retry("job-1")
    assert harness.requested == []
    harness.clock.advance(told_at + second - harness.clock.elapsed)
    for job_id in ("job-1", "job-2"):
        await retries._retry(job_id)

    assert harness.requested == [("job-1", Cause.RETRY_DUE)] * is_told


@pytest.mark.parametrize("silence", [VMAStatus.UNANSWERED, VMAStatus.UNINTELLIGIBLE, VMAStatus.NOT_ASKED])
async def test_the_same_cause_is_not_told_again(harness: Harness, retries: RetryScheduler, silence: VMAStatus) -> None:
    await waiting(harness, retries, silence)
    retries.drop("job-1")
    retries.watch(await harness.decided("job-1", inconclusive_for=300.0))

    harness.clock.advance(2 * harness.policy.attention_after)
    await retries._retry("job-1")

    assert harness.requested == []


async def test_another_job_that_waits_is_not_handed_over_with_it(harness: Harness, retries: RetryScheduler) -> None:
    await waiting(harness, retries)
    harness.clock.advance(200.0)
    await another_waiting(harness, retries)

    await while_running(retries.run(), lambda: bool(harness.requested))

    assert {job_id for job_id, _ in harness.requested} == {"job-1"}


async def test_when_a_vma_is_back_its_jobs_are_asked_for_at_once(harness: Harness, retries: RetryScheduler) -> None:
    await waiting(harness, retries)
    other = await harness.job("job-2")
    harness.vma.says["job-2"] = VMAStatus.UNREACHABLE
    await harness.contact.ask(other)
    third = await harness.job("job-3", vma="second")
    harness.vma.says["job-3"] = VMAStatus.UNREACHABLE
    retries.watch(await harness.decided(third.id))
    assert retries.due_in("job-1") == 5.0

    harness.vma.says["job-2"] = RUNNING
    await harness.contact.ask(other)

    assert (retries.due_in("job-1"), retries.due_in("job-3")) == (0.0, 5.0)


async def test_a_job_that_an_operator_ended_is_let_go(harness: Harness, retries: RetryScheduler) -> None:
    await waiting(harness, retries)
    await harness.app.operator_decide("job-1", Outcome.FAIL, "mara", "gone", REQUEST)

    await while_running(retries.run(), lambda: not retries.waiting)

    assert (harness.vma.asked, harness.requested) == ([], [])


async def test_a_job_that_a_run_is_deciding_is_neither_asked_about_nor_handed_over_and_another_is(
    harness: Harness, retries: RetryScheduler
) -> None:
    await waiting(harness, retries)
    await another_waiting(harness, retries)
    harness.vma.asked.clear()
    await harness.app.begin_recovery("job-1", "run-2", Cause.OPERATOR, "test")
    harness.vma.says |= dict.fromkeys(("job-1", "job-2"), RUNNING)

    await while_running(retries.run(), lambda: len(harness.requested) >= 3)

    assert set(harness.requested) == {("job-2", Cause.RETRY_DUE)}
    assert set(harness.vma.asked) == {"job-2"}
    assert set(retries.waiting) == {"job-1", "job-2"}


@pytest.mark.parametrize("vma", ["another", "elsewhere"])
async def test_a_job_that_waits_is_asked_about_at_once_when_its_vma_begins_to_miss_another(
    harness: Harness, retries: RetryScheduler, vma: str
) -> None:
    other = await harness.job("job-2")
    elsewhere = await harness.job("job-3", vma=vma)
    await waiting(harness, retries)
    harness.vma.says[elsewhere.id] = VMAStatus.UNREACHABLE
    retries.watch(await harness.decided(elsewhere.id))
    for job_id in ("job-1", elsewhere.id):
        assert retries.due_in(job_id) == 5.0

    await harness.contact.ask(other)

    assert (retries.due_in("job-1"), retries.due_in(elsewhere.id)) == (0.0, 5.0)


async def test_a_job_that_was_handed_over_is_asked_about_until_its_recovery_takes_it(
    harness: Harness, retries: RetryScheduler
) -> None:
    """The request may be lost, for example with a run that cannot be recorded."""
    await waiting(harness, retries)
    harness.vma.says["job-1"] = RUNNING

    await while_running(retries.run(), lambda: len(harness.requested) >= 10)

    assert set(harness.requested) == {("job-1", Cause.RETRY_DUE)}
    assert retries.due_in("job-1") is not None


async def test_a_job_that_cannot_be_read_is_tried_again_ever_more_rarely_and_so_is_another(
    harness: Harness, retries: RetryScheduler
) -> None:
    await waiting(harness, retries)
    await another_waiting(harness, retries)
    assert isinstance(harness.event_log, MemoryLog)
    harness.event_log.unreadable.add("job-1")
    harness.app._watched.forget("job-1")
    began = harness.clock.elapsed

    await while_running(retries.run(), lambda: harness.log.events.count("retry_failed") >= 5)
    assert harness.clock.elapsed - began >= 5 + 10 + 20 + 40 + 60
    assert harness.requested == []
    assert harness.vma.asked.count("job-2") >= 5

    harness.event_log.unreadable.clear()
    harness.vma.says["job-1"] = RUNNING
    await while_running(retries.run(), lambda: bool(harness.requested))
    assert harness.requested[0] == ("job-1", Cause.RETRY_DUE)


async def test_an_event_of_a_job_that_waits_already_leaves_its_retry_as_it_was(
    harness: Harness, retries: RetryScheduler
) -> None:
    await waiting(harness, retries)
    harness.clock.advance(3.0)

    for _ in range(10):
        retries.watch(await harness.app.job("job-1"))
    assert (retries.due_in("job-1"), len(retries._schedule)) == (2.0, 1)

    retries.drop("job-1")
    retries.watch(await harness.app.job("job-1"))
    assert retries.due_in("job-1") == 5.0


async def test_a_vma_that_begins_to_miss_a_job_is_asked_at_once_about_those_that_wait_and_no_other_vma_is(
    harness: Harness, retries: RetryScheduler
) -> None:
    for job_id, vma in (("job-1", "one"), ("job-2", "two")):
        await harness.job(job_id, vma=vma)
        harness.vma.says[job_id] = VMAStatus.UNANSWERED
        retries.watch(await harness.decided(job_id))
    running = await harness.job("job-3", vma="one")
    harness.vma.says["job-3"] = RUNNING
    await harness.contact.ask(running)

    harness.vma.says["job-3"] = VMAStatus.NOT_FOUND
    await harness.contact.ask(running)

    assert (retries.due_in("job-1"), retries.due_in("job-2")) == (0.0, 5.0)


async def test_a_vma_that_begins_to_miss_a_job_again_and_again_is_not_asked_about_those_that_it_does_not_know(
    harness: Harness, retries: RetryScheduler
) -> None:
    """They count already as forgotten, or it never knew them. One that may have been forgotten is asked about."""
    flapping = await harness.job("job-flaps")
    for job_id in ("job-1", "job-2", "job-3"):
        await harness.contact.ask(await harness.job(job_id))
    forgotten, silent = await harness.decided("job-1"), await harness.job("job-4")
    never = await harness.decided((await harness.job("job-never", percent=0.0)).id)
    harness.vma.says[silent.id] = VMAStatus.UNANSWERED
    for job in (forgotten, never, await harness.decided(silent.id)):
        retries.watch(job)

    for says in (RUNNING, VMAStatus.NOT_FOUND) * 2:
        harness.vma.says[flapping.id] = says
        await harness.contact.ask(flapping)

    assert [job.decision and job.decision.rule for job in (forgotten, never)] == [Rule.VMA_AMNESIA, Rule.NEVER_SEEN]
    assert [retries.due_in(job_id) for job_id in ("job-1", "job-never", "job-4")] == [5.0, 5.0, 0.0]


async def test_when_a_vma_is_back_it_is_asked_about_those_that_it_does_not_know_as_well(
    harness: Harness, retries: RetryScheduler
) -> None:
    never = await harness.decided((await harness.job("job-never", percent=0.0)).id)
    other = await harness.job("job-2")
    retries.watch(never)

    for says in (VMAStatus.UNREACHABLE, RUNNING):
        harness.vma.says[other.id] = says
        await harness.contact.ask(other)

    assert retries.due_in(never.id) == 0.0


async def forgotten(harness: Harness, retries: RetryScheduler) -> None:
    """Have job-1 wait because its VMA has forgotten it with two others."""
    for job_id in ("job-2", "job-3", "job-1"):
        await harness.contact.ask(await harness.job(job_id))
    job = await harness.decided("job-1")
    assert job.decision is not None
    assert job.decision.rule == Rule.VMA_AMNESIA
    retries.watch(job)


async def retry(harness: Harness, retries: RetryScheduler, says: Document | VMAStatus, seconds: float) -> None:
    """Retry job-1 so many seconds later, with this answer."""
    harness.clock.advance(seconds)
    harness.vma.says["job-1"] = says
    await retries._retry("job-1")


async def test_a_job_that_its_vma_has_forgotten_waits_on_while_the_vma_is_unreachable_again_and_again(
    harness: Harness, retries: RetryScheduler
) -> None:
    await forgotten(harness, retries)

    for says in (VMAStatus.UNREACHABLE, VMAStatus.NOT_FOUND) * 5:
        await retry(harness, retries, says, 20.0)

    assert harness.requested == []


@pytest.mark.parametrize("outage", [0, 2])
async def test_an_outage_that_lasts_is_told_of_a_job_that_its_vma_has_forgotten(
    harness: Harness, retries: RetryScheduler, outage: int
) -> None:
    await forgotten(harness, retries)
    retries.drop("job-1")
    retries.watch(await harness.decided("job-1", inconclusive_for=300.0))
    for says in (VMAStatus.UNREACHABLE, VMAStatus.NOT_FOUND) * outage:
        await retry(harness, retries, says, 60.0)
    await retry(harness, retries, VMAStatus.UNREACHABLE, 60.0)

    await retry(harness, retries, VMAStatus.UNREACHABLE, 299.9)
    before = list(harness.requested)
    await retry(harness, retries, VMAStatus.UNREACHABLE, 0.2)

    assert (before, harness.requested) == ([], [("job-1", Cause.RETRY_DUE)])


@pytest.mark.parametrize("says", [RUNNING, VMAStatus.UNANSWERED, VMAStatus.UNINTELLIGIBLE, VMAStatus.NOT_ASKED])
async def test_any_other_answer_about_a_job_that_was_forgotten_is_for_recovery(
    harness: Harness, retries: RetryScheduler, says: Document | VMAStatus
) -> None:
    await forgotten(harness, retries)
    await retry(harness, retries, VMAStatus.UNREACHABLE, 5.0)

    await retry(harness, retries, says, 5.0)

    assert harness.requested == [("job-1", Cause.RETRY_DUE)]
