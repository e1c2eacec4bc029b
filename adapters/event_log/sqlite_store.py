"""The event log on SQLite: the eventsourcing library's application, with our mapper and group commit.

`GroupCommit` writes the events of many jobs in one transaction, and acknowledges each request after the commit. A
snapshot that cannot be written is no error: it is derived.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import accumulate
from pathlib import Path
from time import perf_counter
from typing import Any, TypeVar, cast

from eventsourcing.persistence import Notification

from adapters.event_log import log_file
from adapters.event_log.aggregates import Aggregates
from adapters.event_log.group_commit import DATABASE_ERRORS, GroupCommit, WriteRequest
from adapters.event_log.mapper import unreadable
from adapters.event_log.seals import Seal, SealingRecorder
from adapters.event_log.sqlite_application import open_events
from adapters.null_logger import NullLogger
from domain.aggregate import Snapshot
from domain.errors import StorageUnavailable
from domain.events import Event
from domain.ports import Log, TAggregate, TEvent

T = TypeVar("T")

READERS = 2
"""Threads that read. More would only wait for the interpreter's lock."""

NO_LIMIT = -1
"""SQLite's value for no limit."""


class SQLiteEventLog:
    """The event log port of the domain, and the notification log of the projections."""

    def __init__(self, path: Path, *, synchronous: str = "FULL", logger: Log | None = None) -> None:
        """Open or create the log, check all of its pages, and check every event against its seal.

        That takes about 0.4 s per 100,000 events (92 MB), 0.07 s of them for the pages. A changed bit in a readable
        event would otherwise change decisions.

        Args:
            path: the SQLite file.
            synchronous: SQLite's setting; FULL makes every acknowledged event survive a loss of power.
            logger: gets the errors that no caller gets.

        Raises:
            StorageUnavailable: the file cannot be opened, is damaged or was changed; the message says what to do.

        """
        try:
            self._events = open_events(path, synchronous)
            self._recorder = cast("SealingRecorder", self._events.recorder)
            log_file.check(path, self._recorder)
        except DATABASE_ERRORS as error:
            raise log_file.cannot_open(path, error) from error
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="event-reader")
        self._logger = logger or NullLogger()
        self._aggregates = Aggregates(self._events, self._logger)
        self._writer = GroupCommit(self._store, self._logger)
        self._closed = False
        self.position = 0
        self._on_commit: list[Callable[[int], None]] = []
        self._on_append: list[Callable[[float], None]] = []

    def on_commit(self, listener: Callable[[int], None]) -> None:
        """Call `listener` with the log position of every commit, in the event loop."""
        self._on_commit.append(listener)

    def on_append(self, listener: Callable[[float], None]) -> None:
        """Call `listener` with the seconds that each append took, from the request to its acknowledgement."""
        self._on_append.append(listener)

    async def load(self, kind: type[TAggregate], stream_id: str) -> TAggregate | None:
        """Return an aggregate from its snapshot and events; None if it has none."""
        return await self._read(partial(self._aggregates.load, kind, stream_id))

    async def load_many(self, kind: type[TAggregate], stream_ids: Sequence[str]) -> dict[str, TAggregate]:
        """Return several aggregates by id; one that cannot be read is omitted and logged."""
        return await self._read(partial(self._aggregates.load_many, kind, stream_ids))

    async def load_versions(self, kind: type[TAggregate], versions: Sequence[tuple[str, int]]) -> list[TAggregate]:
        """Return aggregates, each at one version, in the given order, without those that do not exist."""
        return await self._read(partial(self._aggregates.load_versions, kind, versions))

    async def select(self, *kinds: type[TEvent]) -> list[TEvent]:
        """Return all events of these kinds, in the order in which they were stored."""

        def select() -> list[TEvent]:
            topics = [kind.topic for kind in kinds]
            found = self._recorder.select_notifications(start=None, limit=NO_LIMIT, topics=topics)
            return [event for _, event in map(self._entry, found) if isinstance(event, kinds)]

        return await self._read(select)

    async def append(self, events: Sequence[Event], snapshots: Sequence[Snapshot] = ()) -> int:
        """Store the events in one transaction with other waiting requests; return the position of the last."""
        if not events:
            return 0
        began = perf_counter()
        position = await self._writer.submit(events, snapshots)
        self.position = max(self.position, position)
        took = perf_counter() - began
        for on_append in self._on_append:
            self._notify(partial(on_append, took))
        for on_commit in self._on_commit:
            self._notify(partial(on_commit, position))
        return position

    async def read_from(self, position: int, limit: int) -> list[tuple[int, Event]]:
        """Return events after a log position, in the order in which they were stored."""

        def select() -> list[tuple[int, Event]]:
            found = self._recorder.select_notifications(start=position, limit=limit, inclusive_of_start=False)
            return [self._entry(notification) for notification in found]

        return await self._read(select)

    async def head(self) -> int:
        """Return the position of the last event in the log; 0 if it is empty."""
        return await self._read(lambda: self._recorder.max_notification_id() or 0)

    async def seal(self) -> Seal:
        """Return the last seal of the log."""
        return await self._read(self._recorder.last_seal)

    async def check_writable(self) -> None:
        """Commit a write that stores no event.

        Raises:
            StorageUnavailable: the log cannot be written now.

        """
        await self._writer.submit((), ())

    def close(self) -> None:
        """Finish waiting writes and reads, refuse later ones, and close the file."""
        self._closed = True
        self._writer.close()
        self._readers.shutdown()
        self._events.close()

    def _notify(self, listener: Callable[[], None]) -> None:
        """Call a listener. Its error does not fail the append: the events are stored."""
        try:
            listener()
        except Exception as error:
            self._logger.error("event_log_listener_failed", exc_info=error)

    def _entry(self, notification: Notification) -> tuple[int, Event]:
        """Return an event with its position; one that cannot be decoded as `UnreadableEvent`."""
        try:
            return notification.id, cast("Event", self._events.mapper.to_domain_event(notification))
        except StorageUnavailable as error:
            return notification.id, unreadable(notification, str(error))

    async def _read(self, function: Callable[[], T]) -> T:
        if self._closed:
            raise StorageUnavailable("the event log is closed: the service is stopping")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._readers, function)
        except DATABASE_ERRORS as error:
            raise StorageUnavailable(f"the event log cannot be read: {error}") from error

    def _store(self, requests: Sequence[WriteRequest]) -> list[int]:
        """Store the events of all requests in one transaction, in the writer's thread; return their last positions."""
        events = [event for request in requests for event in request.events]
        if not events:
            self._write_heartbeat()
        positions = [recording.notification.id for recording in self._events.events.put(events)]
        self._store_snapshots(requests)
        return _last_positions(requests, positions)

    def _write_heartbeat(self) -> None:
        """Write a row that is not an event, to check that writing works."""
        with self._recorder.datastore.transaction(commit=True) as cursor:
            cursor.execute("CREATE TABLE IF NOT EXISTS heartbeat (id INTEGER PRIMARY KEY, beats INTEGER)")
            cursor.execute("INSERT INTO heartbeat VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET beats = beats + 1")

    def _store_snapshots(self, requests: Sequence[WriteRequest]) -> None:
        """Store the snapshots of the requests. A failure is only logged: the events are stored already."""
        snapshots: list[Any] = [snapshot for request in requests for snapshot in request.snapshots]
        if not snapshots:
            return
        try:
            self._aggregates.snapshots.put(snapshots)
        except Exception as error:
            self._logger.warning("snapshots_not_stored", streams=[s.originator_id for s in snapshots], exc_info=error)


def _last_positions(requests: Sequence[WriteRequest], positions: Sequence[int]) -> list[int]:
    """Return the position of the last event of each request; 0 for a request without events."""
    ends = accumulate(len(request.events) for request in requests)
    return [positions[end - 1] if request.events else 0 for request, end in zip(requests, ends, strict=True)]
