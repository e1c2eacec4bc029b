"""The event log in a schema of a PostgreSQL database."""

import asyncio
import secrets
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from time import monotonic
from typing import TypeVar

from eventsourcing.persistence import EventStore, StoredEvent
from psycopg.errors import LockNotAvailable

from adapters.event_log import seals
from adapters.event_log.copying import refuse_unfinished
from adapters.event_log.database_errors import DATABASE_ERRORS, DatabaseUnavailable, EventLogInUse
from adapters.event_log.database_log import DatabaseEventLog
from adapters.event_log.mapper import EventMapper
from adapters.event_log.postgres_datastore import Readers
from adapters.event_log.postgres_instances import PostgresInstances
from adapters.event_log.postgres_place import record_place
from adapters.event_log.postgres_recorder import SealingRecorder, SnapshotRecorder
from adapters.event_log.postgres_session import Database
from adapters.event_log.postgres_stored_log import stored_log
from adapters.event_log.postgres_url import parameters_of
from adapters.event_log.postgres_writer import WORTH_REPEATING, Writer
from adapters.event_log.reading_threads import READERS
from adapters.null_logger import NullLogger
from domain.aggregate import Snapshot
from domain.errors import StorageUnavailable
from domain.events import Event
from domain.ports import Clock, Instance, Log, PositionAndHead

T = TypeVar("T")

PATIENCE = 15.0
"""Seconds that a start waits for the server, for a free connection, and for the lock. The server needs 11 s to notice
that the machine of the last owner is gone."""

PAUSE = 1.0
"""Seconds between two attempts."""

HEARTBEAT = 5.0
"""Seconds between two heartbeats while all is well."""

FOLLOW = 0.4
"""Seconds between two looks for what other instances have stored. A poll has no connection that dies unnoticed."""

FOLLOWED_AT_ONCE = 1000
"""Events of others that are taken in at once."""

WATCH = 0.5
"""Seconds between two looks, and between two heartbeats while the log cannot be written."""


class PostgresStorage:
    """One schema, through the library's recorders: a pool of readers and one writer."""

    def __init__(self, database: Database, instance: str) -> None:
        """Connect, create the tables if necessary, and take the locks of an instance."""
        self._readers = Readers(database)
        self.writer = Writer(database, self._readers.renew, instance)
        self._readers.open()
        self._mapper = EventMapper()
        self.recorder = SealingRecorder(self._readers)
        self.events: EventStore[str] = EventStore(self._mapper, self.recorder)
        self.snapshots: EventStore[str] = EventStore(self._mapper, SnapshotRecorder(self._readers))

    def last_snapshots(self, stream_ids: Sequence[str]) -> list[StoredEvent]:
        """Return the last snapshot of each of these streams that has one."""
        return self.recorder.last_snapshots(stream_ids)

    def events_after(self, versions: Mapping[str, int]) -> list[StoredEvent]:
        """Return the events of these streams after a version of each, in the order of their versions."""
        return self.recorder.events_after(versions)

    def write(self, events: Sequence[Event], as_owner_of: Collection[str] = ()) -> Sequence[int]:
        """Store the events and their seal in one transaction, as the owner of these shares; return their positions."""
        return self.writer.write([self._mapper.to_stored_event(event) for event in events], as_owner_of)

    def write_heartbeat(self) -> None:
        """Commit a row that is not an event, to check that writing works."""
        self.writer.write_heartbeat()

    def write_snapshots(self, snapshots: Sequence[Snapshot]) -> None:
        """Store snapshots."""
        self.writer.write_snapshots([self._mapper.to_stored_event(snapshot) for snapshot in snapshots])

    def drop_snapshots(self) -> None:
        """Delete all snapshots."""
        with self._readers.get_connection() as session:
            session.execute("DELETE FROM stored_snapshots")

    def read(self, query: Callable[[], T]) -> T:
        """Return what the query returns. The sessions of the pool may all have been lost with the server."""
        began = monotonic()
        for _ in range(READERS):
            try:
                return query()
            except DatabaseUnavailable as error:
                if isinstance(error.__cause__, LockNotAvailable):
                    raise DatabaseUnavailable(self.recorder.who_locks()) from error
                if not error.lost or monotonic() - began > WORTH_REPEATING:
                    raise
        return query()

    def stop_reading(self) -> None:
        """Have reads fail that wait for a session of the pool."""
        self._readers.close()

    def close(self) -> None:
        """Close all sessions."""
        self.writer.close()
        self._readers.close()


