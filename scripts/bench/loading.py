"""Measures the recovery of one job with many events beside that of a job with 10: from loading it to the decision.

    .venv/bin/python scripts/bench/loading.py [--counts EVENTS ...] [--repetitions N] [--short] [--json FILE]

Each job is written through the real write path to a log of its own, and nothing of it is in memory.
"""

import asyncio
import sys
import tempfile
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from figures import Figure, Measured, Size, command, side_by_side

from adapters.event_log.sqlite_store import SQLiteEventLog
from adapters.host.clock import SystemClock
from domain.application import JobRecovery
from domain.events import Cause, Trace
from domain.evidence import Circumstances, Silence
from domain.observing import observe
from domain.ports import ProbeTarget
from domain.recovery_policy import Policy
from domain.replication_job import Registration
from domain.vma_status import Answer, Document, Observation, VMAStatus

JOB = "job-1"
TARGET = ProbeTarget(JOB, "default", ("v",))

FEW = 10


def measure(size: Size) -> list[Figure]:
    """Measure each number of events."""
    with tempfile.TemporaryDirectory() as folder:
        logs = {events: _history(Path(folder), events) for events in (FEW, *size.counts)}
        often = size._replace(repetitions=4 * size.repetitions)
        try:
            return [figure for events in size.counts for figure in _beside_few(logs, events, often)]
        finally:
            for log in logs.values():
                log.close()


def _beside_few(logs: dict[int, SQLiteEventLog], events: int, size: Size) -> list[Figure]:
    name = f"{events:,} events: milliseconds from load to decision"
    few, many = (partial(_recovered, logs[count], name) for count in (FEW, events))
    return side_by_side(few, many, size, {name: "< 3"})


def _history(folder: Path, events: int) -> SQLiteEventLog:
    """Return a log with a job that was registered, and observed until it has this number of events."""
    log = SQLiteEventLog(folder / f"{events}.sqlite", synchronous="NORMAL")
    app = JobRecovery(log, SystemClock(), Policy())

    async def write() -> None:
        asked = Registration(job_id=JOB, vm_name="vm", vm_context_id="ctx", volume_ids=("v",), vma="default")
        await app.register(asked, Trace("bench", "bench"))
        for n in range(events - 1):
            await app.observe(JOB, _running(float(2 * (n % 50))))

    asyncio.run(write())
    return log


def _running(percent: float) -> Observation:
    document = Document(status=VMAStatus.RUNNING, phase="Transfer", progress_percent=percent)
    answer = Answer(asked_id="migration-vol-v", status=VMAStatus.RUNNING, document=document)
    return observe(TARGET, {"v": answer}, observed_at=datetime.now(UTC))


def _recovered(log: SQLiteEventLog, name: str) -> Measured:
    """Load the job and recover it."""

    async def recover() -> float:
        app = JobRecovery(log, SystemClock(), Policy())
        run, silence = f"run-{log.position}", Silence(status=VMAStatus.RUNNING, duration=0.0, probes=1)
        began = time.perf_counter()
        await app.preload([JOB])
        await app.begin_recovery(JOB, run, Cause.RESTART, "bench")
        known = Circumstances(silence=silence, without_contact=0.0)
        await app.recover(JOB, run, _running(50.0), known, lambda _: 0.0)
        return 1000 * (time.perf_counter() - began)

    return {name: asyncio.run(recover())}


if __name__ == "__main__":
    command(__doc__, measure, counts=(1000, 10_000), short=200)
