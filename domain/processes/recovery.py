"""The recovery process manager: takes jobs up, asks for the truth, decides by the table, and proves it drives.

A run holds each of its jobs from RecoveryStarted to RecoveryDecided; no two runs hold the same job. It is finished
only when every job it resumed has been polled again. Safe to interrupt at any moment: what it recorded stands, and
the next run takes up the jobs it left in `recovering`.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import TypeVar

import msgspec

from domain.application import JobRecovery
from domain.errors import ConcurrentWrite, IllegalTransition, JobRecoveryError, NotFound, StorageUnavailable
from domain.events import Cause, Trace
from domain.lifecycle import JobState
from domain.ports import Clock, Log
from domain.processes.contact import Contact
from domain.processes.polling import Poller
from domain.processes.recovery_requests import RecoveryRequests
from domain.recovery_policy import Decision, Outcome, Policy
from domain.recovery_run import RecoveryRun
from domain.run_book import RunBook, RunResult

T = TypeVar("T")

GATHER = 0.1
"""Seconds in which requests are gathered into one run."""

DRY_RUNS_KEPT = 20
"""Dry runs whose results can still be read; they are nowhere but in memory."""

TROUBLE = 1.0
"""Seconds before a job is taken up again whose recovery could not be recorded."""


class JobDecision(msgspec.Struct, frozen=True, kw_only=True):
    """What a run made of one job; `state_before` is the job's state when the run took it up."""

    job_id: str
    state_before: str
    vma_status: str
    decision: Decision


class RunProgress(msgspec.Struct, kw_only=True):
    """A run while it goes on, for those who watch it."""

    run_id: str
    cause: Cause
    dry_run: bool
    jobs: int
    settled: int = 0
    status: str = "running"
    decisions: list[JobDecision] = msgspec.field(default_factory=list)


