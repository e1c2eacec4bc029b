"""Every replicating job is polled once per interval; contact lost leads into recovery, never to an outcome."""

import asyncio
from collections import Counter
from itertools import pairwise

import msgspec
import pytest

from domain.events import Cause
from domain.lifecycle import JobState
from domain.processes.polling import Poller
from domain.vma_status import CONCLUSIVE, WORKER, Document, VMAStatus
from tests.support.builders import at, document
from tests.support.harness import COMPLETED, RUNNING, Harness, while_running

INTERVAL = 5.0


@pytest.fixture
def poller(harness: Harness) -> Poller:
    return Poller(
        harness.shared,
        awake=harness.clock.monotonic,
        interval=INTERVAL,
        on_contact_lost=harness.request,
    )


async def test_all_jobs_are_polled_equally_often(harness: Harness, poller: Poller) -> None:
    for n in range(40):
        job = await harness.job(f"job-{n}")
        harness.vma.says[job.id] = RUNNING
        poller.watch(job)

    await while_running(poller.run(), lambda: poller.polls >= 400)

    asked = Counter(harness.vma.asked)
    assert len(asked) == 40
    assert max(asked.values()) < 2 * min(asked.values())


async def test_first_polls_come_soon_and_the_rest_spreads_over_the_interval(harness: Harness, poller: Poller) -> None:
    began = harness.clock.monotonic()
    for n in range(100):
        poller.watch(await harness.job(f"job-{n}"))

    first = sorted(poller._schedule.due_at(f"job-{n}") or 0.0 for n in range(100))
    second = sorted(live.second_due for live in poller.live.values())

    for due, begin, length in ((first, began, INTERVAL / 10), (second, began + INTERVAL / 10, INTERVAL)):
        assert begin <= due[0] < due[-1] <= begin + length
        assert max(later - earlier for earlier, later in pairwise([begin, *due, begin + length])) < 3 * length / 100


async def test_the_second_poll_has_a_time_of_its_own_and_all_later_ones_follow_after_the_interval(
    harness: Harness, poller: Poller
) -> None:
    job = await harness.job()
    harness.vma.says[job.id] = RUNNING
    poller.watch(job)
    second, due = poller.live[job.id].second_due, []

    for _ in range(4):
        due.append(poller._schedule.due_at(job.id) or 0.0)
        harness.clock.advance(due[-1] - harness.clock.monotonic())
        async with asyncio.TaskGroup() as polls:
            poller._start_due(polls)

    assert due[1:] == pytest.approx([second, second + INTERVAL, second + 2 * INTERVAL])
    assert due[0] < second - INTERVAL / 10


@pytest.mark.parametrize("absent", [25.0, INTERVAL * 1.5, 3600.0])
async def test_after_a_suspend_all_jobs_are_polled_once_and_then_at_the_times_of_their_own_again(
    harness: Harness, poller: Poller, absent: float
) -> None:
    names = [f"job-{n}" for n in range(40)]
    for name in names:
        job = await harness.job(name)
        harness.vma.says[name] = RUNNING
        poller.watch(job)
    await while_running(poller.run(), lambda: min(live.polls for live in poller.live.values()) >= 2)
    before = {name: poller._schedule.due_at(name) or 0.0 for name in names}
    polls = poller.polls

    harness.clock.advance(absent)
    now = harness.clock.monotonic()
    async with asyncio.TaskGroup() as tasks:
        poller._start_due(tasks)

    assert poller.polls - polls == sum(due <= now for due in before.values()) > 0
    for name, due in before.items():
        after = poller._schedule.due_at(name) or 0.0
        assert now <= after <= now + INTERVAL
        assert (after - due) / INTERVAL == pytest.approx(round((after - due) / INTERVAL))


async def test_after_a_suspend_before_the_first_polls_the_later_ones_are_spread_over_the_interval(
    harness: Harness, poller: Poller
) -> None:
    for n in range(100):
        job = await harness.job(f"job-{n}")
        harness.vma.says[job.id] = RUNNING
        poller.watch(job)

    harness.clock.advance(25.0)
    now = harness.clock.monotonic()
    async with asyncio.TaskGroup() as tasks:
        poller._start_due(tasks)

    due = sorted(poller._schedule.due_at(f"job-{n}") or 0.0 for n in range(100))
    assert poller.polls == 100
    assert max(later - earlier for earlier, later in pairwise([now, *due, now + INTERVAL])) < 3 * INTERVAL / 100


