"""The event log in a schema of a PostgreSQL database."""

import time
from collections.abc import Callable, Mapping, Sequence
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
from domain.ports import Clock, Log

T = TypeVar("T")

PATIENCE = 15.0
"""Seconds that a start waits for the server, for a free connection, and for the lock. The server needs 11 s to notice
that the machine of the last owner is gone."""

PAUSE = 1.0
"""Seconds between two attempts."""

HEARTBEAT = 5.0
"""Seconds between two heartbeats while all is well."""

WATCH = 0.5
"""Seconds between two looks, and between two heartbeats while the log cannot be written."""


class PostgresStorage:
    """One schema, through the library's recorders: a pool of readers and one writer."""

    def __init__(self, database: Database) -> None:
        """Connect, create the tables if necessary, and take the lock."""
        self._readers = Readers(database)
        self._writer = Writer(database, self._readers.renew)
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

    def write(self, events: Sequence[Event]) -> Sequence[int]:
        """Store the events and their seal in one transaction; return their positions."""
        return self._writer.write([self._mapper.to_stored_event(event) for event in events])

    def write_heartbeat(self) -> None:
        """Commit a row that is not an event, to check that writing works."""
        self._writer.write_heartbeat()

    def write_snapshots(self, snapshots: Sequence[Snapshot]) -> None:
        """Store snapshots."""
        self._writer.write_snapshots([self._mapper.to_stored_event(snapshot) for snapshot in snapshots])

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
        self._writer.close()
        self._readers.close()


class PostgresEventLog(DatabaseEventLog):
    """The event log in a schema of a PostgreSQL database."""

    def __init__(self, url: str, schema: str, *, patience: float = PATIENCE, logger: Log | None = None) -> None:
        """Connect, create the tables if necessary, take the lock, and check every event against its seal.

        Args:
            url: the database, in a form of libpq.
            schema: where the tables are.
            patience: seconds to wait for the server and for the lock.
            logger: gets the reason of the wait, and the errors that no caller gets.

        Raises:
            EventLogInUse: another process writes this log.
            StorageUnavailable: the server cannot be used now, or the log was changed; the message says what to do.

        """
        logger = logger or NullLogger()
        super().__init__(_opened(database_of(url, schema), patience, logger), logger)

    async def keep(self, clock: Clock) -> None:
        """Connect again whenever the connection is lost, also while nothing is written.

        Raises:
            EventLogInUse: meanwhile another process has taken the log.
            LogChanged: meanwhile the log was changed. What this process remembers of it is not true any more.

        """
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


def _opened(database: Database, patience: float, logger: Log) -> PostgresStorage:
    give_up = monotonic() + patience
    while True:
        try:
            storage = PostgresStorage(database)
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
