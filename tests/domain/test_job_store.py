"""The job store: loads, conflicts, snapshots, and what is known of events that are stored late."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from domain.application import JobRecovery
from domain.errors import (
    IllegalTransition,
    NotFound,
    StorageUnavailable,
    VolumeBusy,
)
from domain.events import Cause
from domain.lifecycle import JobState
from domain.processes.registration import Registrar
from domain.recovery_policy import Outcome
from domain.replication_job import ReplicationJob
from domain.vma_status import VMAStatus
from tests.support.builders import document
from tests.support.harness import COMPLETED, REQUEST, RUNNING, Harness, asked
from tests.support.logs import execute
from tests.support.memory_log import MemoryLog


async def test_a_job_that_changes_while_many_are_loaded_is_watched_as_it_is_now(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start loads the guesses while workers report already: one of them may be reopened meanwhile."""
    await harness.app.register(asked(), REQUEST)
    before = await harness.event_log.load_many(ReplicationJob, ["job-1"])
    await harness.app.begin_recovery("job-1", "run-1", Cause.RESTART, "test")

    async def loaded_before(*_: object) -> dict[str, ReplicationJob]:
        return before

    monkeypatch.setattr(harness.event_log, "load_many", loaded_before)
    (preloaded,) = await harness.app.preload(["job-1"])

    assert preloaded.state is (await harness.app.job("job-1")).state is JobState.RECOVERING


