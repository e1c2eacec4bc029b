"""The application: every command on a job, as get, call, save."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from domain.attribution import initial_readings
from domain.errors import ConcurrentWrite, JobExists, StorageUnavailable, VersionMismatch, VolumeBusy
from domain.events import Cause, Trace
from domain.evidence import Circumstances
from domain.job_store import MAX_ATTEMPTS, JobStore
from domain.materiality import is_material
from domain.ownership import EVERYTHING, Owned
from domain.ports import Clock, EventLog
from domain.recovery_policy import Decision, Outcome, Policy, decide
from domain.replication_job import Registration, ReplicationJob
from domain.streams import check_job_id
from domain.vma_status import Observation

Probe = Callable[[], Awaitable[Observation | None]]
"""Asks a VMA what it has of a job's volumes; returns None if it does not answer in time."""


class JobRecovery(JobStore):
    """The commands on replication jobs."""

    def __init__(self, log: EventLog, clock: Clock, policy: Policy, ownership: Owned = EVERYTHING) -> None:
        """Use an event log; nothing is read before the first command."""
        super().__init__(log, clock, ownership)
        self.policy = policy

    async def registered(self, asked: Registration) -> ReplicationJob | None:
        """Return the job if it is registered with the same content; None if it is not registered.

        Raises:
            JobExists: a job with other content has the id.

        """
        existing = self._watched.get(asked.job_id) or await self._log.load(ReplicationJob, asked.job_id)
        if existing is not None and not existing.is_same_registration(asked):
            raise JobExists(f"job {asked.job_id} is registered already, with other content")
        return existing

    async def register(
        self, asked: Registration, trace: Trace, probe: Probe | None = None
    ) -> tuple[ReplicationJob, bool]:
        """Register a job. Safe to repeat: an identical registration changes nothing.

        Args:
            asked: the job.
            trace: the request.
            probe: asks its VMA. The volumes are locked then, and their earlier jobs have ended: an answer from before
                the end of an earlier job would be compared with that end.

        Returns:
            The job, and whether it is new.

        Raises:
            InvalidInput: the id is reserved.
            JobExists: a job with other content has the id.
            ContextBusy: the VM context has another active job.
            VolumeBusy: one of the volumes has an open job.

        """
        async with self._lock("job", asked.job_id), self._lock_volumes(asked.vma, asked.volume_ids):
            for _ in range(MAX_ATTEMPTS):
                if (existing := await self.registered(asked)) is not None:
                    return existing, False
                try:
                    return await self._register_new(asked, probe, trace), True
                except ConcurrentWrite:
                    # Another instance has registered a job meanwhile, perhaps this one.
                    continue
        raise ConcurrentWrite(f"other jobs are registered at the same moment as {asked.job_id}; try again")

    async def observe(self, job_id: str, observation: Observation, trace: Trace | None = None) -> ReplicationJob:
        """Record an observation, if it is material and the job is open; with `trace`, if it is not by polling."""

        def command(job: ReplicationJob) -> ReplicationJob:
            if job.is_open and is_material(job, observation):
                job.observe(observation, self._clock.now(), trace)
            return job

        return await self._change(job_id, command, as_owner=trace is None)

    async def mark_stalled(self, job_id: str, since: datetime) -> None:
        """Record that a running job has had no progress since then."""
        await self._change(job_id, lambda job: job.mark_stalled(since, self._clock.now()), as_owner=True)

    async def mark_moving(self, job_id: str, observation: Observation) -> None:
        """Record that a stalled job has progress again."""
        await self._change(job_id, lambda job: job.mark_moving(observation, self._clock.now()), as_owner=True)

    async def begin_recovery(self, job_id: str, run_id: str, cause: Cause, causation_id: str) -> None:
        """Record that a recovery run begins with the job.

        Raises:
            IllegalTransition: the job has ended.

        """
        now = self._clock.now()
        await self._change(job_id, lambda job: job.begin_recovery(run_id, cause, now, causation_id), as_owner=True)

    async def recover(
        self,
        job_id: str,
        run_id: str,
        observation: Observation,
        circumstances: Circumstances,
        backoff: Callable[[int], float],
    ) -> Decision | None:
        """Record an observation and, if it is sufficient, a decision; return that, or None to ask again."""
        return await self._change(
            job_id,
            lambda job: job.recover(run_id, observation, circumstances, self.policy, backoff, self._clock.now()),
            as_owner=True,
        )

    async def recover_by_report(
        self,
        job_id: str,
        observation: Observation,
        circumstances: Circumstances,
        backoff: Callable[[int], float],
        trace: Trace,
    ) -> ReplicationJob:
        """Record a worker's report, and let the job's present recovery run decide by it; `trace` is the request.

        Raises:
            IllegalTransition: no run is deciding the job.

        """

        def command(job: ReplicationJob) -> ReplicationJob:
            job.recover_by_report(observation, circumstances, self.policy, backoff, self._clock.now(), trace)
            return job

        return await self._change(job_id, command, as_owner=True)

    def assess(self, job: ReplicationJob, observation: Observation, circumstances: Circumstances) -> Decision | None:
        """Return what would be decided about a job, without recording anything."""
        return decide(job.evidence(observation, circumstances, self._clock.now()), self.policy)

    async def revise(self, job_id: str, observation: Observation, trace: Trace | None = None) -> ReplicationJob:
        """Compare an inferred outcome with what is reported now, while no newer job can get the VM or a volume.

        `trace` is the request of a worker's report.
        """
        async with self._lock("job", job_id):
            job = await self._checkout(job_id)
            try:
                owned = self._owned_share(job) if trace is None else None
                async with self._lock_volumes(job.vma, job.volume_ids), self._lock("context", job.vm_context_id):
                    context = await self._context(job.vm_context_id)
                    taken = await self._volumes.newer_jobs_than(job_id, job.vma, job.volume_ids)
                    newer = context.newer_job_than(job_id) or next(iter(taken.values()), None)
                    job.revise(observation, newer, self._clock.now(), trace, taken=taken)
                    await self._save(job, was_open=False, context=context, as_owner_of=owned)
            finally:
                self._watched.put_back(job)
            return job

    async def operator_decide(  # noqa: PLR0913 - what an operator decides
        self,
        job_id: str,
        outcome: Outcome,
        who: str,
        why: str,
        trace: Trace,
        *,
        only_if: Callable[[ReplicationJob], bool] | None = None,
    ) -> ReplicationJob:
        """Complete or fail an open job by an operator's decision, or correct an outcome that was inferred.

        Raises:
            VersionMismatch: `only_if` says that the job is not as the operator saw it.

        """

        def command(job: ReplicationJob) -> ReplicationJob:
            if only_if is not None and not only_if(job):
                raise VersionMismatch(
                    f"job {job_id} has changed since: it is at version {job.version} now, and nothing was decided. "
                    "Read it again, and decide on what it shows"
                )
            job.operator_decide(outcome, who, why, self._clock.now(), trace)
            return job

        return await self._change(job_id, command)

    async def _register_new(self, asked: Registration, probe: Probe | None, trace: Trace) -> ReplicationJob:
        check_job_id(asked.job_id)
        (await self._context(asked.vm_context_id)).check_free(asked.job_id)
        before = await self._earlier_jobs(asked)
        found = await probe() if probe is not None else None
        address = found.address if found is not None else None
        last = {v: before[v].last_reading(v) if v in before else None for v in asked.volume_ids}
        elsewhere = [v for v, earlier in before.items() if earlier.vma_address not in (None, address)]
        job = ReplicationJob(id=asked.job_id)
        job.register(asked, self._clock.now(), trace, initial_readings(found, last, elsewhere))
        await self._save_with_context(job, was_open=False)
        self._volumes.assign(job.id, job.vma, job.volume_ids)
        return job

    async def _earlier_jobs(self, asked: Registration) -> dict[str, ReplicationJob]:
        """Return the last job of each volume that had one.

        Raises:
            StorageUnavailable: one of them cannot be read.
            VolumeBusy: one of them is still open.

        """
        last = await self._volumes.last_jobs(asked.vma, asked.volume_ids)
        jobs = await self._log.load_many(ReplicationJob, sorted(set(last.values())))
        for volume_id, job_id in last.items():
            if job_id not in jobs:
                raise StorageUnavailable(f"volume {volume_id} belonged to the job {job_id}, which cannot be read now")
            if jobs[job_id].is_open:
                why = f"{asked.job_id} can be registered when that one has ended"
                raise VolumeBusy(f"volume {volume_id} belongs to the open job {job_id}: {why}")
        return {volume_id: jobs[job_id] for volume_id, job_id in last.items()}
