"""No job unwatched, and no stalled job unnoticed."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from domain.events import Cause
from domain.processes.awake import AwakeTime
from domain.processes.health import HealthMonitor
from domain.processes.polling import Poller
from domain.vma_status import VMAStatus
from tests.support.builders import at, document
from tests.support.harness import RUNNING, Harness, while_running


def polling(harness: Harness, awake: Callable[[], float]) -> Poller:
    return Poller(
        harness.shared,
        awake=awake,
        interval=5.0,
        on_contact_lost=harness.request,
    )


def monitoring(harness: Harness, poller: Poller, awake: Callable[[], float]) -> HealthMonitor:
    return HealthMonitor(
        harness.shared,
        poller,
        awake=awake,
        stale_after=30.0,
        stalled_after=900.0,
        recover=harness.request,
    )


@pytest.fixture
def poller(harness: Harness) -> Poller:
    return polling(harness, harness.clock.monotonic)


@pytest.fixture
def monitor(harness: Harness, poller: Poller) -> HealthMonitor:
    return monitoring(harness, poller, harness.clock.monotonic)


async def test_a_job_that_nobody_polled_goes_back_into_recovery(
    harness: Harness, poller: Poller, monitor: HealthMonitor
) -> None:
    poller.watch(await harness.job())
    harness.clock.advance(30.0)
    await monitor.check_jobs()
    assert harness.requested == []

    harness.clock.advance(0.1)
    await monitor.check_jobs()

    assert harness.requested == [("job-1", Cause.STALE)]


async def test_a_job_that_is_polled_is_not_stale_for_as_long_as_it_is(
    harness: Harness, poller: Poller, monitor: HealthMonitor
) -> None:
    job = await harness.job()
    harness.vma.says[job.id] = RUNNING
    poller.watch(job)
    await while_running(poller.run(), lambda: harness.clock.elapsed > 100)
    await monitor.check_jobs()
    assert harness.requested == []

    harness.clock.advance(31.0)
    await monitor.check_jobs()

    assert harness.requested == [(job.id, Cause.STALE)]


async def test_a_poll_that_is_under_way_is_no_neglect_and_a_vma_that_is_polled_late_is_reported(
    harness: Harness, poller: Poller, monitor: HealthMonitor
) -> None:
    for job_id, vma in (("job-1", "slow"), ("job-2", "quick")):
        job = await harness.job(job_id, vma=vma)
        harness.vma.says[job_id] = RUNNING
        poller.watch(job)
    harness.vma.hang("slow")
    running = asyncio.ensure_future(poller.run())

    for until, late in ((5.0, []), (60.0, ["vma_polled_late"])):
        await while_running(asyncio.sleep(60), lambda until=until: harness.clock.elapsed > until)  # type: ignore[misc]
        await monitor.check_jobs()
        await monitor.check_jobs()
        assert (harness.log.events[1:], harness.requested) == (late, [])

    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
def awake(harness: Harness) -> AwakeTime:
    return AwakeTime(harness.clock)


async def test_our_own_absence_makes_no_job_stale_or_stalled(harness: Harness, awake: AwakeTime) -> None:
    """The process is stopped for a day while one job is polled and another never was."""
    poller = polling(harness, awake)
    monitor = monitoring(harness, poller, awake)
    polled = await harness.job("job-1")
    harness.vma.says[polled.id] = RUNNING
    poller.watch(polled)
    poller.watch(await harness.job("job-2"))
    poller.record(polled, await harness.contact.ask(polled))
    harness.clock.advance(86_400.0)

    await monitor.check_jobs()
    assert (harness.requested, await harness.kinds()) == ([], ["JobRegistered"])

    for _ in range(31):
        harness.clock.advance(1.0)
        awake()
    await monitor.check_jobs()
    assert harness.requested == [("job-1", Cause.STALE), ("job-2", Cause.STALE)]


@pytest.mark.parametrize("step", [86_400.0, -86_400.0])
async def test_a_step_of_the_machines_clock_stalls_no_job(
    harness: Harness, poller: Poller, monitor: HealthMonitor, step: float
) -> None:
    job = await harness.job()
    harness.vma.says[job.id] = RUNNING
    poller.watch(job)
    await while_running(poller.run(), lambda: harness.clock.elapsed > 100)
    harness.clock.step(step)
    await while_running(poller.run(), lambda: harness.clock.elapsed > 200)

    await monitor.check_jobs()
    assert "JobStalled" not in await harness.kinds()

    await while_running(poller.run(), lambda: harness.clock.elapsed > 910)
    await monitor.check_jobs()
    assert (await harness.kinds()).count("JobStalled") == 1
    assert harness.requested == []


async def test_a_running_job_whose_figures_do_not_move_is_marked_stalled_once(
    harness: Harness, poller: Poller, monitor: HealthMonitor
) -> None:
    job = await harness.job()
    harness.vma.says[job.id] = RUNNING
    poller.watch(job)
    await while_running(poller.run(), lambda: harness.clock.elapsed > 901)

    await monitor.check_jobs()
    await monitor.check_jobs()

    stalled = await harness.app.job(job.id)
    assert (await harness.kinds()).count("JobStalled") == 1
    assert stalled.is_open
    assert stalled.stalled_since is not None
    assert harness.clock.now() - stalled.stalled_since > timedelta(seconds=900)


@pytest.mark.parametrize("step", [0.0, 86_400.0, -86_400.0])
async def test_a_stalled_job_that_moves_again_is_no_longer_stalled_however_the_clock_was_set(
    harness: Harness, poller: Poller, monitor: HealthMonitor, step: float
) -> None:
    job = await harness.job()
    harness.vma.says[job.id] = RUNNING
    poller.watch(job)
    await while_running(poller.run(), lambda: harness.clock.elapsed > 910)
    await monitor.check_jobs()
    await while_running(poller.run(), lambda: harness.clock.elapsed > 920)
    assert (await harness.app.job(job.id)).stalled_since is not None

    harness.clock.step(step)
    harness.vma.says[job.id] = document(percent=41.6)
    await while_running(poller.run(), lambda: harness.clock.elapsed > 930)

    assert (await harness.kinds())[-1] == "JobMovedAgain"
    assert (await harness.app.job(job.id)).stalled_since is None


async def test_a_job_that_stalls_again_is_marked_again(
    harness: Harness, poller: Poller, monitor: HealthMonitor
) -> None:
    job = await harness.job()
    poller.watch(job)
    for n in range(2):
        harness.vma.says[job.id] = document(percent=40.0 + n)
        until = harness.clock.elapsed + 910
        await while_running(poller.run(), lambda until=until: harness.clock.elapsed > until)  # type: ignore[misc]
        await monitor.check_jobs()

    kinds = await harness.kinds()

    assert (kinds.count("JobStalled"), kinds.count("JobMovedAgain"), kinds[-1]) == (2, 1, "JobStalled")


async def test_a_job_that_moves_a_little_is_not_stalled(
    harness: Harness, poller: Poller, monitor: HealthMonitor
) -> None:
    job = await harness.job()
    harness.vma.says[job.id] = RUNNING
    poller.watch(job)
    await while_running(poller.run(), lambda: harness.clock.elapsed > 800)
    harness.vma.says[job.id] = document(percent=41.6)
    await while_running(poller.run(), lambda: harness.clock.elapsed > 1000)

    await monitor.check_jobs()

    assert "JobStalled" not in await harness.kinds()


async def test_a_vma_that_is_late_again_is_reported_again_and_one_that_stays_late_is_not(
    harness: Harness, poller: Poller, monitor: HealthMonitor
) -> None:
    harness.vma.says["job-1"] = RUNNING
    poller.watch(await harness.job(vma="slow"))
    running = asyncio.ensure_future(poller.run())
    await while_running(asyncio.sleep(60), lambda: bool(poller.polls))

    for times in (1, 2, 3):
        harness.vma.hang("slow")
        late = harness.clock.elapsed + 60
        await while_running(asyncio.sleep(60), lambda late=late: harness.clock.elapsed > late)  # type: ignore[misc]
        await monitor.check_jobs()
        await monitor.check_jobs()
        assert harness.log.events.count("vma_polled_late") == times

        harness.vma.go_on()
        await while_running(asyncio.sleep(60), lambda: poller.lag < 1.0)
        await monitor.check_jobs()

    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_vma_is_polled_late_from_the_limit_on(harness: Harness, poller: Poller, monitor: HealthMonitor) -> None:
    poller.watch(await harness.job())
    poller.live["job-1"].asked_since = harness.clock.monotonic()
    harness.clock.advance(29.9)
    await monitor.check_jobs()
    assert harness.log.events == []

    harness.clock.advance(30.0 - harness.clock.elapsed)
    await monitor.check_jobs()

    assert harness.log.events == ["vma_polled_late"]


async def test_a_job_that_stands_still_for_just_the_limit_is_not_stalled(
    harness: Harness, poller: Poller, monitor: HealthMonitor
) -> None:
    job = await harness.job()
    harness.vma.says[job.id] = RUNNING
    poller.watch(job)
    poller.record(job, await harness.contact.ask(job))
    poller.live[job.id].asked_since = harness.clock.monotonic()
    harness.clock.advance(900.0)
    await monitor.check_jobs()
    assert (await harness.app.job(job.id)).stalled_since is None

    harness.clock.advance(0.1)
    await monitor.check_jobs()

    assert (await harness.app.job(job.id)).stalled_since == at(0)


@pytest.mark.parametrize(
    ("stale_after", "stalled_after", "noticed"),
    [(30.0, 900.0, 35.0), (10.0, 900.0, 12.5), (30.0, 10.0, 32.5), (0.25, 900.0, 0.3)],
)
async def test_jobs_are_checked_four_times_within_the_shorter_limit_and_every_five_seconds_at_the_latest(
    harness: Harness, poller: Poller, stale_after: float, stalled_after: float, noticed: float
) -> None:
    noticed_at: list[float] = []
    monitor = HealthMonitor(
        harness.shared,
        poller,
        awake=harness.clock.monotonic,
        stale_after=stale_after,
        stalled_after=stalled_after,
        recover=lambda _job, _cause: noticed_at.append(harness.clock.elapsed),
    )
    poller.watch(await harness.job())

    await while_running(monitor.run(), lambda: bool(noticed_at))

    assert noticed_at[0] == pytest.approx(noticed)


async def test_stalls_that_cannot_be_stored_are_tried_again_at_each_check_and_stored_when_they_can_be(
    harness: Harness, poller: Poller, monitor: HealthMonitor
) -> None:
    for job_id in ("job-1", "job-2"):
        job = await harness.job(job_id)
        harness.vma.says[job_id] = RUNNING
        poller.watch(job)
        poller.record(job, await harness.contact.ask(job))
    harness.clock.advance(901)
    for job_id in ("job-1", "job-2"):
        job = await harness.app.job(job_id)
        poller.record(job, await harness.contact.ask(job))
    harness.make_writable(writable=False)
    for _ in range(3):
        await monitor.check_jobs()
    assert harness.log.events == 6 * ["stall_not_recorded"]

    harness.make_writable(writable=True)
    await monitor.check_jobs()

    assert harness.log.events[6:] == 2 * ["job_stalled"]
    assert [(await harness.kinds(job_id)).count("JobStalled") for job_id in ("job-1", "job-2")] == [1, 1]


async def test_a_job_of_which_nothing_is_known_now_is_not_stalled_and_one_that_stands_still_is(
    harness: Harness, poller: Poller, monitor: HealthMonitor
) -> None:
    for job_id in ("job-1", "job-2"):
        job = await harness.job(job_id)
        harness.vma.says[job_id] = RUNNING
        poller.watch(job)
        await poller._poll_once(job_id)
    harness.clock.advance(901)
    harness.vma.says["job-1"] = VMAStatus.UNANSWERED
    for job_id in ("job-1", "job-2"):
        await poller._poll_once(job_id)

    await monitor.check_jobs()

    stalled = [(await harness.app.job(job_id)).stalled_since is not None for job_id in ("job-1", "job-2")]
    assert stalled == [False, True]
