"""A fixed workload on a data directory, run as a process of its own with failing writes.

    python -m tests.faults.workload DATA_DIR

Registers, observes, recovers, decides and projects. Prints the events of every append that was acknowledged.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from adapters.event_log.sqlite import sqlite3
from adapters.event_log.sqlite_store import SQLiteEventLog
from adapters.host.clock import SystemClock
from adapters.null_logger import NullLogger
from domain.aggregate import Snapshot
from domain.application import JobRecovery
from domain.errors import JobRecoveryError, StorageUnavailable
from domain.events import Cause, Event, Trace
from domain.evidence import Circumstances, Silence
from domain.observing import observe
from domain.ports import ProbeTarget
from domain.recovery_policy import Policy
from domain.recovery_run import RunTotals
from domain.replication_job import Registration
from domain.run_book import RunBook
from domain.vma_status import Answer, Document, Observation, VMAStatus, export_name
from projections.read_model.model_file import open_read_model
from projections.read_model.projector import Projector

JOBS = ("runs", "ends", "vanishes")
TRACE = Trace("request-1", "request-1")
TRIES = 3


class PrintingEventLog(SQLiteEventLog):
    """The real event log, which prints the events that it acknowledged."""

    async def append(
        self, events: Sequence[Event], snapshots: Sequence[Snapshot] = (), *, as_owner_of: str | None = None
    ) -> int:
        position = await super().append(events, snapshots, as_owner_of=as_owner_of)
        print(*(event.ref for event in events), flush=True)
        return position


def seen(job_id: str, status: VMAStatus, percent: float | None = None) -> Observation:
    """Return an observation of a job with one disk."""
    document = Document(status=status, phase="Transfer", progress_percent=percent) if percent is not None else None
    answer = Answer(asked_id=export_name(job_id), status=status, document=document)
    now = SystemClock().now()
    return observe(ProbeTarget(job_id, "default", (job_id,)), {job_id: answer}, observed_at=now)


def confirmed(status: VMAStatus) -> Circumstances:
    """Return circumstances in which this status is confirmed."""
    return Circumstances(silence=Silence(status=status, duration=1.0, probes=1), without_contact=1.0)


async def retry(work: Callable[[], Awaitable[object]]) -> None:
    """Try a few times; after a refusal the workload continues without this step."""
    for _ in range(TRIES):
        try:
            await work()
        except StorageUnavailable:
            continue
        except JobRecoveryError as refused:
            # It was stored without an acknowledgement, or its job was never registered.
            print("refused:", refused, file=sys.stderr)
        return


async def project(projector: Projector) -> None:
    """Update the read model with retries, as the service does."""
    for _ in range(TRIES):
        try:
            await projector.catch_up()
        except (StorageUnavailable, SQLAlchemyError):
            continue
        return


async def work(log: SQLiteEventLog, projector: Projector) -> None:
    """Register three jobs, observe them, and recover them after a restart."""
    clock, policy = SystemClock(), Policy(confirmation_window=0.0, confirmation_probes=1)
    app = JobRecovery(log, clock, policy)
    runs = RunBook(log, clock, NullLogger(), "faults", lambda: "run-1")
    for name in JOBS:
        asked = Registration(job_id=name, vm_name=name, vm_context_id=f"vm-{name}", volume_ids=(name,), vma="default")
        await retry(lambda asked=asked: app.register(asked, TRACE))  # type: ignore[misc] # bound at once
    await project(projector)
    for percent in (10.0, 40.0, 70.0):
        for name in JOBS:
            await retry(lambda name=name, p=percent: app.observe(name, seen(name, VMAStatus.RUNNING, p)))  # type: ignore[misc]
    await project(projector)
    await retry(lambda: runs.start("run-1", Cause.RESTART, policy, JOBS, None))
    found = (
        seen("runs", VMAStatus.RUNNING, 80.0),
        seen("ends", VMAStatus.COMPLETED, 100.0),
        seen("vanishes", VMAStatus.NOT_FOUND),
    )
    for one in found:
        known = confirmed(one.status)
        await retry(lambda one=one: app.begin_recovery(one.job_id, "run-1", Cause.RESTART, "run-1#1"))  # type: ignore[misc]
        await retry(
            lambda one=one, k=known: app.recover(one.job_id, "run-1", one, k, lambda _: 1.0)  # type: ignore[misc]
        )
    await retry(lambda: runs.finish("run-1", RunTotals(decided_in=0.0, verified_in=0.0)))
    await project(projector)


async def main(data_dir: Path) -> None:
    """Open the data directory, run the workload, and close it."""
    log = PrintingEventLog(data_dir / "events.sqlite")
    engine = open_read_model(data_dir / "read_model.sqlite", sqlite3)
    await work(log, Projector(engine, log, SystemClock(), NullLogger()))
    log.close()
    engine.dispose()


if __name__ == "__main__":
    try:
        asyncio.run(main(Path(sys.argv[1])))
    except (JobRecoveryError, SQLAlchemyError) as error:
        sys.exit(f"could not be opened: {error}")