async def test_a_job_that_ends_while_many_are_loaded_is_not_open_again(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    for job_id in ("job-1", "job-2"):
        await harness.app.register(asked(job_id), REQUEST)
    loads = harness.event_log.load_many

    async def loaded_before(*asked_for: Any) -> dict[str, ReplicationJob]:
        before = await loads(*asked_for)
        await harness.app.operator_decide("job-1", Outcome.FAIL, "mara", "gone", REQUEST)
        return before

    monkeypatch.setattr(harness.event_log, "load_many", loaded_before)
    ended, running = await harness.app.preload(["job-1", "job-2"])
    monkeypatch.setattr(harness.event_log, "load_many", loads)
    again = await harness.app.preload(["job-1", "job-2"])

    assert [(job.state, job.id) for job in again] == [(ended.state, "job-1"), (running.state, "job-2")]
    assert (ended.state, running.state) == (JobState.FAILED, JobState.REPLICATING)
    assert [job.id for job in harness.app.watched] == ["job-2"]


async def test_after_somebody_else_wrote_first_the_command_is_decided_again(harness: Harness) -> None:
    job = await harness.job()
    elsewhere = await harness.event_log.load(ReplicationJob, job.id)
    assert elsewhere is not None
    elsewhere.operator_decide(Outcome.FAIL, "mara", "from another instance", harness.clock.now(), REQUEST)
    await harness.event_log.append(elsewhere.collect_events())

    with pytest.raises(IllegalTransition, match="job-1 is failed"):
        await harness.app.begin_recovery(job.id, "run-1", Cause.RESTART, "test")

    assert await harness.kinds() == ["JobRegistered", "OperatorDecided"]


async def test_a_write_that_fails_leaves_no_poisoned_job_behind(harness: Harness) -> None:
    job = await harness.job()
    harness.make_writable(writable=False)
    with pytest.raises(StorageUnavailable, match=r"the event log cannot be written: .*read-?only"):
        await harness.app.begin_recovery(job.id, "run-1", Cause.RESTART, "test")
    harness.make_writable(writable=True)

    await harness.app.begin_recovery(job.id, "run-2", Cause.RESTART, "test")

    stored = [event for event in await harness.events() if event.originator_id == job.id]
    assert [event.originator_version for event in stored] == [1, 2]
    assert (await harness.app.job(job.id)).run_id == "run-2"


async def test_a_job_whose_events_are_refused_is_known_although_the_log_cannot_be_read_either() -> None:
    log = MemoryLog()
    harness = Harness(log)
    await harness.job("job-1")
    await harness.app.begin_recovery("job-1", "run-1", Cause.RESTART, "test")
    log.writable = False
    log.unreadable.add("job-1")

    for _ in range(2):
        with pytest.raises(StorageUnavailable, match="cannot be written"):
            await harness.app.begin_recovery("job-1", "run-2", Cause.RESTART, "test")

    known = await harness.app.job("job-1")
    assert (known.run_id, known.version, known.pending) == ("run-1", 2, [])


async def test_what_is_last_known_of_a_job_is_in_memory_or_is_read() -> None:
    log = MemoryLog()
    await Harness(log).job("job-1")
    restarted = Harness(log).app
    assert (await restarted.last_known("job-1")).id == "job-1"
    await restarted.preload(["job-1"])

    log.unreadable |= {"job-1", "job-2"}

    assert (await restarted.last_known("job-1")).id == "job-1"
    with pytest.raises(StorageUnavailable, match="job-2 cannot be read"):
        await restarted.last_known("job-2")
    with pytest.raises(NotFound, match="there is no job job-3"):
        await restarted.last_known("job-3")


async def test_a_job_that_another_process_has_changed_is_read_again(harness: Harness) -> None:
    job = await harness.job()
    await JobRecovery(harness.event_log, harness.clock, harness.app.policy).begin_recovery(
        job.id, "run-1", Cause.RESTART, "test"
    )

    await harness.app.begin_recovery(job.id, "run-2", Cause.RESTART, "test")

    assert [event.originator_version for event in await harness.events() if event.originator_id == job.id] == [1, 2, 3]


async def test_a_long_history_is_loaded_from_a_snapshot(harness: Harness, tmp_path: Path) -> None:
    job = await harness.job()
    for n in range(120):
        harness.vma.says[job.id] = document(VMAStatus.RUNNING, float(n % 2 * 50))
        await harness.app.observe(job.id, await harness.contact.ask(await harness.app.job(job.id)))
    present = await harness.app.job(job.id)

    loaded = await harness.event_log.load(ReplicationJob, job.id)

    assert loaded == present
    assert snapshots_in(tmp_path) == [100]


def snapshots_in(data_dir: Path) -> list[int]:
    """Return the versions of which there is a snapshot."""
    return [version for (version,) in execute(data_dir, "SELECT originator_version FROM stored_snapshots ORDER BY 1")]


async def at_version(harness: Harness, version: int) -> None:
    """Record progress of the job until it has this version."""
    while (job := await harness.app.job("job-1")).version < version:
        harness.vma.says[job.id] = document(VMAStatus.RUNNING, 10.0 if job.progress_percent > 50 else 60.0)
        await harness.app.observe(job.id, await harness.contact.ask(job))


async def test_a_save_that_crosses_an_interval_takes_a_snapshot_wherever_it_ends(
    harness: Harness, tmp_path: Path
) -> None:
    """A recovery stores an observation and a decision at once: versions 100 and 101, and then 200 and 201."""
    await harness.job()

    for interval in (100, 200):
        await at_version(harness, interval - 2)
        before = snapshots_in(tmp_path)
        decided = await harness.decided("job-1")

        assert decided.version == interval + 1
        assert snapshots_in(tmp_path) == [*before, interval + 1]
        assert await harness.event_log.load(ReplicationJob, "job-1") == decided


async def test_nobody_sees_a_change_before_it_is_durable() -> None:
    harness = Harness(MemoryLog())
    job = await harness.job()
    harness.vma.says[job.id] = COMPLETED
    observation = await harness.contact.ask(job)
    harness.make_writable(writable=False)

    writing = asyncio.ensure_future(harness.app.observe(job.id, observation))
    seen = set()
    while not writing.done():
        seen.add((await harness.app.job(job.id)).state)
        await asyncio.sleep(0)

    assert isinstance(writing.exception(), StorageUnavailable)
    assert seen == {JobState.REPLICATING}


async def test_the_open_jobs_are_found_in_the_log_alone(harness: Harness) -> None:
    for name in ("job-2", "job-1", "job-3", "job-4"):
        await harness.job(name)
    await harness.app.operator_decide("job-3", Outcome.FAIL, "mara", "gone", REQUEST)
    assert (await harness.decided("job-4")).is_guess
    harness.vma.says["job-4"] = RUNNING
    await harness.app.revise("job-4", await harness.contact.ask(await harness.app.job("job-4")))

    restarted = JobRecovery(harness.event_log, harness.clock, harness.policy)

    assert await restarted.open_jobs() == ["job-2", "job-1", "job-4"]


async def test_events_that_are_stored_although_their_command_was_refused_are_told_once(harness: Harness) -> None:
    told: list[tuple[str, list[str]]] = []
    harness.app.subscribe(lambda job, events: told.append((job.id, [event.topic for event in events])))
    await harness.job("job-2")
    elsewhere = JobRecovery(harness.event_log, harness.clock, harness.policy)
    for job_id in ("job-3", "job-1"):
        await Registrar(elsewhere, harness.contact).register(asked(job_id), REQUEST)
    await elsewhere.begin_recovery("job-3", "run-1", Cause.RESTART, "test")
    told.clear()
    late = [event for event in await harness.events() if event.originator_id != "job-2"]

    harness.app.forget(late)
    await harness.app.take_in(late)

    assert told == [("job-1", ["JobRegistered"]), ("job-3", ["JobRegistered", "RecoveryStarted"])]
    assert {job.id for job in harness.app.watched} == {"job-1", "job-2", "job-3"}


async def test_the_volumes_of_a_registration_that_was_refused_although_it_is_stored_are_taken(harness: Harness) -> None:
    await harness.job("job-2")
    elsewhere = JobRecovery(harness.event_log, harness.clock, harness.policy)
    await Registrar(elsewhere, harness.contact).register(asked("job-1"), REQUEST)

    harness.app.forget((await harness.events())[-2:])

    other = msgspec.structs.replace(asked("job-3"), volume_ids=("disk-of-job-1",))
    with pytest.raises(VolumeBusy, match="belongs to the open job job-1"):
        await harness.app.register(other, REQUEST)


async def test_events_that_are_stored_late_are_told_as_soon_as_their_job_can_be_read() -> None:
    log = MemoryLog()
    harness = Harness(log)
    await harness.job("job-1")
    told: list[str] = []
    harness.app.subscribe(lambda job, _: told.append(job.id))
    log.unreadable.add("job-1")
    harness.app.forget(log.events)
    before = harness.clock.elapsed

    taking_in = asyncio.ensure_future(harness.app.take_in(log.events))
    for _ in range(20):
        await asyncio.sleep(0)
    assert told == []
    assert harness.clock.elapsed > before, "the log is asked without a pause"
    log.unreadable.clear()
    await taking_in

    assert told == ["job-1"]
