"""A long history for the benchmarks: jobs from registration through recovery to their end, by the real write path."""

import asyncio
from datetime import UTC, datetime, timedelta

import structlog

from adapters.event_log.database_log import DatabaseEventLog
from domain.application import JobRecovery
from domain.events import Cause, Trace
from domain.evidence import Circumstances, Silence
from domain.observing import observe
from domain.ports import ProbeTarget
from domain.recovery_policy import Outcome, Policy
from domain.recovery_run import RunTotals
from domain.replication_job import Registration
from domain.run_book import RunBook
from domain.vma_status import Answer, Document, Observation, VMAStatus, export_name

JOBS = 50
"""Jobs that are copied at the same time."""

ROUNDS = 40
"""Number of progress events of each job before the control plane restarts."""

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


class Calendar:
    """A clock that the history itself advances."""

    def __init__(self) -> None:
        self._now = BEGAN

    def now(self) -> datetime:
        """Return the history's time."""
        return self._now

    def monotonic(self) -> float:
        """Return the seconds since the history began."""
        return (self._now - BEGAN).total_seconds()

    async def sleep(self, seconds: float) -> None:
        """Advance the clock."""
        self._now += timedelta(seconds=seconds)


class History:
    """Writes batches of jobs, each from its registration to its end, with two recovery runs."""

    def __init__(self, log: DatabaseEventLog) -> None:
        self.clock = Calendar()
        self.batches = 0
        self._log = log
        self._policy = Policy()
        self._app = JobRecovery(log, self.clock, self._policy)
        self._runs = RunBook(
            log, self.clock, structlog.get_logger(), "bench", lambda: f"run-{self.clock.now():%Y%m%d-%H%M%S}"
        )

    async def write(self, events: int) -> None:
        """Write batches until the log has this number of events."""
        while self._log.position < events:
            await self._batch([f"job-{self.batches:04}-{n:02}" for n in range(JOBS)])
            self.batches += 1

    async def _batch(self, names: list[str]) -> None:
        await asyncio.gather(*(self._register(name) for name in names))
        for number in range(ROUNDS):
            await self.clock.sleep(60)
            done = (number + 1) / ROUNDS
            seen = [self._observed(name, VMAStatus.RUNNING, _reaches(n) * done) for n, name in enumerate(names)]
            await asyncio.gather(*(self._app.observe(one.job_id, one) for one in seen))
        running = await self._recover([self._after_the_restart(n, name) for n, name in enumerate(names)])
        await self.clock.sleep(600)
        for name in running[:2]:
            trace = Trace("request-bench", "request-bench", "anna")
            await self._app.operator_decide(name, Outcome.COMPLETE, "anna", "seen on the datastore", trace)
        await self._recover([self._observed(name, VMAStatus.COMPLETED, 100.0) for name in running[2:]])

    async def _register(self, name: str) -> None:
        asked = Registration(
            job_id=name, vm_name=f"vm-{name}", vm_context_id=f"ctx-{name}", volume_ids=(name,), vma="default"
        )
        await self._app.register(asked, Trace("request-bench", "request-bench", "migration"))

    def _after_the_restart(self, n: int, name: str) -> Observation:
        """Return the state at the restart: some jobs have ended, and some are lost."""
        match n % 10:
            case 0 | 1:
                return self._observed(name, VMAStatus.COMPLETED, 100.0)
            case 2 | 3:
                return self._observed(name, VMAStatus.NOT_FOUND, None)
            case _:
                return self._observed(name, VMAStatus.RUNNING, _reaches(n))

    async def _recover(self, seen: list[Observation]) -> list[str]:
        """Recover jobs by these observations; return the running ones."""
        names = tuple(one.job_id for one in seen)
        run = await self._runs.start(self._runs.new_id(), Cause.RESTART, self._policy, names, None)
        await asyncio.gather(*(self._decide(run.id, run.last_ref, one) for one in seen))
        await self._runs.finish(run.id, RunTotals(decided_in=0.0, verified_in=0.0))
        return [one.job_id for one in seen if one.status is VMAStatus.RUNNING]

    async def _decide(self, run_id: str, cause: str, seen: Observation) -> None:
        await self._app.begin_recovery(seen.job_id, run_id, Cause.RESTART, cause)
        silence = Silence(status=seen.status, duration=60.0, probes=10)
        known = Circumstances(silence=silence, without_contact=0.0)
        await self._app.recover(seen.job_id, run_id, seen, known, lambda _: 0.0)

    def _observed(self, name: str, status: VMAStatus, percent: float | None) -> Observation:
        document = Document(status=status, phase="Transfer", progress_percent=percent) if percent is not None else None
        answer = Answer(asked_id=export_name(name), status=status, document=document)
        return observe(ProbeTarget(name, "default", (name,)), {name: answer}, observed_at=self.clock.now())


def _reaches(n: int) -> float:
    """Return the percent at which the restart finds the n-th job of a batch: one in ten is not near its end."""
    return 60.0 if n % 10 == 3 else 99.0  # noqa: PLR2004 - any of the ten
