"""The invariants of a data directory after any of its writes has failed."""

import asyncio
from collections import Counter
from pathlib import Path

from adapters.event_log.sqlite import sqlite3
from adapters.event_log.sqlite_store import SQLiteEventLog
from adapters.event_log.sqlite_stored_log import verify
from adapters.host.clock import SystemClock
from adapters.null_logger import NullLogger
from domain.application import JobRecovery
from domain.events import Cause, Event, JobAdmitted, JobReleased, RecoveryDecided
from domain.recovery_policy import Policy
from domain.replication_job import ReplicationJob
from domain.vma_status import VMAStatus
from projections.read_model.model_file import open_read_model
from projections.read_model.projector import Projector
from tests.faults.workload import confirmed, seen
from tests.support.read_model import rows_of


def check(data_dir: Path, acknowledged: list[str]) -> None:
    """Restart on a data directory, and check that no event is lost or doubled, and no open job unwatched.

    Raises:
        AssertionError: an invariant is violated.

    """
    asyncio.run(_check(data_dir, acknowledged))


async def _check(data_dir: Path, acknowledged: list[str]) -> None:
    log = SQLiteEventLog(data_dir / "events.sqlite")
    engine, fresh = (open_read_model(data_dir / name, sqlite3) for name in ("read_model.sqlite", "fresh.sqlite"))
    try:
        events = [event for _, event in await log.read_from(0, 10_000)]
        _check_log(data_dir, events, acknowledged)
        for model in (engine, fresh):
            await Projector(model, log, SystemClock(), NullLogger()).catch_up()
        assert rows_of(engine) == rows_of(fresh), "the read model differs from a rebuild"
        await _check_recovery(log, events)
    finally:
        log.close()
        engine.dispose()
        fresh.dispose()


def _check_log(data_dir: Path, events: list[Event], acknowledged: list[str]) -> None:
    refs = [event.ref for event in events]
    assert set(acknowledged) <= set(refs), f"lost: {set(acknowledged) - set(refs)}"
    assert len(refs) == len(set(refs)), "an event is there twice"
    count = Counter(event.originator_id for event in events)
    last = {event.originator_id: event.originator_version for event in events}
    assert count == last, "a stream has a gap"
    decided = Counter((event.originator_id, event.run_id) for event in events if isinstance(event, RecoveryDecided))
    assert set(decided.values()) <= {1}, f"decided twice: {decided}"
    verdict = verify(data_dir / "events.sqlite")
    assert (verdict.broken_at, verdict.events) == (None, len(events)), verdict
    for context in {e.originator_id for e in events if isinstance(e, JobAdmitted)}:
        kinds = [type(e) for e in events if e.originator_id == context]
        assert kinds in ([JobAdmitted], [JobAdmitted, JobReleased]), f"{context}: {kinds}"


async def _check_recovery(log: SQLiteEventLog, events: list[Event]) -> None:
    ids = {event.originator_id for event in events if type(event).__name__ == "JobRegistered"}
    jobs = await log.load_many(ReplicationJob, sorted(ids))
    expected = sorted(job.id for job in jobs.values() if job.is_open)
    app = JobRecovery(log, SystemClock(), Policy(confirmation_window=0.0, confirmation_probes=1))
    assert sorted(await app.open_jobs()) == expected, "an open job is not found by a restart"
    for job_id in expected:
        await app.begin_recovery(job_id, "run-2", Cause.RESTART, "after the fault")
        running = seen(job_id, VMAStatus.RUNNING, 90.0)
        decision = await app.recover(job_id, "run-2", running, confirmed(running.status), lambda _: 1.0)
        assert decision is not None
