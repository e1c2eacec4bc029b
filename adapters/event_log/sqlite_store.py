"""The event log in one SQLite file."""

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from eventsourcing.persistence import StoredEvent

from adapters.event_log import sqlite_file
from adapters.event_log.database_errors import DATABASE_ERRORS
from adapters.event_log.database_log import DatabaseEventLog
from adapters.event_log.history import AnotherEnd, History
from adapters.event_log.sole_instance import SoleInstance
from adapters.event_log.sqlite_application import open_events
from adapters.event_log.sqlite_recorder import SealingRecorder
from adapters.null_logger import NullLogger
from domain.aggregate import Snapshot
from domain.events import Event
from domain.ports import Clock, Instance, Log, PositionAndHead

if TYPE_CHECKING:
    from eventsourcing.persistence import EventStore

    from domain.errors import LogChanged

T = TypeVar("T")

WATCH = 0.5
"""Seconds between two looks at the file."""

LAST_SNAPSHOTS = """
SELECT originator_id, max(originator_version), topic, state FROM stored_snapshots
WHERE originator_id IN ({ids}) GROUP BY originator_id
"""
"""With one max(), SQLite takes the other columns from the row that has it."""

EVENTS_AFTER = """
WITH known (id, version) AS (VALUES {rows})
SELECT originator_id, originator_version, topic, state
FROM known CROSS JOIN stored_events ON originator_id = id AND originator_version > version
ORDER BY originator_id, originator_version
"""
"""CROSS JOIN: one search of the index for each stream, in whatever order the planner would have them."""


class SQLiteStorage:
    """One file, through the library's application."""

    def __init__(self, path: Path, synchronous: str) -> None:
        """Open or create it."""
        self._application = open_events(path, synchronous)
        self._path, self._opened = path, path.stat()
        self._changed: LogChanged | None = None
        self.recorder = cast("SealingRecorder", self._application.recorder)
        self.events = self._application.events
        self.snapshots = cast("EventStore[str]", self._application.snapshots)

    def last_snapshots(self, stream_ids: Sequence[str]) -> list[StoredEvent]:
        """Return the last snapshot of each of these streams that has one."""
        return self._select(LAST_SNAPSHOTS.format(ids=", ".join("?" * len(stream_ids))), list(stream_ids))

    def events_after(self, versions: Mapping[str, int]) -> list[StoredEvent]:
        """Return the events of these streams after a version of each, in the order of their versions."""
        rows = ", ".join(["(?, ?)"] * len(versions))
        return self._select(EVENTS_AFTER.format(rows=rows), list(chain.from_iterable(versions.items())))

    def remember(self) -> None:
        """Recognise from now on that the log was changed by others. Called when it was checked."""
        self.recorder.history = self._history = History(self.recorder.last_seal())

    def write(self, events: Sequence[Event], as_owner_of: Collection[str] = ()) -> Sequence[int]:  # noqa: ARG002 - a protocol
        """Store the events and their seal in one transaction; return their positions. There are no other owners.

        Raises:
            LogChanged: the log does not end as this process left it.

        """
        self.check_file()
        with self._recognising():
            positions = self.recorder.store([self.events.mapper.to_stored_event(event) for event in events])
        self._history.add(self.recorder.sealed)
        return positions

    def write_heartbeat(self) -> None:
        """Write a row that is not an event, to check that writing works.

        Raises:
            LogChanged: the log does not end as this process left it.

        """
        self.check_file()
        with self._recognising(), self.recorder.datastore.transaction(commit=True) as cursor:
            cursor.execute("CREATE TABLE IF NOT EXISTS heartbeat (id INTEGER PRIMARY KEY, beats INTEGER)")
            cursor.execute("INSERT INTO heartbeat VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET beats = beats + 1")
            self.recorder.check_end(cursor)

    @contextmanager
    def _recognising(self) -> Iterator[None]:
        try:
            yield
        except AnotherEnd:
            common = self.recorder.last_common(self._history.seals)
            self._changed = self._history.changed(self._path, self.recorder.last_seal(), common)
            raise self._changed from None

    def write_snapshots(self, snapshots: Sequence[Snapshot]) -> None:
        """Store snapshots."""
        self.snapshots.put(cast("Sequence[Any]", snapshots))

    def drop_snapshots(self) -> None:
        """Delete all snapshots."""
        with self.recorder.datastore.transaction(commit=True) as cursor:
            cursor.execute("DELETE FROM stored_snapshots")

    def check_file(self) -> None:
        """Check that the file has not been replaced, moved away or deleted, and its content by no write of another."""
        if self._changed is not None:
            raise self._changed
        sqlite_file.check_same(self._path, self._opened)

    def read(self, query: Callable[[], T]) -> T:
        """Return what the query returns."""
        return query()

    def stop_reading(self) -> None:
        """Let reads finish: those of a file do not wait."""

    def close(self) -> None:
        """Close the file."""
        self._application.close()

    def _select(self, query: str, parameters: Sequence[str | int]) -> list[StoredEvent]:
        with self.recorder.datastore.transaction(commit=False) as cursor:
            cursor.execute(query, parameters)
            return [StoredEvent(*row) for row in cursor.fetchall()]


class SQLiteEventLog(DatabaseEventLog):
    """The event log in one SQLite file."""

    _recorder: SealingRecorder
    _storage: SQLiteStorage

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
            storage = SQLiteStorage(path, synchronous)
            sealed = sqlite_file.check(path, storage.recorder)
            storage.remember()
        except DATABASE_ERRORS as error:
            raise sqlite_file.cannot_open(path, error) from error
        super().__init__(storage, logger or NullLogger())
        if sealed:
            self._logger.warning("event_log_sealed", path=str(path), events=sealed)

    def instances(self, me: Instance, _position_and_head: PositionAndHead) -> SoleInstance:
        """Return this process, the only one on its log."""
        return SoleInstance(me)

    async def follow(self) -> None:
        """Return: a file has no other instances."""

    async def keep(self, clock: Clock) -> None:
        """Watch the file, also while nothing is written.

        Raises:
            LogChanged: it was replaced by another one. What this process remembers of the log is not true any more.

        """
        away = False
        while True:
            await clock.sleep(WATCH)
            away = await self._is_away(away, partial(asyncio.to_thread, self._storage.check_file))
