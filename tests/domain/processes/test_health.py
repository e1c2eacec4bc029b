"""No job unwatched, and no stalled job unnoticed."""

from datetime import timedelta

import pytest

from domain.events import Cause
from domain.processes.health import HealthMonitor
from domain.processes.polling import Poller
from tests.builders import document
from tests.scenery import RUNNING, Scenery, while_running


@pytest.fixture
def poller(scenery: Scenery) -> Poller:
    return Poller(
        scenery.app,
        scenery.contact,
        scenery.clock,
        scenery.log,
        awake=scenery.clock.monotonic,
        interval=5.0,
        lose_contact=scenery.request,
    )


@pytest.fixture
def monitor(scenery: Scenery, poller: Poller) -> HealthMonitor:
    return HealthMonitor(
        scenery.app,
        poller,
        scenery.clock,
        scenery.log,
        awake=scenery.clock.monotonic,
        stale_after=30.0,
        stalled_after=900.0,
        recover=scenery.request,
    )


async def test_a_job_that_nobody_polled_goes_back_into_recovery(
    scenery: Scenery, poller: Poller, monitor: HealthMonitor
) -> None:
    poller.watch(await scenery.job())
    scenery.clock.advance(30.0)
    await monitor.look()
    assert scenery.requested == []

    scenery.clock.advance(0.1)
    await monitor.look()

    assert scenery.requested == [("job-1", Cause.STALE)]


async def test_a_poller_that_cannot_keep_up_is_reported_and_not_made_worse(
    scenery: Scenery, poller: Poller, monitor: HealthMonitor
) -> None:
    poller.watch(await scenery.job())
    poller.lag = 31.0
    scenery.clock.advance(60.0)

    await monitor.look()

    assert (scenery.requested, scenery.log.events) == ([], ["progress_poller_overloaded"])


async def test_a_running_job_whose_figures_do_not_move_is_marked_stalled_once(
    scenery: Scenery, poller: Poller, monitor: HealthMonitor
) -> None:
    job = await scenery.job()
    scenery.vma.says[job.id] = RUNNING
    poller.watch(job)
    await while_running(poller.run(), lambda: scenery.clock.monotonic() > 901)

    await monitor.look()
    await monitor.look()

    stalled = await scenery.app.job(job.id)
    assert (await scenery.kinds()).count("JobStalled") == 1
    assert stalled.is_open
    assert stalled.stalled_since is not None
    assert scenery.clock.now() - stalled.stalled_since > timedelta(seconds=900)


async def test_a_job_that_moves_a_little_is_not_stalled(
    scenery: Scenery, poller: Poller, monitor: HealthMonitor
) -> None:
    job = await scenery.job()
    scenery.vma.says[job.id] = RUNNING
    poller.watch(job)
    await while_running(poller.run(), lambda: scenery.clock.monotonic() > 800)
    scenery.vma.says[job.id] = document(percent=41.6)
    await while_running(poller.run(), lambda: scenery.clock.monotonic() > 1000)

    await monitor.look()

    assert "JobStalled" not in await scenery.kinds()
