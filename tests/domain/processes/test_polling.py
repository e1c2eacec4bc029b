"""Every replicating job is polled once per interval; contact lost leads into recovery, never to an outcome."""

import asyncio
from collections import Counter
from itertools import pairwise

import pytest

from domain.events import Cause
from domain.lifecycle import JobState
from domain.processes.polling import Poller
from domain.vma_status import VMAStatus
from tests.builders import document
from tests.scenery import COMPLETED, RUNNING, Scenery, while_running

INTERVAL = 5.0


@pytest.fixture
def poller(scenery: Scenery) -> Poller:
    return Poller(
        scenery.app,
        scenery.contact,
        scenery.clock,
        scenery.log,
        awake=scenery.clock.monotonic,
        interval=INTERVAL,
        lose_contact=scenery.request,
    )


async def test_all_jobs_are_polled_equally_often(scenery: Scenery, poller: Poller) -> None:
    for n in range(40):
        job = await scenery.job(f"job-{n}")
        scenery.vma.says[job.id] = RUNNING
        poller.watch(job)

    await while_running(poller.run(), lambda: poller.polls >= 400)

    asked = Counter(scenery.vma.asked)
    assert len(asked) == 40
    assert max(asked.values()) < 2 * min(asked.values())


async def test_first_polls_come_soon_and_the_rest_spreads_over_the_interval(scenery: Scenery, poller: Poller) -> None:
    for n in range(100):
        poller.watch(await scenery.job(f"job-{n}"))

    first = [poller._agenda.due_at(f"job-{n}") or 0.0 for n in range(100)]
    second = sorted(live.second_due for live in poller.live.values())

    assert max(first) <= INTERVAL / 4
    gaps = [later - earlier for earlier, later in pairwise(second)]
    assert max(gaps) < 3 * INTERVAL / 100


async def test_what_is_not_material_stays_in_memory(scenery: Scenery, poller: Poller) -> None:
    job = await scenery.job()
    scenery.vma.says[job.id] = RUNNING
    poller.watch(job)

    await while_running(poller.run(), lambda: poller.polls >= 10)

    assert poller.live[job.id].polls >= 10
    assert await scenery.kinds() == ["JobRegistered", "VMAStatusObserved"]


async def test_a_completed_job_ends_by_observation(scenery: Scenery, poller: Poller) -> None:
    job = await scenery.job()
    scenery.vma.says[job.id] = COMPLETED
    poller.watch(job)
    scenery.app.subscribe(lambda changed, _: None if changed.is_open else poller.drop(changed.id))

    await while_running(poller.run(), lambda: not poller.live)

    assert (await scenery.app.job(job.id)).state is JobState.COMPLETED


@pytest.mark.parametrize("silence", [VMAStatus.NOT_FOUND, VMAStatus.UNREACHABLE, VMAStatus.UNINTELLIGIBLE])
async def test_contact_lost_leads_into_recovery(scenery: Scenery, poller: Poller, silence: VMAStatus) -> None:
    job = await scenery.job()
    scenery.vma.says[job.id] = silence
    poller.watch(job)

    await while_running(poller.run(), lambda: bool(scenery.requested))

    assert scenery.requested[0] == (job.id, Cause.CONTACT_LOST)
    assert poller.live[job.id].misses == 2
    assert (await scenery.app.job(job.id)).state is JobState.REPLICATING


async def test_a_job_that_may_not_have_started_is_polled_on(scenery: Scenery, poller: Poller) -> None:
    poller.watch(await scenery.job(percent=0))

    await while_running(poller.run(), lambda: poller.polls >= 8)

    assert scenery.requested == []


async def test_a_stalled_job_that_moves_again_is_no_longer_stalled(scenery: Scenery, poller: Poller) -> None:
    job = await scenery.job()
    scenery.vma.says[job.id] = RUNNING
    await scenery.app.observe(job.id, await scenery.contact.ask(job))
    await scenery.app.mark_stalled(job.id, scenery.clock.now())
    poller.watch(job)
    scenery.clock.advance(1)
    scenery.vma.says[job.id] = document(VMAStatus.RUNNING, 41.6)

    await while_running(poller.run(), lambda: poller.polls >= 3)

    assert (await scenery.kinds())[-1] == "JobMovedAgain"


async def test_proof_of_drive_waits_for_each_job_and_does_not_wait_for_one_that_left(
    scenery: Scenery, poller: Poller
) -> None:
    for job_id in ("job-1", "job-2"):
        job = await scenery.job(job_id)
        scenery.vma.says[job_id] = RUNNING
        poller.watch(job)
    proven: list[int] = []

    async def prove() -> None:
        proven.append(await poller.polled_again(["job-1", "job-2", "job-3"]))

    async def leave_and_poll() -> None:
        poller.drop("job-2")
        await poller.run()

    waiting = asyncio.ensure_future(prove())
    await asyncio.sleep(0)
    await while_running(leave_and_poll(), lambda: bool(proven))
    await waiting

    assert proven == [1]


async def test_a_machine_that_cannot_ask_tries_again_once_per_interval(scenery: Scenery, poller: Poller) -> None:
    job = await scenery.job()
    scenery.vma.out_of_reach = 10**6
    poller.watch(job)

    await while_running(poller.run(), lambda: scenery.clock.monotonic() > 20 * INTERVAL)

    assert 15 <= scenery.log.events.count("poll_could_not_ask") <= 25
