"""A snapshot stands in for events, so it is believed only if it is the one that was stored."""

from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from adapters.event_store import SQLiteEventLog
from adapters.seals import verify
from adapters.sqlite import sqlite3
from domain.errors import StorageUnavailable
from domain.events import Trace
from domain.replication_job import ReplicationJob
from tests.builders import NOON


@pytest.fixture
def job() -> ReplicationJob:
    job = ReplicationJob(id="job-1")
    job.register("vm", "ctx-1", ("v1",), "default", 41.0, NOON, Trace("r", "r"))
    return job


@pytest.fixture
async def path(tmp_path: Path, job: ReplicationJob) -> Path:
    """Return a log with one job, and a snapshot of it."""
    path = tmp_path / "events.sqlite"
    log = SQLiteEventLog(path)
    await log.append(job.pending, [job.snapshot()])
    log.close()
    return path


def change(path: Path, statement: str, *values: object) -> int:
    with closing(sqlite3.connect(path)) as connection, connection:
        return int(connection.execute(statement, values).rowcount)


def snapshots(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT count(*) FROM stored_snapshots").fetchone()[0])


OTHERWISE = (
    "UPDATE stored_snapshots SET state = CAST(replace(CAST(state AS TEXT), ':41.0', ':95.0') AS BLOB)",
    "UPDATE stored_snapshots SET state = 'text'",
    "UPDATE stored_snapshots SET originator_id = 'job-2'",
    "UPDATE stored_snapshots SET originator_version = 9",
    "UPDATE stored_snapshots SET topic = 'snapshot:job'",
    "UPDATE stored_snapshots SET topic = replace(topic, 'job', 'run')",
)


async def test_a_snapshot_that_holds_is_used_and_kept(path: Path, job: ReplicationJob) -> None:
    log = SQLiteEventLog(path)

    assert await log.load(ReplicationJob, "job-1") == msgspec.structs.replace(job, pending=[])
    log.close()
    assert (log.dropped_snapshots, snapshots(path), verify(path).broken_at) == ([], 1, None)


@pytest.mark.parametrize("statement", OTHERWISE)
async def test_one_that_does_not_hold_is_named_and_dropped_at_the_next_start(
    path: Path, job: ReplicationJob, statement: str
) -> None:
    assert change(path, statement) == 1
    verdict = verify(path)
    assert verdict.broken_at == verdict.events + 1
    assert "all events hold, but the snapshot of job-" in (verdict.why or "")

    log = SQLiteEventLog(path)

    assert await log.load(ReplicationJob, "job-1") == msgspec.structs.replace(job, pending=[])
    log.close()
    assert (len(log.dropped_snapshots), snapshots(path), verify(path).broken_at) == (1, 0, None)


async def test_one_that_is_changed_while_the_log_is_open_is_not_believed(path: Path) -> None:
    log = SQLiteEventLog(path)
    change(path, OTHERWISE[0])

    with pytest.raises(StorageUnavailable, match=r"a snapshot \(job-1 version 1\).*restart the service"):
        await log.load(ReplicationJob, "job-1")
    log.close()
