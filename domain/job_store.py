"""The jobs as they are stored: read, locked, changed and stored again.

A lock per job serialises its commands. Watched jobs are in memory. If another writer stored to the same stream
(`ConcurrentWrite`), the instance is dropped and reloaded, and the command decides again. An instance whose events could
not be stored is never used again.

Any instance of the service executes the commands of its clients. What follows from watching a job is stored only as the
owner of its VMA.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Container, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeVar
from weakref import WeakValueDictionary

from domain.aggregate import Snapshot
from domain.errors import ConcurrentWrite, NotFound, NotOwner, StorageUnavailable
from domain.events import Event, JobAdmitted, JobRegistered, JobReleased, Trace
from domain.ownership import EVERYTHING, Owned
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

    def __init__(self, log: EventLog, clock: Clock, ownership: Owned = EVERYTHING) -> None:
        """Use an event log; nothing is read before the first command."""
        self._log = log
        self._clock = clock
        self._ownership = ownership
        self._watched = WatchedJobs(ownership.owns)
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

    async def open_jobs(self, shares: Container[str] | None = None) -> list[str]:
        """Return the ids of the open jobs, of some shares or all, in the order in which they were admitted.

        To load the jobs of others as well would delay a takeover.
        """
        found = await self._open_jobs()
        if shares is None:
            return found
        registered = await self._log.select(JobRegistered)
        ours = {job.originator_id for job in registered if self._ownership.share_of(job.vma) in shares}
        return [job_id for job_id in found if job_id in ours]

    async def _open_jobs(self) -> list[str]:
        active: dict[str, str] = {}
        for event in await self._log.select(JobAdmitted, JobReleased):
            if isinstance(event, JobAdmitted):
                active[event.originator_id] = event.job_id
            else:
                active.pop(event.originator_id, None)
        return list(active.values())

    async def preload(self, job_ids: Iterable[str]) -> list[ReplicationJob]:
        """Load many jobs at once into memory, as a restart does; return those that can be read, as they are now.

        A worker's report, or another instance, may change one meanwhile, or end it. Those of VMAs that this instance
        does not own are returned, and not kept.
        """
        with self._watched.loading() as changed:
            loaded = await self._log.load_many(ReplicationJob, list(job_ids))
        self._watched.add({job_id: job for job_id, job in loaded.items() if job.is_watched and job_id not in changed})
        again = [job_id for job_id, job in changed.items() if job is None and job_id in loaded]
        found = [changed.get(job_id) or self._watched.get(job_id) or job for job_id, job in loaded.items()]
        return [job for job in found if job.id not in again] + (await self.preload(again) if again else [])

    def forget(self, events: Sequence[Event]) -> None:
        """Read again what these events of other commands may have changed, when it is needed next."""
        for job_id in {event.originator_id for event in events}:
            self._watched.forget(job_id)
        self._volumes = Volumes(self._log)

    def follow(self, events: Sequence[Event]) -> list[Event]:
        """Take note of events that other instances have stored; return those to `take_in`, of jobs watched here."""
        for event in events:
            if isinstance(event, JobRegistered):
                self._volumes.doubt(event.vma, event.volume_ids)
        return [event for event in events if self._is_watched_here(event)]

    def _is_watched_here(self, event: Event) -> bool:
        is_known = self._watched.forget(event.originator_id)
        return is_known or (isinstance(event, JobRegistered) and self._ownership.owns(event.vma))

    def drop_unowned(self) -> list[ReplicationJob]:
        """Remove the jobs of the VMAs that this instance does not own any more; return them."""
        unowned = [job for job in self._watched.all_known if not self._ownership.owns(job.vma)]
        for job in unowned:
            self._watched.drop(job.id)
        return unowned

    async def take_in(self, events: Sequence[Event]) -> None:
        """Tell the listeners of events that are stored although their command was refused, or by another instance."""
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

    async def _change(self, job_id: str, command: Callable[[ReplicationJob], T], *, as_owner: bool = False) -> T:
        """Execute a command on a job, and store its events; `as_owner`: it follows from watching the job.

        Raises:
            NotOwner: another instance watches the job, or may do so.

        """
        async with self._lock("job", job_id):
            for _ in range(MAX_ATTEMPTS):
                job = await self._checkout(job_id)
                was_open = job.is_open
                try:
                    owned = self._owned_share(job) if as_owner else None
                    result = command(job)
                    await self._save_with_context(job, was_open=was_open, as_owner_of=owned)
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

    def _owned_share(self, job: ReplicationJob) -> str:
        if not self._ownership.owns(job.vma):
            raise NotOwner(f"job {job.id} is watched by another instance")
        return self._ownership.share_of(job.vma)

    async def _save_with_context(self, job: ReplicationJob, *, was_open: bool, as_owner_of: str | None = None) -> None:
        if job.is_open == was_open:
            await self._save(job, was_open=was_open, as_owner_of=as_owner_of)
            return
        async with self._lock("context", job.vm_context_id):
            context = await self._context(job.vm_context_id)
            await self._save(job, was_open=was_open, context=context, as_owner_of=as_owner_of)

    async def _save(
        self,
        job: ReplicationJob,
        *,
        was_open: bool,
        context: VMContext | None = None,
        as_owner_of: str | None = None,
    ) -> None:
        """Store the job's events, in one transaction with its VM context's if the job was opened or has ended."""
        if not job.pending:
            return
        if context is not None and job.is_open != was_open:
            _follow(context, job, self._clock)
        events: list[Event] = list(job.pending)
        try:
            stored = [*events, *(context.pending if context else ())]
            await self._log.append(stored, _due_snapshot(job), as_owner_of=as_owner_of)
        except (StorageUnavailable, NotOwner):
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
