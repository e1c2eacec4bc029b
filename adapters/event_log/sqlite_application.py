"""The eventsourcing library's application over one SQLite file, with our mapper, recorder and connections."""

from pathlib import Path
from typing import cast

from eventsourcing.application import Application
from eventsourcing.persistence import Mapper
from eventsourcing.sqlite import SQLiteConnection, SQLiteConnectionPool

from adapters.event_log.mapper import EventMapper
from adapters.event_log.sqlite_recorder import SealingRecorder

LOCK_TIMEOUT = 3
"""Seconds to wait for another program that locks the file; then the caller gets an error."""


class JobEvents(Application[str]):
    """The library's application over one SQLite file; text ids, explicit topics, snapshots."""

    is_snapshotting_enabled = True

    def construct_mapper(self) -> Mapper[str]:
        """Return our own mapper, which needs no transcoder."""
        return EventMapper()


class _Connections(SQLiteConnectionPool):
    """The library's connection pool, with a setting for durability."""

    def __init__(self, path: str, synchronous: str) -> None:
        self._synchronous = synchronous
        super().__init__(db_name=path, lock_timeout=LOCK_TIMEOUT)

    def _create_connection(self) -> SQLiteConnection:
        connection = super()._create_connection()
        connection.cursor().execute(f"PRAGMA synchronous={self._synchronous}")
        return connection

    def put_connection(self, conn: SQLiteConnection) -> None:
        """Return a connection to the pool; close one whose transaction was neither committed nor rolled back."""
        if not conn.closed and conn._sqlite_conn.in_transaction:  # noqa: SLF001 - the library has no name for it
            conn.close()
        super().put_connection(conn)


def open_events(path: Path, synchronous: str) -> JobEvents:
    """Open or create the file; `synchronous` is SQLite's setting for durability."""
    # As a quoted URI: the library interprets ":memory:" and "mode=memory" anywhere in a name.
    name = path.absolute().as_uri()
    environment = {
        "PERSISTENCE_MODULE": "eventsourcing.sqlite",
        "SQLITE_DBNAME": name,
        "ORIGINATOR_ID_TYPE": "text",
        "APPLICATION_RECORDER_TOPIC": f"{SealingRecorder.__module__}:{SealingRecorder.__qualname__}",
    }
    events = JobEvents(env=environment)
    recorder = cast("SealingRecorder", events.recorder)
    recorder.datastore.pool.close()
    # A connection that is opened later must not make an empty file in the place of one that was moved away.
    recorder.datastore.pool = _Connections(f"{name}?mode=rw", synchronous)
    return events
