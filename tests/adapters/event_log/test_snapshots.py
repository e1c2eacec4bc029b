"""A snapshot replaces events only if it is unchanged, and every job can be loaded without it."""

from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from adapters.event_log import snapshots
from adapters.event_log.seals import verify
from adapters.event_log.sqlite import sqlite3
from adapters.event_log.sqlite_store import SQLiteEventLog
from adapters.event_log.stream_check import check_streams
from domain.aggregate import Snapshot
from domain.events import Cause, Trace
from domain.replication_job import ReplicationJob
from tests.support.builders import NOON, registration
from tests.support.harness import RecordingLog


@pytest.fixture
def job() -> ReplicationJob:
    job = ReplicationJob(id="job-1")
    job.register(registration(job.id, vm_context_id="ctx-1", progress_percent=41.0), NOON, Trace("r", "r"))
    return job


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.sqlite"


def execute(path: Path, statement: str) -> int:
    with closing(sqlite3.connect(path)) as connection, connection:
        return int(connection.execute(statement).rowcount)


def stored(job: ReplicationJob) -> ReplicationJob:
    return msgspec.structs.replace(job, pending=[])


def marked(job: ReplicationJob) -> Snapshot:
    """Return a snapshot that differs from the fold of its events."""
    return msgspec.structs.replace(job, vm_name="from the snapshot").snapshot()


CHANGES = (
    "UPDATE stored_snapshots SET state = CAST(replace(CAST(state AS TEXT), ':41.0', ':95.0') AS BLOB)",
    "UPDATE stored_snapshots SET state = 'text'",
    "UPDATE stored_snapshots SET originator_version = 0",
    "UPDATE stored_snapshots SET topic = 'snapshot:job'",
    "UPDATE stored_snapshots SET topic = replace(topic, 'job', 'run')",
)


async def test_a_snapshot_replaces_the_events_before_it(path: Path, job: ReplicationJob) -> None:
    log = SQLiteEventLog(path)
    await log.append(job.pending, [marked(job)])
    job.pending.clear()
    job.begin_recovery("run-1", Cause.RESTART, NOON, "instance")
    await log.append(job.pending)

    (as_registered,) = await log.load_versions(ReplicationJob, [("job-1", 1)])
    present = await log.load(ReplicationJob, "job-1")

    assert present == msgspec.structs.replace(job, vm_name="from the snapshot", pending=[])
    assert (as_registered.version, as_registered.vm_name) == (1, "from the snapshot")
    log.close()


@pytest.mark.parametrize("statement", CHANGES)
async def test_a_changed_snapshot_is_not_used_and_the_log_is_verified(
    path: Path, job: ReplicationJob, statement: str
) -> None:
    log = SQLiteEventLog(path)
    await log.append(job.pending, [marked(job)])
    assert execute(path, statement) == 1

    assert await log.load(ReplicationJob, "job-1") == stored(job)
    log.close()
    again = SQLiteEventLog(path)
    assert await again.load(ReplicationJob, "job-1") == stored(job)
    again.close()
    assert verify(path).broken_at is None


async def test_a_snapshot_that_other_code_folded_is_not_used(
    path: Path, job: ReplicationJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = SQLiteEventLog(path)
    with monkeypatch.context() as before:
        before.setattr(snapshots, "_code", lambda: b"an older version")
        await log.append(job.pending, [marked(job)])

    assert await log.load(ReplicationJob, "job-1") == stored(job)
    log.close()


async def test_a_snapshot_that_cannot_be_written_fails_no_command(path: Path, job: ReplicationJob) -> None:
    logger = RecordingLog()
    log = SQLiteEventLog(path, logger=logger)
    trigger = "CREATE TRIGGER no BEFORE INSERT ON stored_snapshots BEGIN SELECT RAISE(ABORT, 'no room'); END"
    execute(path, trigger)

    position = await log.append(job.pending, [marked(job)])

    assert position == 1
    assert logger.events == ["snapshots_not_stored"]
    assert await log.load(ReplicationJob, "job-1") == stored(job)
    log.close()


async def with_snapshots(path: Path, job: ReplicationJob, forged_at: int | None) -> None:
    """Store a job of three events with a snapshot of each version, one of them forged."""
    log = SQLiteEventLog(path)
    for version in (1, 2, 3):
        if version > 1:
            job.mark_stalled(NOON, NOON) if version == 2 else job.begin_recovery("run-1", Cause.STALE, NOON, "x")
        events = list(job.pending)
        job.pending.clear()
        await log.append(events, [marked(job) if version == forged_at else job.snapshot()])
    log.close()


@pytest.mark.parametrize("forged_at", [None, 1, 2, 3])
async def test_a_forged_snapshot_of_any_version_is_found(
    path: Path, job: ReplicationJob, forged_at: int | None
) -> None:
    await with_snapshots(path, job, forged_at)

    found = check_streams(path).forged

    assert (found and found.originator_version) == forged_at
    assert verify(path).broken_at is None


@pytest.mark.parametrize("change", [{"id": "job-2"}, {"version": 9}])
async def test_a_snapshot_of_a_stream_or_version_that_does_not_exist_is_forged(
    path: Path, job: ReplicationJob, change: dict[str, object]
) -> None:
    log = SQLiteEventLog(path)
    other = msgspec.structs.replace(job, **change).snapshot()
    await log.append(job.pending, [job.snapshot(), other])
    log.close()

    assert check_streams(path).forged == other


@pytest.mark.parametrize("statement", CHANGES)
async def test_a_snapshot_that_would_not_be_used_is_not_reported_as_forged(
    path: Path, job: ReplicationJob, statement: str
) -> None:
    await with_snapshots(path, job, None)
    execute(path, statement + " WHERE originator_version = 2")

    assert check_streams(path).forged is None


async def test_a_version_before_a_snapshot_is_folded_from_its_events_and_one_after_it_from_the_snapshot(
    path: Path, job: ReplicationJob
) -> None:
    log = SQLiteEventLog(path)
    for n in range(3):
        job.begin_recovery(f"run-{n}", Cause.RESTART, NOON, "instance")
        await log.append(job.pending, [marked(job)] if n == 1 else ())
        job.pending.clear()

    then = await log.load_versions(ReplicationJob, [("job-1", version) for version in range(1, 5)])

    assert [(found.version, found.run_id) for found in then] == [(1, None), (2, "run-0"), (3, "run-1"), (4, "run-2")]
    assert [found.vm_name for found in then] == ["vm", "vm", *["from the snapshot"] * 2]
    log.close()