async def test_what_is_not_material_stays_in_memory(harness: Harness, poller: Poller) -> None:
    job = await harness.job()
    harness.vma.says[job.id] = RUNNING
    poller.watch(job)

    await while_running(poller.run(), lambda: poller.polls >= 10)

    assert poller.live[job.id].polls >= 10
    assert await harness.kinds() == ["JobRegistered", "VMAStatusObserved"]


async def test_a_completed_job_ends_by_observation(harness: Harness, poller: Poller) -> None:
    job = await harness.job()
    harness.vma.says[job.id] = COMPLETED
    poller.watch(job)
    harness.app.subscribe(lambda changed, _: None if changed.is_open else poller.drop(changed.id))

    await while_running(poller.run(), lambda: not poller.live)

    assert (await harness.app.job(job.id)).state is JobState.COMPLETED


@pytest.mark.parametrize("silence", sorted(set(VMAStatus) - CONCLUSIVE))
async def test_contact_lost_leads_into_recovery(harness: Harness, poller: Poller, silence: VMAStatus) -> None:
    job = await harness.job()
    harness.vma.says[job.id] = silence
    poller.watch(job)

    await while_running(poller.run(), lambda: bool(harness.requested))

    assert harness.requested[0] == (job.id, Cause.CONTACT_LOST)
    assert (poller.live[job.id].misses, poller.live[job.id].polls) == (2, 2)
    assert (await harness.app.job(job.id)).state is JobState.REPLICATING


async def test_one_silence_is_not_enough(harness: Harness, poller: Poller) -> None:
    job = await harness.job()
    poller.watch(job)

    for said in (VMAStatus.UNREACHABLE, RUNNING, VMAStatus.UNREACHABLE):
        harness.vma.says[job.id] = said
        await poller._poll_once(job.id)

    assert (harness.requested, poller.live[job.id].misses) == ([], 1)


async def test_a_completion_in_doubt_is_for_recovery(harness: Harness, poller: Poller) -> None:
    """The VMA could not be asked at registration, so its `completed` may be an earlier job's."""
    harness.vma.says["job-1"] = VMAStatus.UNREACHABLE
    poller.watch(await harness.job())
    harness.vma.says["job-1"] = COMPLETED

    await while_running(poller.run(), lambda: bool(harness.requested))

    job = await harness.app.job("job-1")
    assert harness.requested == [("job-1", Cause.CONTACT_LOST)]
    assert (job.state, job.doubtful, job.seen_on_vma, poller.conclusive) == (JobState.REPLICATING, True, True, 0)


@pytest.mark.parametrize("left", [VMAStatus.NOT_FOUND, COMPLETED])
async def test_a_job_that_may_not_have_started_is_polled_on_for_the_start_up_grace(
    harness: Harness, poller: Poller, left: Document | VMAStatus
) -> None:
    """Its export shows nothing, or the document that an earlier job left."""
    harness.vma.says["job-1"] = left
    poller.watch(await harness.job(percent=0))

    await while_running(poller.run(), lambda: harness.clock.elapsed > harness.policy.startup_grace - 4 * INTERVAL)
    assert (harness.requested, poller.live["job-1"].misses > 50) == ([], True)
    await while_running(poller.run(), lambda: bool(harness.requested))

    assert harness.requested_at[0] < harness.policy.startup_grace + 6 * INTERVAL
    assert (await harness.app.job("job-1")).state is JobState.REPLICATING


