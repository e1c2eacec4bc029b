"""Whether a long history slows a recovery: a job with 10,000 events against one with 10, in one run.

    .venv/bin/python scripts/bench/long_history.py

Both jobs are written through the real write path, to logs of their own. Prints the median time from loading a job to
its decision, for each, and their ratio.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from adapters.clock import SystemClock
from adapters.event_store import SQLiteEventLog
from domain.application import JobRecovery, Registration
from domain.events import Cause, Trace
from domain.evidence import Circumstances, Silence
from domain.observing import observe
from domain.ports import ProbeTarget
from domain.recovery_policy import Policy
from domain.vma_status import Answer, Document, Observation, VMAStatus

JOB = "job-1"
ROUNDS = 50


def running(percent: float) -> Observation:
    """Observe the job running at a progress."""
    document = Document(status=VMAStatus.RUNNING, phase="Transfer", progress_percent=percent)
    answer = Answer(asked_id="migration-vol-v", status=VMAStatus.RUNNING, document=document)
    return observe(ProbeTarget(JOB, "default", ("v",)), {"v": answer}, observed_at=datetime.now(UTC))


async def write_history(log: SQLiteEventLog, events: int) -> None:
    """Register the job, and observe it until it has so many events."""
    app = JobRecovery(log, SystemClock(), Policy())
    asked = Registration(job_id=JOB, vm_name="vm", vm_context_id="ctx", volume_ids=("v",), vma="default")
    await app.register(asked, Trace("bench", "bench"))
    for n in range(events - 1):
        await app.observe(JOB, running(float(2 * (n % 50))))


async def recover_once(log: SQLiteEventLog, number: int) -> float:
    """Load the job afresh and take it through recovery; return the seconds."""
    app = JobRecovery(log, SystemClock(), Policy())
    began = time.perf_counter()
    await app.preload([JOB])
    await app.begin_recovery(JOB, f"run-{number}", Cause.RESTART, "bench")
    silence = Silence(status=VMAStatus.RUNNING, held_for=0.0, probes=1)
    known = Circumstances(silence=silence, without_contact=0.0)
    await app.recover(JOB, f"run-{number}", running(50.0), known, lambda _: 0.0)
    return time.perf_counter() - began


async def main() -> None:
    """Measure the two in turn and print the ratio."""
    with tempfile.TemporaryDirectory() as folder:
        logs = {events: SQLiteEventLog(Path(folder) / f"{events}.sqlite") for events in (10, 10_000)}
        for events, log in logs.items():
            await write_history(log, events)
        times: dict[int, list[float]] = {events: [] for events in logs}
        for number in range(ROUNDS):
            for events, log in logs.items():
                times[events].append(await recover_once(log, number))
        medians = {events: statistics.median(measured) for events, measured in times.items()}
        for events, median in medians.items():
            print(f"{events:6} events: {median * 1000:.2f} ms from loading to the decision")
        print(f"ratio: {medians[10_000] / medians[10]:.2f}")
        for log in logs.values():
            log.close()


if __name__ == "__main__":
    asyncio.run(main())