class Recovery:
    """Makes recovery runs."""

    def __init__(  # noqa: PLR0913 - a composition root calls this once
        self,
        app: JobRecovery,
        runs: RunBook,
        requests: RecoveryRequests,
        contact: Contact,
        poller: Poller,
        clock: Clock,
        log: Log,
        *,
        policy: Policy,
        backoff: Callable[[int], float],
    ) -> None:
        """Nothing runs before `run` or `run_forever` is called."""
        self.live: dict[str, RunProgress] = {}
        self.held: dict[str, str] = {}
        self._app = app
        self._runs = runs
        self._contact = contact
        self._poller = poller
        self._clock = clock
        self._log = log
        self._policy = policy
        self._backoff = backoff
        self._requests = requests

    async def run_forever(self) -> None:
        """Make runs of what is requested, for as long as the service runs."""
        async with asyncio.TaskGroup() as runs:
            while True:
                await self._requests.asked.wait()
                await self._clock.sleep(GATHER)
                for cause, job_ids in self._requests.take(self.held).items():
                    runs.create_task(self.run(cause, job_ids))

    async def run(
        self,
        cause: Cause,
        job_ids: Iterable[str],
        *,
        run_id: str | None = None,
        asked_by: Trace | None = None,
    ) -> None:
        """Take these jobs through recovery, and return when those resumed have been polled again."""
        run_id = run_id or self._runs.new_id()
        mine = tuple(job_id for job_id in job_ids if job_id not in self.held)
        self.held.update(dict.fromkeys(mine, run_id))
        progress = self.live[run_id] = RunProgress(run_id=run_id, cause=cause, dry_run=False, jobs=len(mine))
        try:
            await self._run(cause, mine, run_id, asked_by, progress)
        finally:
            for job_id in mine:
                self._let_go(job_id, run_id)
            self.live.pop(run_id, None)

    async def dry_run(self, job_ids: Iterable[str], run_id: str) -> RunProgress:
        """Go through recovery without recording or changing anything."""
        ids = tuple(job_ids)
        self._forget_old_dry_runs()
        progress = self.live[run_id] = RunProgress(run_id=run_id, cause=Cause.OPERATOR, dry_run=True, jobs=len(ids))
        await asyncio.gather(*(self._try_to_assess(job_id, progress) for job_id in ids))
        progress.status = "finished"
        return progress

    async def _run(
        self,
        cause: Cause,
        job_ids: tuple[str, ...],
        run_id: str,
        asked_by: Trace | None,
        progress: RunProgress,
    ) -> None:
        began = self._clock.monotonic()
        start = partial(self._runs.start, run_id, cause, self._policy, job_ids, asked_by)
        run = await self._insist("recovery_start_not_recorded", run_id, start)
        self._log.info("recovery_scan_started", run_id=run_id, cause=cause.value, jobs=len(job_ids))
        await asyncio.gather(*(self._recover(job_id, run, cause, progress) for job_id in job_ids))
        decided_in = self._clock.monotonic() - began
        resumed = [d.job_id for d in progress.decisions if d.decision.outcome is Outcome.RESUME]
        polled = await self._poller.polled_again(resumed)
        result = RunResult(
            outcomes=dict(Counter(d.decision.outcome.value for d in progress.decisions)),
            rules=dict(Counter(d.decision.rule.value for d in progress.decisions)),
            resumed=len(resumed),
            polled_again=polled,
            left_replicating=len(resumed) - polled,
            settled_elsewhere=len(job_ids) - len(progress.decisions),
            decided_in=round(decided_in, 3),
            proven_in=round(self._clock.monotonic() - began, 3),
        )
        await self._insist("recovery_end_not_recorded", run_id, partial(self._runs.finish, run_id, result))
        self._log.info("recovery_completed", run_id=run_id, cause=cause.value, **msgspec.structs.asdict(result))

    async def _insist(self, trouble: str, run_id: str, write: Callable[[], Awaitable[T]]) -> T:
        """Write until it is written: a full disk must not end the service, nor leave its jobs unwatched."""
        while True:
            try:
                return await write()
            except (StorageUnavailable, ConcurrentWrite) as error:
                self._log.error(trouble, run_id=run_id, error=str(error))
                await self._clock.sleep(TROUBLE)

    async def _recover(self, job_id: str, run: RecoveryRun, cause: Cause, progress: RunProgress) -> None:
        """Bring one job to a decision; whatever keeps it from being recorded, the job is not let go."""
        while True:
            try:
                await self._bring_to_decision(job_id, run, cause, progress)
            except (IllegalTransition, NotFound) as settled:
                self._log.info("job_settled_elsewhere", job_id=job_id, run_id=run.id, why=str(settled))
            except JobRecoveryError as error:
                self._log.error("recovery_not_recorded", job_id=job_id, run_id=run.id, error=str(error))
                await self._clock.sleep(TROUBLE)
                continue
            break
        self._let_go(job_id, run.id)
        progress.settled += 1

    def _let_go(self, job_id: str, run_id: str) -> None:
        """Release a job that this run holds; another run may have taken it up since it was decided here."""
        if self.held.get(job_id) == run_id:
            del self.held[job_id]

    async def _bring_to_decision(self, job_id: str, run: RecoveryRun, cause: Cause, progress: RunProgress) -> None:
        state_before = (await self._app.job(job_id)).state
        await self._app.begin_recovery(job_id, run.id, cause, run.last_ref)
        while True:
            job = await self._app.job(job_id)
            observation = await self._contact.ask(job)
            circumstances = self._contact.circumstances(job)
            decision = await self._app.recover(job_id, run.id, observation, circumstances, self._backoff)
            if decision is not None:
                break
            await self._clock.sleep(self._policy.spacing)
        self._note(job_id, run.id, state_before, observation.status.value, decision, progress)

    def _forget_old_dry_runs(self) -> None:
        dry = [run_id for run_id, progress in self.live.items() if progress.dry_run]
        for run_id in dry[: max(0, len(dry) - DRY_RUNS_KEPT + 1)]:
            del self.live[run_id]

    async def _try_to_assess(self, job_id: str, progress: RunProgress) -> None:
        """Assess one job; what keeps it from being assessed is nobody else's trouble."""
        try:
            await self._assess(job_id, progress)
        except JobRecoveryError as error:
            self._log.error("job_not_assessed", job_id=job_id, run_id=progress.run_id, error=str(error))
        progress.settled += 1

    async def _assess(self, job_id: str, progress: RunProgress) -> None:
        job = await self._app.job(job_id)
        while job.is_open:
            observation = await self._contact.ask(job)
            decision = self._app.assess(job, observation, self._contact.circumstances(job))
            if decision is not None:
                self._keep(job_id, job.state, observation.status.value, decision, progress)
                break
            await self._clock.sleep(self._policy.spacing)
            job = await self._app.job(job_id)

    def _note(  # noqa: PLR0913 - the fields of one log line
        self,
        job_id: str,
        run_id: str,
        state_before: JobState,
        vma_status: str,
        decision: Decision,
        progress: RunProgress,
    ) -> None:
        self._keep(job_id, state_before, vma_status, decision, progress)
        self._log.info(
            "recovery_decided",
            job_id=job_id,
            run_id=run_id,
            vma_status=vma_status,
            outcome=decision.outcome.value,
            rule=decision.rule.value,
            basis=decision.basis.value if decision.basis else None,
            reason=decision.reason,
        )

    @staticmethod
    def _keep(
        job_id: str,
        state_before: JobState,
        vma_status: str,
        decision: Decision,
        progress: RunProgress,
    ) -> None:
        progress.decisions.append(
            JobDecision(
                job_id=job_id,
                state_before=state_before.value,
                vma_status=vma_status,
                decision=decision,
            )
        )
