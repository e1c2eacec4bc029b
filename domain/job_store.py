"""The jobs as they are stored: read, locked, changed and stored again.

A lock per job serialises its commands. Watched jobs are in memory. If another writer stored to the same stream
(`ConcurrentWrite`), the instance is dropped and reloaded, and the command decides again. An instance whose events could
not be stored is never used again.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeVar
from weakref import WeakValueDictionary

from domain.aggregate import Snapshot
from domain.errors import ConcurrentWrite, NotFound, StorageUnavailable
from domain.events import Event, JobAdmitted, JobReleased, Trace
from domain.ports import Clock, EventLog
from domain.replication_job import ReplicationJob
from domain.streams import kind_of
from domain.vm_context import VMContext
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


class JobStore:
    """The stored jobs, their VM contexts and their volumes."""

    def __init__(self, log: EventLog, clock: Clock) -> None:
        """Use an event log; nothing is read before the first command."""
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

    async def last_known(self, job_id: str) -> ReplicationJob:
        """Return the job as it was last known here; what its registration says of it never changes.

        A watched job is known while a command changes it and the event log cannot be read.

        Raises:
            NotFound: there is no such job.

        """
        return self._watched.last_known(job_id) or await self.job(job_id)

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
        """Load many jobs at once into memory, as a restart does; return those that can be read, as they are now.

        A worker's report may change one meanwhile, or end it.
        """
        with self._watched.loading() as ended:
            loaded = await self._log.load_many(ReplicationJob, list(job_ids))
        self._watched.add({job_id: job for job_id, job in loaded.items() if job.is_watched and job_id not in ended})
        return [ended.get(job_id) or self._watched.get(job_id) or job for job_id, job in loaded.items()]

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
    last = job.pending[-1]
    trace = Trace(last.correlation_id, last.ref, last.actor)
    if job.is_open:
        context.admit(job.id, job.vm_name, clock.now(), trace)
    else:
        context.release(job.id, clock.now(), trace)


def _due_snapshot(job: ReplicationJob) -> list[Snapshot]:
    before = job.version - len(job.pending)
    if before // SNAPSHOT_EVERY == job.version // SNAPSHOT_EVERY:
        return []
    return [job.snapshot()]