class TestSlowVMA:
    """Each VMA is polled as fast as it answers, and how late that is shows."""

    @staticmethod
    async def two_vmas(harness: Harness, poller: Poller) -> None:
        for vma in ("quick", "slow"):
            job = await harness.job(f"on-{vma}", vma=vma)
            harness.vma.says[job.id] = RUNNING
            poller.watch(job)
        harness.vma.asked.clear()

    async def test_one_that_hangs_delays_only_its_own_polls(self, harness: Harness, poller: Poller) -> None:
        await self.two_vmas(harness, poller)
        harness.vma.hang("slow")

        await while_running(poller.run(), lambda: poller.polls >= 20)

        assert harness.vma.asked.count("on-slow") == 1
        assert harness.clock.elapsed < (poller.polls + 1) * INTERVAL
        assert poller.lags["quick"] < 0.2
        assert poller.lags["slow"] > 18 * INTERVAL
        assert poller.lag == poller.lags["slow"]

    async def test_once_it_answers_it_is_polled_as_before(self, harness: Harness, poller: Poller) -> None:
        await self.two_vmas(harness, poller)
        harness.vma.hang("slow")

        def polled_again() -> bool:
            if poller.polls >= 20:
                harness.vma.go_on()
            return poller.live["on-slow"].polls >= 3

        await while_running(poller.run(), polled_again)

        assert poller.lag < 0.2

    async def test_one_without_jobs_is_not_late(self, harness: Harness, poller: Poller) -> None:
        await self.two_vmas(harness, poller)
        harness.vma.hang("slow")
        await while_running(poller.run(), lambda: poller.polls >= 20)
        assert set(poller.lags) == {"quick", "slow"}

        poller.drop("on-slow")

        assert set(poller.lags) == {"quick"}
        assert poller.lag < 0.2

    async def test_a_poll_under_way_is_late_by_the_time_since_it_was_due_and_the_latest_counts(
        self, harness: Harness, poller: Poller
    ) -> None:
        for n in range(2):
            poller.watch(await harness.job(f"job-{n}"))
        due = [poller._schedule.due_at(f"job-{n}") or 0.0 for n in range(2)]
        harness.vma.hang("default")
        harness.clock.advance(max(due) + 0.25 - harness.clock.monotonic())

        async with asyncio.TaskGroup() as polls:
            poller._start_due(polls)
            late = poller.lag
            harness.vma.go_on()

        assert late == pytest.approx(max(due) + 0.25 - min(due))
        assert late < 1.0

    async def test_one_that_was_not_polled_yet_is_not_late(self, harness: Harness, poller: Poller) -> None:
        await self.two_vmas(harness, poller)

        assert poller.lags == {"quick": 0.0, "slow": 0.0}

    def test_without_any_job_nothing_is_late(self, poller: Poller) -> None:
        assert (poller.lags, poller.lag) == ({}, 0.0)


async def test_a_stalled_job_that_moves_again_is_no_longer_stalled(harness: Harness, poller: Poller) -> None:
    job = await harness.job()
    harness.vma.says[job.id] = RUNNING
    await harness.app.observe(job.id, await harness.contact.ask(job))
    await harness.app.mark_stalled(job.id, harness.clock.now())
    poller.watch(job)
    harness.clock.advance(1)
    harness.vma.says[job.id] = document(VMAStatus.RUNNING, 41.6)

    await while_running(poller.run(), lambda: poller.polls >= 3)

    assert (await harness.kinds())[-1] == "JobMovedAgain"


async def test_a_job_that_stalled_before_our_restart_and_stands_still_after_it_stays_stalled(
    harness: Harness, poller: Poller
) -> None:
    job = await harness.job()
    harness.vma.says[job.id] = RUNNING
    await harness.app.observe(job.id, await harness.contact.ask(job))
    await harness.app.mark_stalled(job.id, harness.clock.now())
    poller.watch(await harness.app.job(job.id))

    for _ in range(3):
        harness.clock.advance(INTERVAL)
        await poller._poll_once(job.id)

    assert (await harness.app.job(job.id)).stalled_since is not None
    assert "JobMovedAgain" not in await harness.kinds()


async def test_a_job_that_is_polled_from_now_on_has_last_moved_when_its_events_say(
    harness: Harness, poller: Poller
) -> None:
    job = await harness.job()
    harness.clock.advance(100)

    poller.watch(job)

    assert poller.live[job.id].moved_at == at(0)


async def test_proof_of_drive_waits_for_each_job_and_does_not_wait_for_one_that_left(
    harness: Harness, poller: Poller
) -> None:
    for job_id in ("job-1", "job-2"):
        job = await harness.job(job_id)
        harness.vma.says[job_id] = RUNNING
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


async def test_a_vma_that_cannot_be_asked_is_tried_once_per_interval(harness: Harness, poller: Poller) -> None:
    job = await harness.job()
    harness.vma.says[job.id] = VMAStatus.NOT_ASKED
    poller.watch(job)
    harness.vma.asked.clear()

    await while_running(poller.run(), lambda: harness.clock.elapsed > 20 * INTERVAL)

    assert 15 <= len(harness.vma.asked) <= 25


async def test_what_a_worker_reports_of_a_job_is_shown_and_is_no_poll(harness: Harness, poller: Poller) -> None:
    job, other = await harness.job(), await harness.job("job-2")
    poller.watch(job)

    for one in (job, other):
        harness.vma.says[one.id] = RUNNING
        poller.record(one, msgspec.structs.replace(await harness.contact.ask(one), source=WORKER))

    assert (poller.live[job.id].polls, poller.live[job.id].vma_status) == (0, VMAStatus.RUNNING)
    assert (poller.polls, poller.conclusive) == (0, 0)
    assert "job-2" not in poller.live


