"""The event log on SQLite: the eventsourcing library's application, with our mapper and a writer in groups.

Reading folds the last usable snapshot and the events after it. Writing goes through `GroupCommit`: the events of many
jobs in one transaction, each request acknowledged after the commit. Snapshots are derived: one that cannot be written,
or used, fails nothing.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, TypeVar, cast

from eventsourcing.persistence import EventStore, Notification

from adapters.event_log import log_file
from adapters.event_log.group_commit import DATABASE, GroupCommit, WriteRequest
from adapters.event_log.mapper import unreadable
from adapters.event_log.seals import Seal, SealingRecorder, verify
from adapters.event_log.sqlite_application import open_events
from domain.aggregate import Snapshot
from domain.errors import StorageUnavailable
from domain.events import Event
from domain.ports import Log, TAggregate, TEvent
from domain.streams import FOLD_ERRORS

T = TypeVar("T")

READERS = 2
"""Threads that read. More would only queue for the interpreter."""

ALL = -1
"""SQLite's word for no limit."""


class _NoLog:
    """Says nothing, for programs that keep no log."""

    def info(self, event: str, /, **fields: object) -> None:
        """Say nothing."""

    warning = error = info


class SQLiteEventLog:
    """The domain's event log port, and the notification log that projections read."""

    def __init__(self, path: Path, *, synchronous: str = "FULL", log: Log | None = None) -> None:
        """Open or create the log, look through all of its pages, and check every event against its seal.

        That takes about 0.4 s per 100,000 events (92 MB), 0.07 s of them for the pages. What is decided rests on each
        event: a bit that turned in one that can still be read would be believed.

        Args:
            path: the SQLite file.
            synchronous: SQLite's setting; FULL makes every acknowledged event survive a loss of power.
            log: told of what fails and is not the caller's concern.

        Raises:
            StorageUnavailable: the file cannot be opened, is damaged or was changed; the message says what to do.

        """
        try:
            self._events = open_events(path, synchronous)
            self._recorder = cast("SealingRecorder", self._events.recorder)
            self._check(path)
        except DATABASE as error:
            # The library lets SQLite's own error through for a file that is none of its own.
            raise log_file.not_opened(path, error) from error
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="event-reader")
        self._log = log or _NoLog()
        self._writer = GroupCommit(self._store, self._log)
        self._closed = False
        self.position = 0
        self._on_commit: list[Callable[[int], None]] = []
        self._on_append: list[Callable[[float], None]] = []

    def on_commit(self, listener: Callable[[int], None]) -> None:
        """Have `listener` told the log position of every commit, in the event loop."""
        self._on_commit.append(listener)

    def on_append(self, listener: Callable[[float], None]) -> None:
        """Have `listener` told how many seconds each append took, from the request to its acknowledgement."""
        self._on_append.append(listener)

    async def load(self, kind: type[TAggregate], stream_id: str) -> TAggregate | None:
        """Rebuild an aggregate from its snapshot and events; None if it has none."""
        return await self._read(partial(self._load, kind, stream_id))

    async def load_many(self, kind: type[TAggregate], stream_ids: Sequence[str]) -> dict[str, TAggregate]:
        """Rebuild several aggregates in one go; one that cannot be read is left out and reported."""

        def load_all() -> dict[str, TAggregate]:
            loaded = ((stream_id, self._load_or_report(kind, stream_id)) for stream_id in stream_ids)
            return {stream_id: found for stream_id, found in loaded if found is not None}

        return await self._read(load_all)

    async def load_versions(self, kind: type[TAggregate], versions: Sequence[tuple[str, int]]) -> list[TAggregate]:
        """Rebuild aggregates as they were at a version each, in the order asked for; what there is not is left out."""

        def load_all() -> list[TAggregate]:
            loaded = (self._load(kind, stream_id, version) for stream_id, version in versions)
            return [found for found in loaded if found is not None]

        return await self._read(load_all)

    async def select(self, *kinds: type[TEvent]) -> list[TEvent]:
        """Return all events of these kinds, in the order in which they were stored."""

        def select() -> list[TEvent]:
            found = self._recorder.select_notifications(start=None, limit=ALL, topics=[kind.topic for kind in kinds])
            return [event for _, event in map(self._entry, found) if isinstance(event, kinds)]

        return await self._read(select)

    async def append(self, events: Sequence[Event], snapshots: Sequence[Snapshot] = ()) -> int:
        """Store the events in one transaction, together with others that are waiting; return the position."""
        if not events:
            return 0
        began = perf_counter()
        position = await self._writer.submit(events, snapshots)
        self.position = max(self.position, position)
        took = perf_counter() - began
        for heard in self._on_append:
            self._tell(partial(heard, took))
        for listener in self._on_commit:
            self._tell(partial(listener, position))
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
        """Take and give back the write lock.

        Raises:
            StorageUnavailable: the log cannot be written now.

        """
        await self._writer.submit((), ())

    def close(self) -> None:
        """Let waiting writes and reads finish, refuse later ones, and close the file."""
        self._closed = True
        self._writer.close()
        self._readers.shutdown()
        self._events.close()

    def _tell(self, listener: Callable[[], None]) -> None:
        """Call a listener. One that raises does not make stored events look as if they were not."""
        try:
            listener()
        except Exception as error:  # noqa: BLE001 - logged; the events are stored
            self._log.error("event_log_listener_failed", exc_info=error)

    def _check(self, path: Path) -> None:
        """Refuse a log that does not hold."""
        if (damage := self._recorder.damage()) is not None:
            raise log_file.damaged(path, damage)
        self._recorder.seal_rest()
        verdict = verify(path, whole=False)
        if verdict.broken_at is not None:
            raise log_file.not_as_sealed(path, verdict)

    def _entry(self, notification: Notification) -> tuple[int, Event]:
        """Return an event with its position; one that cannot be decoded must not hide those after it."""
        try:
            return notification.id, cast("Event", self._events.mapper.to_domain_event(notification))
        except StorageUnavailable as error:
            return notification.id, unreadable(notification, str(error))

    def _load_or_report(self, kind: type[TAggregate], stream_id: str) -> TAggregate | None:
        try:
            return self._load(kind, stream_id)
        except StorageUnavailable as error:
            self._log.error("stream_not_loaded", stream=stream_id, error=str(error))
            return None

    def _load(self, kind: type[TAggregate], stream_id: str, version: int | None = None) -> TAggregate | None:
        """Rebuild an aggregate.

        Raises:
            StorageUnavailable: an event of it cannot be decoded or applied: nothing is decided from the rest.

        """
        found = cast("Snapshot | None", next(self._snapshots.get(stream_id, lte=version, desc=True, limit=1), None))
        snapshot = found if found is not None and found.topic == kind.kind else None
        events = self._events.events.get(stream_id, gt=snapshot.originator_version if snapshot else None, lte=version)
        history = cast("Iterator[Event]", events)
        begun = kind.fold(None, [snapshot]) if snapshot else None
        try:
            return kind.fold(begun, history)
        except FOLD_ERRORS as error:
            why = f"the events of {stream_id} cannot be applied ({type(error).__name__}: {error})"
            raise StorageUnavailable(f"{why}: see `job-recovery verify`") from error

    @property
    def _snapshots(self) -> EventStore[str]:
        return cast("EventStore[str]", self._events.snapshots)

    async def _read(self, function: Callable[[], T]) -> T:
        if self._closed:
            raise StorageUnavailable("the event log is closed: the service is stopping")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._readers, function)
        except DATABASE as error:
            raise StorageUnavailable(f"the event log cannot be read: {error}") from error

    def _store(self, requests: Sequence[WriteRequest]) -> list[int]:
        """Store the events of all requests in one transaction; runs in the writer's thread."""
        events = [event for request in requests for event in request.events]
        if not events:
            self._beat()
        positions = [recording.notification.id for recording in self._events.events.put(events)]
        self._store_snapshots(requests)
        return _last_positions(requests, positions)

    def _beat(self) -> None:
        """Write something that is not an event, to see whether writing works."""
        with self._recorder.datastore.transaction(commit=True) as cursor:
            cursor.execute("CREATE TABLE IF NOT EXISTS heartbeat (id INTEGER PRIMARY KEY, beats INTEGER)")
            cursor.execute("INSERT INTO heartbeat VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET beats = beats + 1")

    def _store_snapshots(self, requests: Sequence[WriteRequest]) -> None:
        """Store the snapshots that are due. The events are stored already: a failure is logged and forgotten."""
        snapshots: list[Any] = [snapshot for request in requests for snapshot in request.snapshots]
        if not snapshots:
            return
        try:
            self._snapshots.put(snapshots)
        except Exception as error:  # noqa: BLE001 - logged; whatever it is, the events are stored
            self._log.warning("snapshots_not_stored", streams=[s.originator_id for s in snapshots], exc_info=error)


def _last_positions(requests: Sequence[WriteRequest], positions: Sequence[int]) -> list[int]:
    """Give each request the position of its own last event."""
    last, done = [], 0
    for request in requests:
        done += len(request.events)
        last.append(positions[done - 1] if request.events else 0)
    return last
