"""The application: every command on a job, as get, call, save.

A lock per job serialises its commands. Watched jobs are in memory. If another writer stored to the same stream
(`ConcurrentWrite`), the instance is dropped and reloaded, and the command decides again. An instance whose events could
not be stored is never used again.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import TypeVar
from weakref import WeakValueDictionary

from domain.aggregate import Snapshot
from domain.attribution import initial_readings
from domain.errors import ConcurrentWrite, JobExists, NotFound, StorageUnavailable, VersionMismatch, VolumeBusy
from domain.events import Cause, Event, JobAdmitted, JobReleased, Trace
from domain.evidence import Circumstances
from domain.materiality import is_material
from domain.ports import Clock, EventLog
from domain.recovery_policy import Decision, Outcome, Policy, decide
from domain.replication_job import Registration, ReplicationJob
from domain.streams import check_job_id, kind_of
from domain.vm_context import VMContext
from domain.vma_status import Observation
from domain.volumes import Volumes
from domain.watched_jobs import WatchedJobs

T = TypeVar("T")
Listener = Callable[[ReplicationJob, Sequence[Event]], None]

SNAPSHOT_EVERY = 100
"""Versions between two snapshots. With them, a job with 10,000 events loads as fast as one with 10."""

READ_RETRY_AFTER = 1.0
"""Seconds between two attempts to read what was stored late."""

MAX_ATTEMPTS = 5
"""Attempts of a command if other writers store first."""


class JobRecovery:
    """The commands on replication jobs."""

    def __init__(self, log: EventLog, clock: Clock, policy: Policy) -> None:
        """Use an event log; nothing is read before the first command."""
        self.policy = policy
        self._log = log
        self._clock = clock
        self._watched = WatchedJobs()
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
        self._listeners: list[Listener] = []
        self._volumes = Volumes(log)

    def subscribe(self, listener: Listener) -> None:
        """Call `listener` with every change of a job, after it is stored."""
        self._listeners.append(listener)

    async def job(self, job_id: str) -> ReplicationJob:
        """Return the job in its present state, from memory or from its events.

        Raises:
            NotFound: there is no such job.

        """
        job = self._watched.get(job_id) or await self._log.load(ReplicationJob, job_id)
        if job is None:
            raise NotFound(f"there is no job {job_id}")
        return job

    async def job_after_commands(self, job_id: str) -> ReplicationJob:
        """Return the job as the commands on it that are under way leave it."""
        return await self._change(job_id, lambda job: job)

    @property
    def watched(self) -> Iterable[ReplicationJob]:
        """Return the watched jobs: the open jobs, and those whose outcome is a guess."""
        return self._watched

    def may_be_open(self, job_id: str) -> bool:
        """Return whether a job is watched as an open one, or a command on it is in progress."""
        return self._watched.may_be_open(job_id)

    async def open_jobs(self) -> list[str]:
        """Return the ids of the open jobs, in the order in which their VM contexts admitted them."""
        active: dict[str, str] = {}
        for event in await self._log.select(JobAdmitted, JobReleased):
            if isinstance(event, JobAdmitted):
                active[event.originator_id] = event.job_id
            else:
                active.pop(event.originator_id, None)
        return list(active.values())

    async def preload(self, job_ids: Iterable[str]) -> list[ReplicationJob]:
        """Load many jobs at once into memory, as a restart does; return those that can be read."""
        loaded = await self._log.load_many(ReplicationJob, list(job_ids))
        self._watched.add(loaded)
        # A worker's report may have changed one meanwhile.
        return [self._watched.get(job_id) or job for job_id, job in loaded.items()]

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
        self, asked: Registration, trace: Trace, found: Observation | None = None
    ) -> tuple[ReplicationJob, bool]:
        """Register a job. Safe to repeat: an identical registration changes nothing.

        Args:
            asked: the job.
            trace: the request.
            found: the answers of its VMA at this moment; None if it did not answer in time.

        Returns:
            The job, and whether it is new.

        Raises:
            InvalidInput: the id is reserved.
            JobExists: a job with other content has the id.
            ContextBusy: the VM context has another active job.
            VolumeBusy: one of the volumes has an open job.

        """
        async with self._lock("job", asked.job_id), self._lock_volumes(asked.vma, asked.volume_ids):
            if (existing := await self.registered(asked)) is not None:
                return existing, False
            return await self._register_new(asked, found, trace), True

    async def observe(self, job_id: str, observation: Observation, trace: Trace | None = None) -> ReplicationJob:
        """Record an observation, if it is material and the job is open; with `trace`, if it is not by polling."""

        def command(job: ReplicationJob) -> ReplicationJob:
            if job.is_open and is_material(job, observation):
                job.observe(observation, self._clock.now(), trace)
            return job

        return await self._change(job_id, command)

    async def mark_stalled(self, job_id: str, since: datetime) -> None:
        """Record that a running job has had no progress since then."""
        await self._change(job_id, lambda job: job.mark_stalled(since, self._clock.now()))

    async def mark_moving(self, job_id: str, observation: Observation) -> None:
        """Record that a stalled job has progress again."""
        await self._change(job_id, lambda job: job.mark_moving(observation, self._clock.now()))

    async def begin_recovery(self, job_id: str, run_id: str, cause: Cause, causation_id: str) -> None:
        """Record that a recovery run begins with the job.

        Raises:
            IllegalTransition: the job has ended.

        """
        now = self._clock.now()
        await self._change(job_id, lambda job: job.begin_recovery(run_id, cause, now, causation_id))

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
            job_id, lambda job: job.recover(run_id, observation, circumstances, self.policy, backoff, self._clock.now())
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

        return await self._change(job_id, command)

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
                async with self._lock_volumes(job.vma, job.volume_ids), self._lock("context", job.vm_context_id):
                    context = await self._context(job.vm_context_id)
                    newer = context.newer_job_than(job_id) or await self._volumes.newer_job_than(
                        job_id, job.vma, job.volume_ids
                    )
                    job.revise(observation, newer, self._clock.now(), trace)
                    await self._save(job, was_open=False, context=context)
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

    def forget(self, events: Sequence[Event]) -> None:
        """Read again what these events of other commands may have changed, when it is needed next."""
        for job_id in {event.originator_id for event in events}:
            self._watched.forget(job_id)
        self._volumes = Volumes(self._log)

    async def take_in(self, events: Sequence[Event]) -> None:
        """Tell the listeners of events that are stored although their command was refused."""
        for job_id in sorted({event.originator_id for event in events if kind_of(event) is ReplicationJob}):
            async with self._lock("job", job_id):
                await self._tell_when_readable(job_id, [event for event in events if event.originator_id == job_id])

    async def _tell_when_readable(self, job_id: str, events: Sequence[Event]) -> None:
        while True:
            try:
                job = await self.job(job_id)
            except StorageUnavailable:
                await self._clock.sleep(READ_RETRY_AFTER)
                continue
            self._watched.put_back(job)
            for listener in self._listeners:
                listener(job, events)
            return

    async def _register_new(self, asked: Registration, found: Observation | None, trace: Trace) -> ReplicationJob:
        check_job_id(asked.job_id)
        (await self._context(asked.vm_context_id)).check_free(asked.job_id)
        before = await self._earlier_jobs(asked)
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

    async def _change(self, job_id: str, command: Callable[[ReplicationJob], T]) -> T:
        async with self._lock("job", job_id):
            for _ in range(MAX_ATTEMPTS):
                job = await self._checkout(job_id)
                was_open = job.is_open
                try:
                    result = command(job)
                    await self._save_with_context(job, was_open=was_open)
                except ConcurrentWrite:
                    continue
                finally:
                    self._watched.put_back(job)
                return result
        raise ConcurrentWrite(f"job {job_id} has other writers at the moment; try again")

    async def _checkout(self, job_id: str) -> ReplicationJob:
        """Return a job for a command and take it out of memory; until it is stored, others read the event log."""
        job = await self.job(job_id)
        self._watched.take_out(job)
        return job

    async def _save_with_context(self, job: ReplicationJob, *, was_open: bool) -> None:
        if job.is_open == was_open:
            await self._save(job, was_open=was_open)
            return
        async with self._lock("context", job.vm_context_id):
            context = await self._context(job.vm_context_id)
            await self._save(job, was_open=was_open, context=context)

    async def _save(self, job: ReplicationJob, *, was_open: bool, context: VMContext | None = None) -> None:
        """Store the job's events, in one transaction with its VM context's if the job was opened or has ended."""
        if not job.pending:
            return
        if context is not None and job.is_open != was_open:
            _follow(context, job, self._clock)
        events: list[Event] = list(job.pending)
        try:
            await self._log.append([*events, *(context.pending if context else ())], _due_snapshot(job))
        except StorageUnavailable:
            raise
        except BaseException:
            # Another writer was first, or the answer is not waited for: how the job is stored is not known.
            self._watched.doubt(job.id)
            raise
        job.pending.clear()
        self._watched.put_back(job)
        for listener in self._listeners:
            listener(job, events)

    async def _context(self, vm_context_id: str) -> VMContext:
        stream_id = VMContext.stream_id(vm_context_id)
        return await self._log.load(VMContext, stream_id) or VMContext(id=stream_id)

    @asynccontextmanager
    async def _lock_volumes(self, vma: str, volume_ids: Iterable[str]) -> AsyncIterator[None]:
        """Lock the volumes, so that no other job gets them; always in the same order, after the job's lock."""
        async with AsyncExitStack() as locks:
            for volume_id in sorted(volume_ids):
                await locks.enter_async_context(self._lock("volume", f"{vma}/{volume_id}"))
            yield

    def _lock(self, kind: str, name: str) -> asyncio.Lock:
        return self._locks.setdefault((kind, name), asyncio.Lock())


def _follow(context: VMContext, job: ReplicationJob, clock: Clock) -> None:
    """Let the VM context admit or release the job, caused by the job's last event."""
    trace = Trace(job.pending[-1].correlation_id, job.last_ref, job.pending[-1].actor)
    if job.is_open:
        context.admit(job.id, job.vm_name, clock.now(), trace)
    else:
        context.release(job.id, clock.now(), trace)


def _due_snapshot(job: ReplicationJob) -> list[Snapshot]:
    before = job.version - len(job.pending)
    if before // SNAPSHOT_EVERY == job.version // SNAPSHOT_EVERY:
        return []
    return [job.snapshot()]
