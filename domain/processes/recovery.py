"""The recovery process manager: asks the VMA about each job, decides by the table, and verifies polling.

A run claims each of its jobs from RecoveryStarted to RecoveryDecided. No two runs claim the same job. A run finishes
when every job that it resumed has been polled again. It is safe to interrupt at any moment: the next run recovers the
jobs that are still in `recovering`.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable

import msgspec

from domain.errors import IllegalTransition, JobRecoveryError, NotFound, NotOwner
from domain.events import Cause, Trace
from domain.lifecycle import JobState
from domain.processes.dependencies import Dependencies
from domain.processes.polling import Poller
from domain.processes.recovery_requests import RecoveryRequests
from domain.recovery_policy import Decision, Outcome
from domain.recovery_run import FINISHED, RecoveryRun, RunTotals, totals_of
from domain.replication_job import ReplicationJob
from domain.run_book import RunBook
from domain.vma_status import Observation

GATHER = 0.1
"""Seconds in which requests are combined into one run."""

MAX_DRY_RUNS = 20
"""The dry runs whose results are still available; they are only in memory."""

RETRY_AFTER = 1.0
"""Seconds between two attempts to record the recovery of a job."""


class JobDecision(Decision, frozen=True, kw_only=True):
    """A run's decision about one job; `state_before` is the job's state when the run began with it."""

    job_id: str
    state_before: str
    vma_status: str


class RunProgress(msgspec.Struct, kw_only=True):
    """The progress of a run, in memory. `run` is None until its start is stored; that of a dry run never is."""

    run_id: str
    cause: Cause
    dry_run: bool = False
    run: RecoveryRun | None = None
    started: asyncio.Event = msgspec.field(default_factory=asyncio.Event)
    settled_elsewhere: int = 0
    decisions: list[JobDecision] = msgspec.field(default_factory=list)

    async def stored(self) -> RecoveryRun:
        """Return the run as soon as its start is stored; that of a dry run at once."""
        while self.run is None:
            await self.started.wait()
        return self.run

    def add(self, job_id: str, state: JobState, observation: Observation, decision: Decision) -> JobDecision:
        """Add and return the decision about a job."""
        made = JobDecision(
            **msgspec.structs.asdict(decision),
            job_id=job_id,
            state_before=state.value,
            vma_status=observation.status.value,
        )
        self.decisions.append(made)
        return made

    def totals(self) -> RunTotals:
        """Return the totals so far."""
        decided = Counter((decision.outcome.value, decision.rule.value) for decision in self.decisions)
        return totals_of(decided, self.settled_elsewhere)


class Recovery:
    """Makes recovery runs."""

    def __init__(
        self,
        shared: Dependencies,
        runs: RunBook,
        requests: RecoveryRequests,
        poller: Poller,
        backoff: Callable[[int], float],
    ) -> None:
        """`claims` has the run of each job that a run has claimed, `live` the progress of each run."""
        self.live: dict[str, RunProgress] = {}
        self.claims: dict[str, str] = {}
        self._app, self._contact = shared.app, shared.contact
        self._clock, self._log = shared.clock, shared.log
        self._runs = runs
        self._requests = requests
        self._poller = poller
        self._backoff = backoff

    async def run_forever(self) -> None:
        """Make runs of what is requested, for as long as the service runs."""
        async with asyncio.TaskGroup() as runs:
            while True:
                await self._requests.asked.wait()
                await self._clock.sleep(GATHER)
                for cause, job_ids in self._requests.drain(self.claims).items():
                    runs.create_task(self.run(cause, job_ids))

    async def run(
        self, cause: Cause, job_ids: Iterable[str], *, run_id: str | None = None, asked_by: Trace | None = None
    ) -> None:
        """Recover these jobs; return when those that were resumed have been polled again."""
        run_id = run_id or self._runs.new_id()
        claimed = tuple(job_id for job_id in job_ids if job_id not in self.claims)
        self.claims.update(dict.fromkeys(claimed, run_id))
        progress = self.live[run_id] = RunProgress(run_id=run_id, cause=cause)
        try:
            await self._run(claimed, asked_by, progress)
        finally:
            for job_id in claimed:
                self._release(job_id, run_id)
            self.live.pop(run_id, None)

    async def decide_by_report(self, job: ReplicationJob, observation: Observation, asked_by: Trace) -> ReplicationJob:
        """Let the run that is deciding a job decide it by its worker's report of an end.

        A run of an earlier process decides nothing any more: the job is then one of this process's first run.

        Raises:
            IllegalTransition: no run is deciding the job any more.

        """
        while job.state is JobState.RECOVERING and job.run_id not in self.live:
            await self._clock.sleep(RETRY_AFTER)
            job = await self._app.job(job.id)
        known = self._contact.circumstances(job)
        return await self._app.recover_by_report(job.id, observation, known, self._backoff, asked_by)

    async def dry_run(self, job_ids: Iterable[str], run_id: str) -> RunProgress:
        """Decide about these jobs without recording or changing anything."""
        ids = tuple(job_ids)
        self._forget_old_dry_runs()
        began, run = self._clock.monotonic(), self._new_dry_run(run_id, len(ids))
        progress = self.live[run_id] = RunProgress(run_id=run_id, cause=Cause.OPERATOR, dry_run=True, run=run)
        progress.started.set()
        await asyncio.gather(*(self._try_to_assess(job_id, progress) for job_id in ids))
        decided_in = round(self._clock.monotonic() - began, 3)
        run.status, run.ended_at = FINISHED, self._clock.now()
        run.totals = msgspec.structs.replace(progress.totals(), decided_in=decided_in)
        return progress

    def _new_dry_run(self, run_id: str, jobs: int) -> RecoveryRun:
        policy = self._app.policy
        return RecoveryRun(
            id=run_id,
            cause=Cause.OPERATOR,
            instance=self._runs.instance,
            policy=policy,
            policy_hash=policy.hash,
            jobs=jobs,
            started_at=self._clock.now(),
        )

    async def _run(self, job_ids: tuple[str, ...], asked_by: Trace | None, progress: RunProgress) -> None:
        began, run_id, cause = self._clock.monotonic(), progress.run_id, progress.cause
        run = progress.run = await self._runs.start(run_id, cause, self._app.policy, job_ids, asked_by)
        progress.started.set()
        self._log.info("recovery_scan_started", run_id=run_id, cause=cause.value, jobs=len(job_ids))
        await asyncio.gather(*(self._recover(job_id, run, progress) for job_id in job_ids))
        decided_in = self._clock.monotonic() - began
        resumed = [decision.job_id for decision in progress.decisions if decision.outcome is Outcome.RESUME]
        polled_again = await self._poller.polled_again(resumed)
        totals = msgspec.structs.replace(
            progress.totals(),
            polled_again=polled_again,
            left_replicating=len(resumed) - polled_again,
            decided_in=round(decided_in, 3),
            verified_in=round(self._clock.monotonic() - began, 3),
        )
        await self._runs.finish(run_id, totals)
        self._log.info("recovery_completed", run_id=run_id, cause=cause.value, **msgspec.structs.asdict(totals))

    async def _recover(self, job_id: str, run: RecoveryRun, progress: RunProgress) -> None:
        """Decide about one job; if something cannot be recorded, retry until it can."""
        while True:
            try:
                await self._decide(job_id, run, progress)
            except (IllegalTransition, NotFound, NotOwner) as error:
                progress.settled_elsewhere += 1
                self._log.info("job_settled_elsewhere", job_id=job_id, run_id=run.id, why=str(error))
            except JobRecoveryError as error:
                self._log.error("recovery_not_recorded", job_id=job_id, run_id=run.id, error=str(error))
                await self._clock.sleep(RETRY_AFTER)
                continue
            break
        self._release(job_id, run.id)

    def _release(self, job_id: str, run_id: str) -> None:
        """Release this run's claim on a job; another run may have claimed the job since its decision here."""
        if self.claims.get(job_id) == run_id:
            del self.claims[job_id]

    async def _decide(self, job_id: str, run: RecoveryRun, progress: RunProgress) -> None:
        await self._app.begin_recovery(job_id, run.id, progress.cause, run.last_ref)
        while True:
            job, observation = await self._ask(job_id)
            circumstances = self._contact.circumstances(job)
            decision = await self._app.recover(job_id, run.id, observation, circumstances, self._backoff)
            if decision is not None:
                break
            await self._clock.sleep(self._app.policy.spacing)
        made = progress.add(job_id, job.found_in or job.state, observation, decision)
        self._log.info("recovery_decided", run_id=run.id, **msgspec.structs.asdict(made))

    async def _try_to_assess(self, job_id: str, progress: RunProgress) -> None:
        """Assess one job; an error does not affect the others."""
        try:
            await self._assess(job_id, progress)
        except JobRecoveryError as error:
            progress.settled_elsewhere += 1
            self._log.error("job_not_assessed", job_id=job_id, run_id=progress.run_id, error=str(error))

    async def _assess(self, job_id: str, progress: RunProgress) -> None:
        while (await self._app.job(job_id)).is_open:
            job, observation = await self._ask(job_id)
            decision = self._app.assess(job, observation, self._contact.circumstances(job))
            if decision is not None:
                progress.add(job_id, job.state, observation, decision)
                return
            await self._clock.sleep(self._app.policy.spacing)
        progress.settled_elsewhere += 1

    async def _ask(self, job_id: str) -> tuple[ReplicationJob, Observation]:
        job = await self._app.job(job_id)
        return job, await self._contact.ask(job)

    def _forget_old_dry_runs(self) -> None:
        dry = [run_id for run_id, progress in self.live.items() if progress.dry_run]
        for run_id in dry[: max(0, len(dry) - MAX_DRY_RUNS + 1)]:
            del self.live[run_id]
