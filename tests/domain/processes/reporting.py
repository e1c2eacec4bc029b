"""Jobs of which workers report, and a log whose writes wait."""

import asyncio
from collections.abc import Sequence

from domain.aggregate import Snapshot
from domain.events import Cause, Event
from domain.observing import observe
from domain.ports import ProbeTarget
from domain.processes.polling import Poller
from domain.processes.reports import Reports
from domain.replication_job import ReplicationJob
from domain.vma_status import Document, Observation, VMAStatus, export_name
from tests.support.builders import answer
from tests.support.harness import Harness
from tests.support.memory_log import MemoryLog


class HeldLog(MemoryLog):
    """A log in memory whose writes wait until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        self.waiting = 0

    async def append(
        self, events: Sequence[Event], snapshots: Sequence[Snapshot] = (), *, as_owner_of: str | None = None
    ) -> int:
        self.waiting += 1
        await self.goes_on.wait()
        self.waiting -= 1
        return await super().append(events, snapshots, as_owner_of=as_owner_of)


def reports_on(log: HeldLog) -> tuple[Harness, Reports]:
    """Return the processes on a log, and the reports of their workers."""
    harness = Harness(log)
    poller = Poller(harness.shared, awake=harness.clock.monotonic, interval=5.0, on_contact_lost=harness.request)
    return harness, Reports(harness.shared, poller, harness.recovery(poller), harness.request)


def said(harness: Harness, what: Document, job_id: str = "job-1") -> Observation:
    volume = f"disk-of-{job_id}"
    exports = {volume: answer(export_name(volume), VMAStatus.NOT_FOUND)}
    own = (answer(job_id, what),)
    return observe(ProbeTarget(job_id, "default", (volume,)), exports, own, observed_at=harness.clock.now())


async def registered(harness: Harness, job_id: str) -> ReplicationJob:
    """Register a job whose VMA does not answer, and return it."""
    harness.vma.says[job_id] = VMAStatus.UNREACHABLE
    return await harness.job(job_id)


async def recovering(harness: Harness, job_id: str) -> ReplicationJob:
    """Register a job, begin its recovery, and return it; its VMA does not answer."""
    await harness.job(job_id)
    harness.vma.says[job_id] = VMAStatus.UNREACHABLE
    await harness.app.begin_recovery(job_id, "run-1", Cause.RESTART, "test")
    return await harness.app.job(job_id)


async def waiting(harness: Harness, job_id: str) -> ReplicationJob:
    """Register a job whose VMA does not answer, have it decided, and return it."""
    await recovering(harness, job_id)
    return await harness.decided(job_id, run_id="run-1")


async def is_logged(harness: Harness, event: str) -> bool:
    return event in harness.log.events


async def has_slept(harness: Harness, seconds: float) -> bool:
    return harness.clock.elapsed >= seconds


async def has_asked(harness: Harness, times: int) -> bool:
    return len(harness.vma.asked) >= times


async def is_waiting(log: HeldLog) -> bool:
    return log.waiting > 0
