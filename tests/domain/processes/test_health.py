"""No job unwatched, and no stalled job unnoticed."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from domain.events import Cause
from domain.processes.awake import AwakeTime
from domain.processes.health import HealthMonitor
from domain.processes.polling import Poller
from tests.support.builders import document
from tests.support.harness import RUNNING, Harness, while_running


def polling(scenery: Harness, awake: Callable[[], float]) -> Poller:
    return Poller(
        scenery.shared,
        awake=awake,
        interval=5.0,
        on_contact_lost=scenery.request,
    )


def monitoring(scenery: Harness, poller: Poller, awake: Callable[[], float]) -> HealthMonitor:
    return HealthMonitor(
        scenery.shared,
        poller,
        awake=awake,
        stale_after=30.0,
        stalled_after=900.0,
        recover=scenery.request,
    )


@pytest.fixture
def poller(scenery: Harness) -> Poller:
    return polling(scenery, scenery.clock.monotonic)


@pytest.fixture
def monitor(scenery: Harness, poller: Poller) -> HealthMonitor:
    return monitoring(scenery, poller, scenery.clock.monotonic)


async def test_a_job_that_nobody_polled_goes_back_into_recovery(
    scenery: Harness, poller: Poller, monitor: HealthMonitor
) -> None:
    poller.watch(await scenery.job())
    scenery.clock.advance(30.0)
    await monitor.check_jobs()
    assert scenery.requested == []

    scenery.clock.advance(0.1)
    await monitor.check_jobs()

    assert scenery.requested == [("job-1", Cause.STALE)]


async def test_a_job_that_is_polled_is_not_stale_for_as_long_as_it_is(
    scenery: Harness, poller: Poller, monitor: HealthMonitor
) -> None:
    job = await scenery.job()
    scenery.vma.says[job.id] = RUNNING
    poller.watch(job)
    await while_running(poller.run(), lambda: scenery.clock.monotonic() > 100)
    await monitor.check_jobs()
    assert scenery.requested == []

    scenery.clock.advance(31.0)
    await monitor.check_jobs()

    assert scenery.requested == [(job.id, Cause.STALE)]


async def test_a_poll_that_is_under_way_is_no_neglect_and_a_vma_that_is_polled_late_is_reported(
    scenery: Harness, poller: Poller, monitor: HealthMonitor
) -> None:
    for job_id, vma in (("job-1", "slow"), ("job-2", "quick")):
        job = await scenery.job(job_id, vma=vma)
        scenery.vma.says[job_id] = RUNNING
        poller.watch(job)
    scenery.vma.hang("slow")
    running = asyncio.ensure_future(poller.run())

    for until, late in ((5.0, []), (60.0, ["vma_polled_late"])):
        await while_running(asyncio.sleep(60), lambda until=until: scenery.clock.monotonic() > until)  # type: ignore[misc]
        await monitor.check_jobs()
        await monitor.check_jobs()
        assert (scenery.log.events[1:], scenery.requested) == (late, [])

    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
def awake(scenery: Harness) -> AwakeTime:
    return AwakeTime(scenery.clock)


async def test_our_own_absence_makes_no_job_stale_or_stalled(scenery: Harness, awake: AwakeTime) -> None:
    """The process is stopped for a day while one job is polled and another never was."""
    poller = polling(scenery, awake)
    monitor = monitoring(scenery, poller, awake)
    polled = await scenery.job("job-1")
    scenery.vma.says[polled.id] = RUNNING
    poller.watch(polled)
    poller.watch(await scenery.job("job-2"))
    poller.record(polled, await scenery.contact.ask(polled))
    scenery.clock.advance(86_400.0)

    await monitor.check_jobs()
    assert (scenery.requested, await scenery.kinds()) == ([], ["JobRegistered"])

    for _ in range(31):
        scenery.clock.advance(1.0)
        awake()
    await monitor.check_jobs()
    assert scenery.requested == [("job-1", Cause.STALE), ("job-2", Cause.STALE)]


@pytest.mark.parametrize("step", [86_400.0, -86_400.0])
async def test_a_step_of_the_machines_clock_stalls_no_job(
    scenery: Harness, poller: Poller, monitor: HealthMonitor, step: float
) -> None:
    job = await scenery.job()
    scenery.vma.says[job.id] = RUNNING
    poller.watch(job)
    await while_running(poller.run(), lambda: scenery.clock.monotonic() > 100)
    scenery.clock.step(step)
    await while_running(poller.run(), lambda: scenery.clock.monotonic() > 200)

    await monitor.check_jobs()
    assert "JobStalled" not in await scenery.kinds()

    await while_running(poller.run(), lambda: scenery.clock.monotonic() > 910)
    await monitor.check_jobs()
    assert (await scenery.kinds()).count("JobStalled") == 1
    assert scenery.requested == []


async def test_a_running_job_whose_figures_do_not_move_is_marked_stalled_once(
    scenery: Harness, poller: Poller, monitor: HealthMonitor
) -> None:
    job = await scenery.job()
    scenery.vma.says[job.id] = RUNNING
    poller.watch(job)
    await while_running(poller.run(), lambda: scenery.clock.monotonic() > 901)

    await monitor.check_jobs()
    await monitor.check_jobs()

    stalled = await scenery.app.job(job.id)
    assert (await scenery.kinds()).count("JobStalled") == 1
    assert stalled.is_open
    assert stalled.stalled_since is not None
    assert scenery.clock.now() - stalled.stalled_since > timedelta(seconds=900)


@pytest.mark.parametrize("step", [0.0, 86_400.0, -86_400.0])
async def test_a_stalled_job_that_moves_again_is_no_longer_stalled_however_the_clock_was_set(
    scenery: Harness, poller: Poller, monitor: HealthMonitor, step: float
) -> None:
    job = await scenery.job()
    scenery.vma.says[job.id] = RUNNING
    poller.watch(job)
    await while_running(poller.run(), lambda: scenery.clock.monotonic() > 910)
    await monitor.check_jobs()
    await while_running(poller.run(), lambda: scenery.clock.monotonic() > 920)
    assert (await scenery.app.job(job.id)).stalled_since is not None

    scenery.clock.step(step)
    scenery.vma.says[job.id] = document(percent=41.6)
    await while_running(poller.run(), lambda: scenery.clock.monotonic() > 930)

    assert (await scenery.kinds())[-1] == "JobMovedAgain"
    assert (await scenery.app.job(job.id)).stalled_since is None


async def test_a_job_that_stalls_again_is_marked_again(
    scenery: Harness, poller: Poller, monitor: HealthMonitor
) -> None:
    job = await scenery.job()
    poller.watch(job)
    for n in range(2):
        scenery.vma.says[job.id] = document(percent=40.0 + n)
        until = scenery.clock.monotonic() + 910
        await while_running(poller.run(), lambda until=until: scenery.clock.monotonic() > until)  # type: ignore[misc]
        await monitor.check_jobs()

    kinds = await scenery.kinds()

    assert (kinds.count("JobStalled"), kinds.count("JobMovedAgain"), kinds[-1]) == (2, 1, "JobStalled")


async def test_a_job_that_moves_a_little_is_not_stalled(
    scenery: Harness, poller: Poller, monitor: HealthMonitor
) -> None:
    job = await scenery.job()
    scenery.vma.says[job.id] = RUNNING
    poller.watch(job)
    await while_running(poller.run(), lambda: scenery.clock.monotonic() > 800)
    scenery.vma.says[job.id] = document(percent=41.6)
    await while_running(poller.run(), lambda: scenery.clock.monotonic() > 1000)

    await monitor.check_jobs()

    assert "JobStalled" not in await scenery.kinds()