async def test_a_job_whose_polls_cannot_be_recorded_is_polled_on_and_so_is_another(
    harness: Harness, poller: Poller
) -> None:
    """The log is full from the first poll on; afterwards what is seen then is recorded."""
    for job_id in ("job-1", "job-2"):
        harness.vma.says[job_id] = RUNNING
        poller.watch(await harness.job(job_id))
    harness.make_writable(writable=False)

    for _ in range(3):
        harness.log.events.clear()
        until = harness.clock.elapsed + 3 * INTERVAL
        await while_running(poller.run(), lambda until=until: harness.clock.elapsed > until)  # type: ignore[misc]
        assert harness.log.events.count("poll_not_recorded") >= 4
        assert {job_id for job_id in poller.live if job_id in poller._schedule} == {"job-1", "job-2"}
    harness.make_writable(writable=True)
    await while_running(poller.run(), lambda: len(harness.event_log.events) == 6)  # type: ignore[union-attr]

    for job_id in ("job-1", "job-2"):
        assert await harness.kinds(job_id) == ["JobRegistered", "VMAStatusObserved"]


async def test_an_event_of_a_job_that_is_polled_already_leaves_its_polls_as_they_were(
    harness: Harness, poller: Poller
) -> None:
    job = await harness.job()
    harness.vma.says[job.id] = RUNNING
    poller.watch(job)
    await while_running(poller.run(), lambda: poller.polls >= 3)
    live, due = poller.live[job.id], poller._schedule.due_at(job.id)

    for _ in range(10):
        harness.clock.advance(0.01)
        poller.watch(job)

    assert poller.live[job.id] is live
    assert (live.polls, poller._schedule.due_at(job.id)) == (3, due)


async def test_a_poll_that_ends_after_its_job_left_and_came_back_leaves_the_due_time_of_the_new_watch(
    harness: Harness, poller: Poller
) -> None:
    job = await harness.job()
    harness.vma.says[job.id] = RUNNING
    poller.watch(job)
    harness.clock.advance(INTERVAL)
    harness.vma.hang("default")

    async with asyncio.TaskGroup() as polls:
        poller._start_due(polls)
        poller.drop(job.id)
        poller.watch(job)
        due = poller._schedule.due_at(job.id)
        harness.vma.go_on()

    assert due is not None
    assert poller._schedule.due_at(job.id) == due
    assert poller.lags == {"default": 0.0}


async def test_what_was_asked_of_a_job_that_has_left_meanwhile_counts_for_nothing(
    harness: Harness, poller: Poller
) -> None:
    """One is no longer polled; the other is still, but a recovery run has begun with it."""
    for job_id in ("left", "recovering", "running"):
        harness.vma.says[job_id] = COMPLETED
        poller.watch(await harness.job(job_id))
    harness.clock.advance(INTERVAL)
    harness.vma.hang("default")

    async with asyncio.TaskGroup() as polls:
        poller._start_due(polls)
        await asyncio.sleep(0)
        poller.drop("left")
        await harness.app.begin_recovery("recovering", "run-1", Cause.OPERATOR, "test")
        harness.vma.go_on()

    assert await harness.kinds("left") == ["JobRegistered"]
    assert await harness.kinds("recovering") == ["JobRegistered", "RecoveryStarted"]
    assert await harness.kinds("running") == ["JobRegistered", "VMAStatusObserved"]
    assert (poller.polls, poller.live["recovering"].polls, poller.live["running"].polls) == (1, 0, 1)
    assert harness.log.events == []


async def test_every_run_that_waits_for_a_poll_learns_of_the_first(harness: Harness, poller: Poller) -> None:
    for job_id in ("job-1", "job-2"):
        harness.vma.says[job_id] = RUNNING
        poller.watch(await harness.job(job_id))
    runs = [asyncio.ensure_future(poller.polled_again(ids)) for ids in (["job-1"], ["job-1", "job-2"], ["job-1"])]

    await asyncio.sleep(0)

    for job_id in ("job-1", "job-2"):
        await poller._poll_once(job_id)

    assert await asyncio.wait_for(asyncio.gather(*runs), timeout=5) == [1, 2, 1]
