"""A job that waits is asked for again, ever more rarely, and nothing is recorded while nothing changes."""

import pytest

from domain.events import Cause
from domain.processes.retry import Backoff, RetryScheduler
from domain.recovery_policy import Outcome
from domain.replication_job import ReplicationJob
from domain.vma_status import VMAStatus
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
    assert longest(10_000) == 60


async def test_while_the_vma_is_down_it_is_asked_and_nothing_is_recorded(
    harness: Harness, retries: RetryScheduler
) -> None:
    await waiting(harness, retries)
    before = await harness.kinds()

    await while_running(retries.run(), lambda: len(harness.vma.asked) >= 5)

    assert await harness.kinds() == before
    assert harness.requested == []
    assert harness.clock.elapsed >= 5 + 10 + 20 + 40 + 60


async def test_a_changed_answer_is_for_recovery(harness: Harness, retries: RetryScheduler) -> None:
    await waiting(harness, retries)
    harness.vma.says["job-1"] = RUNNING

    await while_running(retries.run(), lambda: bool(harness.requested))

    assert harness.requested[0] == ("job-1", Cause.RETRY_DUE)


@pytest.mark.parametrize(
    "other", [VMAStatus.UNANSWERED, VMAStatus.UNINTELLIGIBLE, VMAStatus.NOT_ASKED, VMAStatus.NOT_FOUND]
)
async def test_so_is_another_kind_of_not_knowing(harness: Harness, retries: RetryScheduler, other: VMAStatus) -> None:
    await waiting(harness, retries)
    harness.vma.says["job-1"] = other

    await while_running(retries.run(), lambda: bool(harness.requested))

    assert harness.requested[0] == ("job-1", Cause.RETRY_DUE)


SILENCES = [VMAStatus.UNREACHABLE, VMAStatus.UNANSWERED, VMAStatus.UNINTELLIGIBLE, VMAStatus.NOT_ASKED]


@pytest.mark.parametrize("silence", SILENCES)
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


async def test_nor_is_it_handed_over_again_after_our_restart(harness: Harness, retries: RetryScheduler) -> None:
    await waiting(harness, retries)
    retries.drop("job-1")
    job = await harness.decided("job-1", inconclusive_for=300.0)
    harness.contact.forget(job)
    harness.vma.asked.clear()

    retries.watch(job)
    await while_running(retries.run(), lambda: len(harness.vma.asked) >= 20)

    assert harness.requested == []


async def test_another_job_that_waits_is_not_handed_over_with_it(harness: Harness, retries: RetryScheduler) -> None:
    await waiting(harness, retries)
    harness.clock.advance(200.0)
    await harness.job("job-2")
    harness.vma.says["job-2"] = VMAStatus.UNREACHABLE
    retries.watch(await harness.decided("job-2"))

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
    await harness.job("job-2")
    harness.vma.says["job-2"] = VMAStatus.UNREACHABLE
    retries.watch(await harness.decided("job-2"))
    assert isinstance(harness.event_log, MemoryLog)
    harness.event_log.unreadable.add("job-1")
    harness.app._jobs.pop("job-1")
    began = harness.clock.elapsed

    await while_running(retries.run(), lambda: harness.log.events.count("retry_failed") >= 5)
    assert harness.clock.elapsed - began >= 5 + 10 + 20 + 40 + 60
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
