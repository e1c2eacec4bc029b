"""The event log in a database: the eventsourcing library's stores, with our mapper and group commit.

`GroupCommit` writes the events of many jobs in one transaction, and acknowledges each request after the commit. A
snapshot that cannot be written is no error: it is derived.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial
from itertools import accumulate
from time import perf_counter
from typing import TypeVar, cast

from adapters.event_log.aggregates import Aggregates
from adapters.event_log.database_errors import (
    DATABASE_ERRORS,
    UNAVAILABLE,
    EventLogInUse,
    StoredLate,
    UnknownRegistration,
)
from adapters.event_log.group_commit import GroupCommit, WriteRequest
from adapters.event_log.listeners import Listeners
from adapters.event_log.reading import EventReader
from adapters.event_log.reading_threads import ReadingThreads
from adapters.event_log.seals import Seal
from adapters.event_log.storage import Storage
from domain.aggregate import Snapshot
from domain.errors import LogChanged, StorageUnavailable
from domain.events import Event
from domain.ports import Clock, Instance, Instances, Log, PositionAndHead, TAggregate, TEvent

T = TypeVar("T")

LOADED_AT_ONCE = 50
"""Past states that a thread loads in a row, so that other reads come in between."""


class DatabaseEventLog(ABC):
    """The event log port of the domain, and the notification log of the projections."""

    def __init__(self, storage: Storage, logger: Log) -> None:
        """Use an open log; `logger` gets the errors that no caller gets."""
        self._storage = storage
        self._recorder = storage.recorder
        self._logger = logger
        self._readers = ReadingThreads()
        self._aggregates = Aggregates(storage, logger)
        self._writer = GroupCommit(self._store, logger)
        self._closed = False
        self.position = 0
        self.error: str | None = None
        """Why the last write failed for every request; None if it did not."""
        self._reader = EventReader(storage.recorder, storage.events.mapper)
        self._listeners = Listeners(logger)
        self._loop: asyncio.AbstractEventLoop | None = None

    def on_commit(self, listener: Callable[[int], None]) -> None:
        """Call `listener` with the log position of every commit, in the event loop."""
        self._listeners.of_commits.append(listener)

    def on_append(self, listener: Callable[[float], None]) -> None:
        """Call `listener` with the seconds that each append took, from the request to its acknowledgement."""
        self._listeners.of_appends.append(listener)

    def on_late_commit(self, listener: Callable[[Sequence[Event]], None]) -> None:
        """Call `listener` with events that are stored although their append raised an error, in the event loop.

        So it is when the connection to a database is lost before the answer to a commit, and comes back later.
        """
        self._listeners.of_late_commits.append(listener)

    def on_others(self, listener: Callable[[Sequence[Event]], None]) -> None:
        """Call `listener` with the events that other instances have stored, in their order, in the event loop."""
        self._listeners.of_others.append(listener)

    @abstractmethod
    def instances(self, me: Instance, position_and_head: PositionAndHead) -> Instances:
        """Return the instances that share this log, of which this process is `me`."""

    @abstractmethod
    async def keep(self, clock: Clock) -> None:
        """Watch the log for as long as the service runs, also while nothing is written.

        Raises:
            EventLogInUse: another process has taken it.
            LogChanged: it was changed. What this process remembers of it is not true any more.

        """

    async def load(self, kind: type[TAggregate], stream_id: str) -> TAggregate | None:
        """Return an aggregate from its snapshot and events; None if it has none."""
        return await self._read(partial(self._aggregates.load, kind, stream_id))

    async def load_many(self, kind: type[TAggregate], stream_ids: Sequence[str]) -> dict[str, TAggregate]:
        """Return several aggregates by id; one that cannot be read is omitted and logged."""
        return await self._read(partial(self._aggregates.load_many, kind, stream_ids))

    async def load_versions(self, kind: type[TAggregate], versions: Sequence[tuple[str, int]]) -> list[TAggregate]:
        """Return aggregates, each at one version, in the given order, without those that do not exist."""
        found: list[TAggregate] = []
        for parts in (versions[n : n + LOADED_AT_ONCE] for n in range(0, len(versions), LOADED_AT_ONCE)):
            found += await self._read(partial(self._aggregates.load_versions, kind, parts))
        return found

    async def select(self, *kinds: type[TEvent]) -> list[TEvent]:
        """Return all events of these kinds, in the order in which they were stored."""

        def select() -> list[TEvent]:
            return [event for event in self._reader.of([kind.topic for kind in kinds]) if isinstance(event, kinds)]

        return await self._read(select)

    async def append(
        self, events: Sequence[Event], snapshots: Sequence[Snapshot] = (), *, as_owner_of: str | None = None
    ) -> int:
        """Store the events in one transaction with other waiting requests; return the position of the last."""
        if not events:
            return 0
        self._loop = asyncio.get_running_loop()
        began = perf_counter()
        try:
            position = await self._writer.submit(events, snapshots, as_owner_of)
        except UnknownRegistration:
            await self.follow()
            raise
        self.position = max(self.position, position)
        self._listeners.appended(perf_counter() - began)
        self._listeners.committed(position)
        return position

    @abstractmethod
    async def follow(self) -> None:
        """Take in what other instances have stored."""

    async def read_from(self, position: int, limit: int) -> list[tuple[int, Event]]:
        """Return events after a log position, in the order in which they were stored."""
        return await self._read(partial(self._reader.after, position, limit))

    async def head(self) -> int:
        """Return the position of the last event in the log; 0 if it is empty."""
        return await self._read(self._reader.head)

    async def seal(self) -> Seal:
        """Return the last seal of the log."""
        return await self._read(self._recorder.last_seal)

    async def check_writable(self) -> None:
        """Commit a write that stores no event.

        Raises:
            StorageUnavailable: the log cannot be written now.

        """
        self._loop = asyncio.get_running_loop()
        await self._writer.submit((), ())

    async def drop_snapshots(self) -> None:
        """Delete all snapshots: they are derived, and every aggregate can be loaded without them.

        Raises:
            StorageUnavailable: the log cannot be written now.

        """
        try:
            await asyncio.to_thread(self._storage.drop_snapshots)
        except DATABASE_ERRORS as error:
            raise StorageUnavailable(f"the snapshots cannot be dropped: {error}") from error

    def close(self) -> None:
        """Finish waiting writes, refuse later ones, and close the database."""
        self._closed = True
        # Before the last writes: otherwise they wait for queries that a silent server does not answer.
        self._storage.stop_reading()
        self._writer.close()
        self._readers.shutdown()
        self._storage.close()

    async def _is_away(self, before: bool, check: Callable[[], Awaitable[None]]) -> bool:  # noqa: FBT001 - a state
        """Return whether the log cannot be written, by a check; log a change of that."""
        try:
            await check()
        except (EventLogInUse, LogChanged):
            raise
        except StorageUnavailable as error:
            if not before:
                self._logger.error("event_log_unavailable", error=str(error))
            return True
        if before:
            self._logger.info("event_log_available")
        return False

    async def _read(self, function: Callable[[], T]) -> T:
        if self._closed:
            raise StorageUnavailable("the event log is closed: the service is stopping")
        try:
            return await self._readers.run(partial(self._storage.read, function))
        except DATABASE_ERRORS as error:
            raise StorageUnavailable(f"the event log cannot be read: {error}") from error

    def _store(self, requests: Sequence[WriteRequest]) -> list[int]:
        """Store the events of all requests in one transaction, in the writer's thread; return their last positions."""
        events = [event for request in requests for event in request.events]
        owners = {request.as_owner_of for request in requests if request.as_owner_of is not None}
        positions = self._write(events, owners)
        self._store_snapshots(requests)
        return _last_positions(requests, positions)

    def _write(self, events: Sequence[Event], owners: Collection[str]) -> Sequence[int]:
        try:
            positions = self._write_or_beat(events, owners)
        except (*UNAVAILABLE, StorageUnavailable) as error:
            self.error = str(error)
            if isinstance(error, StoredLate) and self._loop is not None:
                # Before anyone learns that the request failed: its cause may be what these events have changed.
                self._loop.call_soon_threadsafe(self._tell_late, error)
            raise
        self.error = None
        return positions

    def _write_or_beat(self, events: Sequence[Event], owners: Collection[str]) -> Sequence[int]:
        if events:
            return self._storage.write(events, owners)
        self._storage.write_heartbeat()
        return ()

    def _tell_late(self, late: StoredLate) -> None:
        events = [cast("Event", self._storage.events.mapper.to_domain_event(stored)) for stored in late.stored]
        self.position = max(self.position, late.position)
        self._listeners.stored_late(events)
        self._listeners.committed(late.position)

    def _store_snapshots(self, requests: Sequence[WriteRequest]) -> None:
        """Store the snapshots of the requests. A failure is only logged: the events are stored already."""
        snapshots = [snapshot for request in requests for snapshot in request.snapshots]
        if not snapshots:
            return
        try:
            self._storage.write_snapshots(snapshots)
        except Exception as error:
            self._logger.warning("snapshots_not_stored", streams=[s.originator_id for s in snapshots], exc_info=error)


def _last_positions(requests: Sequence[WriteRequest], positions: Sequence[int]) -> list[int]:
    """Return the position of the last event of each request; 0 for a request without events."""
    ends = accumulate(len(request.events) for request in requests)
    return [positions[end - 1] if request.events else 0 for request, end in zip(requests, ends, strict=True)]
