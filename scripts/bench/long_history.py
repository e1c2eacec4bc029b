"""Measures the recovery of jobs with 10 to 10,000 events, with and without snapshots.

    .venv/bin/python scripts/bench/long_history.py

Each job is written through the real write path, to a log of its own. Prints the median time from loading a job to its
decision, with snapshots and without, and the ratios.
"""

import asyncio
import shutil
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from adapters.event_log.sqlite import sqlite3
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
SIZES = (10, 100, 1000, 10_000)
ROUNDS = 20


def running(percent: float) -> Observation:
    """Observe the job running at a progress."""
    document = Document(status=VMAStatus.RUNNING, phase="Transfer", progress_percent=percent)
    answer = Answer(asked_id="migration-vol-v", status=VMAStatus.RUNNING, document=document)
    return observe(TARGET, {"v": answer}, observed_at=datetime.now(UTC))


async def write_history(log: SQLiteEventLog, events: int) -> None:
    """Register the job, and observe it until it has this number of events."""
    app = JobRecovery(log, SystemClock(), Policy())
    asked = Registration(job_id=JOB, vm_name="vm", vm_context_id="ctx", volume_ids=("v",), vma="default")
    await app.register(asked, Trace("bench", "bench"))
    for n in range(events - 1):
        await app.observe(JOB, running(float(2 * (n % 50))))


async def recover_once(log: SQLiteEventLog, number: int) -> float:
    """Load the job without a cache and recover it; return the seconds."""
    app = JobRecovery(log, SystemClock(), Policy())
    began = time.perf_counter()
    await app.preload([JOB])
    await app.begin_recovery(JOB, f"run-{number}", Cause.RESTART, "bench")
    silence = Silence(status=VMAStatus.RUNNING, duration=0.0, probes=1)
    known = Circumstances(silence=silence, without_contact=0.0)
    await app.recover(JOB, f"run-{number}", running(50.0), known, lambda _: 0.0)
    return time.perf_counter() - began


async def write_both(folder: Path, events: int) -> dict[str, SQLiteEventLog]:
    """Return a log with a history of this number of events, and a copy of it without snapshots."""
    paths = {kind: folder / f"{events}-{kind}.sqlite" for kind in ("with", "without")}
    log = SQLiteEventLog(paths["with"], synchronous="NORMAL")
    await write_history(log, events)
    log.close()
    shutil.copy(paths["with"], paths["without"])
    with closing(sqlite3.connect(paths["without"])) as connection, connection:
        connection.execute("DELETE FROM stored_snapshots")
    return {kind: SQLiteEventLog(path) for kind, path in paths.items()}


async def main() -> None:
    """Measure all in turn and print the medians and their ratios."""
    with tempfile.TemporaryDirectory() as folder:
        logs = {events: await write_both(Path(folder), events) for events in SIZES}
        times: dict[tuple[int, str], list[float]] = defaultdict(list)
        for number in range(ROUNDS):
            for events, both in logs.items():
                for kind, log in both.items():
                    times[events, kind].append(await recover_once(log, number))
        medians = {key: statistics.median(measured) * 1000 for key, measured in times.items()}
        for events in SIZES:
            used, plain = medians[events, "with"], medians[events, "without"]
            print(f"{events:6} events: {used:6.2f} ms with snapshots, {plain:6.2f} without: {plain / used:.1f} times")
        print(f"10,000 events take {medians[SIZES[-1], 'with'] / medians[SIZES[0], 'with']:.2f} times as long as 10")
        for both in logs.values():
            for log in both.values():
                log.close()


if __name__ == "__main__":
    asyncio.run(main())
