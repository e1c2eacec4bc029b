"""A job that waits is asked for again, ever more rarely, and nothing is recorded while nothing changes."""

import pytest

from domain.events import Cause
from domain.processes.retry import Backoff, RetryScheduler
from domain.recovery_policy import Outcome
from domain.vma_status import VMAStatus
from tests.scenery import REQUEST, RUNNING, Scenery, while_running


@pytest.fixture
def retries(scenery: Scenery) -> RetryScheduler:
    return RetryScheduler(
        scenery.app,
        scenery.contact,
        scenery.clock,
        scenery.log,
        backoff=Backoff(5.0, 60.0, lambda: 1.0),
        recover=scenery.request,
    )


async def waiting(scenery: Scenery, retries: RetryScheduler) -> None:
    """Have one job wait for its VMA, which is down."""
    await scenery.job()
    scenery.vma.says["job-1"] = VMAStatus.UNREACHABLE
    retries.watch(await scenery.decided("job-1"))
    scenery.vma.asked.clear()


def test_the_wait_doubles_up_to_its_maximum_with_jitter() -> None:
    longest, shortest = Backoff(5, 60, lambda: 1.0), Backoff(5, 60, lambda: 0.0)

    assert [longest(n) for n in range(1, 7)] == [5, 10, 20, 40, 60, 60]
    assert [shortest(n) for n in range(1, 7)] == [2.5, 5, 10, 20, 30, 30]
    assert longest(10_000) == 60


async def test_while_the_vma_is_down_it_is_asked_and_nothing_is_recorded(
    scenery: Scenery, retries: RetryScheduler
) -> None:
    await waiting(scenery, retries)
    before = await scenery.kinds()

    await while_running(retries.run(), lambda: len(scenery.vma.asked) >= 5)

    assert await scenery.kinds() == before
    assert scenery.requested == []
    assert scenery.clock.monotonic() >= 5 + 10 + 20 + 40 + 60


async def test_a_changed_answer_is_for_recovery(scenery: Scenery, retries: RetryScheduler) -> None:
    await waiting(scenery, retries)
    scenery.vma.says["job-1"] = RUNNING

    await while_running(retries.run(), lambda: bool(scenery.requested))

    assert scenery.requested[0] == ("job-1", Cause.RETRY_DUE)


async def test_when_a_vma_is_back_its_jobs_are_asked_for_at_once(scenery: Scenery, retries: RetryScheduler) -> None:
    await waiting(scenery, retries)
    other = await scenery.job("job-2")
    scenery.vma.says["job-2"] = VMAStatus.UNREACHABLE
    for _ in range(3):
        await scenery.contact.ask(other)
    assert retries.due_in("job-1") == 5.0

    scenery.vma.says["job-2"] = RUNNING
    await scenery.contact.ask(other)

    assert retries.due_in("job-1") == 0.0


async def test_a_job_that_an_operator_ended_is_let_go(scenery: Scenery, retries: RetryScheduler) -> None:
    await waiting(scenery, retries)
    await scenery.app.operator_decide("job-1", Outcome.FAIL, "mara", "gone", REQUEST)

    await while_running(retries.run(), lambda: not retries.waiting)

    assert (scenery.vma.asked, scenery.requested) == ([], [])