class PostgresEventLog(DatabaseEventLog):
    """The event log in a schema of a PostgreSQL database, which several instances share."""

    _storage: PostgresStorage

    def __init__(
        self,
        url: str,
        schema: str,
        *,
        instance: str | None = None,
        patience: float = PATIENCE,
        logger: Log | None = None,
    ) -> None:
        """Connect, create the tables if necessary, take the instance's locks, and check every event against its seal.

        Args:
            url: the database, in a form of libpq.
            schema: where the tables are.
            instance: the id of this instance, which no other has; one of its own by default.
            patience: seconds to wait for the server and for the lock.
            logger: gets the reason of the wait, and the errors that no caller gets.

        Raises:
            EventLogInUse: another process has this log for itself.
            StorageUnavailable: the server cannot be used now, or the log was changed; the message says what to do.

        """
        logger = logger or NullLogger()
        database = database_of(url, schema)
        super().__init__(_opened(database, instance or secrets.token_hex(16), patience, logger), logger)
        self._database = database
        self._following = asyncio.Lock()
        self._instances: PostgresInstances | None = None

    def instances(self, me: Instance, position_and_head: PositionAndHead) -> PostgresInstances:
        """Return the instances that share this log, of which this process is `me`."""
        self._instances = PostgresInstances(
            self._database, self._storage.writer, me, position_and_head, self._logger, self.check_writable
        )
        return self._instances

    def close(self) -> None:
        """Finish waiting writes, refuse later ones, and close all sessions."""
        if self._instances is not None:
            self._instances.close()
        super().close()

    async def follow(self) -> None:
        """Take in what other instances have stored."""
        async with self._following:
            while entries := await self._read(self._of_others):
                self._listeners.stored_by_others([event for _, event in entries])
                self._listeners.committed(entries[-1][0])
                await asyncio.to_thread(self._reach, entries[-1][0])

    async def keep(self, clock: Clock) -> None:
        """Connect again whenever the connection is lost, also while nothing is written, and follow the others.

        Raises:
            EventLogInUse: meanwhile another process has taken the log for itself.
            LogChanged: meanwhile the log was changed. What this process remembers of it is not true any more.

        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow_others(clock))
            group.create_task(self._keep_connected(clock))

    async def _follow_others(self, clock: Clock) -> None:
        while True:
            await clock.sleep(FOLLOW)
            # Why the log cannot be read is told by `_keep_connected`.
            with suppress(StorageUnavailable):
                await self.follow()

    def _of_others(self) -> list[tuple[int, Event]]:
        """Return the next events that others have stored, in a thread."""
        with self._storage.writer.followed() as followed:
            after = followed.position
        if self._reader.head() <= after:
            return []
        entries = self._reader.after(after, FOLLOWED_AT_ONCE)
        # What was committed before it was read is known as our own now.
        with self._storage.writer.followed() as followed:
            own = {position for position, _ in entries if position <= followed.position or followed.is_own(position)}
        return [entry for entry in entries if entry[0] not in own]

    def _reach(self, position: int) -> None:
        with self._storage.writer.followed() as followed:
            followed.reach(position)

    async def _keep_connected(self, clock: Clock) -> None:
        beat = clock.monotonic()
        away = False
        while True:
            await clock.sleep(WATCH)
            if away or self.error is not None or clock.monotonic() - beat >= HEARTBEAT:
                away, beat = await self._is_away(away, self.check_writable), clock.monotonic()


def database_of(url: str, schema: str) -> Database:
    """Return a database and a schema in it.

    Raises:
        ValueError: the URL cannot be read.

    """
    return Database(parameters_of(url), schema)


def _opened(database: Database, instance: str, patience: float, logger: Log) -> PostgresStorage:
    give_up = monotonic() + patience
    while True:
        try:
            storage = PostgresStorage(database, instance)
        except (DatabaseUnavailable, EventLogInUse) as error:
            if monotonic() >= give_up:
                raise _refusal(database, error) from None
            logger.warning("event_log_waited_for", where=database.place, why=str(error))
            time.sleep(PAUSE)
        except DATABASE_ERRORS as error:
            raise _refusal(database, error) from error
        else:
            return _checked(database, storage, logger)


def _refusal(database: Database, error: Exception) -> StorageUnavailable:
    if isinstance(error, EventLogInUse):
        return error
    why = f"the event log {database.place} cannot be opened: {error}"
    return StorageUnavailable(f"{why}. Correct this, and start again; no event is lost")


def _checked(database: Database, storage: PostgresStorage, logger: Log) -> PostgresStorage:
    try:
        _verify(database)
        if (before := record_place(database)) is not None:
            logger.warning("event_log_copied", where=database.place, copied_from=before)
    except BaseException as error:
        storage.close()
        if isinstance(error, DATABASE_ERRORS):
            raise _refusal(database, error) from error
        raise
    return storage


def _verify(database: Database) -> None:
    with stored_log(database) as log:
        refuse_unfinished(log, database.place)
        verdict = seals.verify(log, whole=False)
    if verdict.broken_at is not None:
        raise StorageUnavailable(
            f"the event log {database.place} fails verification at position {verdict.broken_at}: {verdict.why}. "
            f"{verdict.events} events before it are verified. Keep the schema as evidence and restore it from a "
            "backup; `job-recovery verify` verifies the copy"
        )
