"""Where a test has its log: in an SQLite file or in a PostgreSQL schema, opened and looked into in the same way."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

from adapters.event_log import postgres_copying, seals, sqlite_copying, sqlite_stored_log, stream_check
from adapters.event_log.copying import Source, Target
from adapters.event_log.database_log import DatabaseEventLog
from adapters.event_log.postgres_store import PostgresEventLog, database_of
from adapters.event_log.postgres_stored_log import stored_log
from adapters.event_log.seals import Seal, Verdict
from adapters.event_log.sqlite import sqlite3
from adapters.event_log.sqlite_store import SQLiteEventLog
from adapters.event_log.stored_log import StoredLog
from adapters.event_log.stream_check import Findings
from domain.events import Event, Trace
from domain.ports import Log
from domain.replication_job import ReplicationJob
from tests.support import postgres
from tests.support.builders import NOON, registration


class Place(Protocol):
    """A log, whether it is open or not."""

    @property
    def name(self) -> str:
        """Return how messages name it."""

    @property
    def address(self) -> tuple[str, str]:
        """Return its URL and its schema, as for `job-recovery copy`."""

    def open(self, logger: Log | None = None) -> DatabaseEventLog:
        """Open or create it."""

    def stored(self) -> AbstractContextManager[StoredLog]:
        """Open it for checking."""

    def source(self) -> AbstractContextManager[Source]:
        """Open it to copy from it."""

    def target(self, source: str) -> AbstractContextManager[Target]:
        """Open it to copy to it from the log of this name."""

    def execute(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Execute a statement with `?` for each value and `position` for the column of positions; return the rows."""


class SQLitePlace:
    """A file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = str(path)
        self.address = f"sqlite:///{path}", ""

    def open(self, logger: Log | None = None) -> DatabaseEventLog:
        return SQLiteEventLog(self.path, logger=logger)

    def stored(self) -> AbstractContextManager[StoredLog]:
        return sqlite_stored_log.stored_log(self.path)

    def source(self) -> AbstractContextManager[Source]:
        return sqlite_copying.source(self.path)

    def target(self, source: str) -> AbstractContextManager[Target]:
        return sqlite_copying.target(self.path, source)

    def execute(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.path)) as connection, connection:
            return connection.execute(statement.replace("position", "rowid"), values).fetchall()


class PostgresPlace:
    """A schema."""

    def __init__(self, schema: str, url: str = postgres.SERVER) -> None:
        self.schema, self.url = schema, url
        self.address = url, schema
        self.database = database_of(url, schema)
        self.name = self.database.place

    def open(self, logger: Log | None = None, *, patience: float = 10) -> DatabaseEventLog:
        """Open it; wait for so many seconds for a session that has just ended, and has the lock still."""
        return PostgresEventLog(self.url, self.schema, patience=patience, logger=logger)

    def stored(self) -> AbstractContextManager[StoredLog]:
        return stored_log(self.database)

    def source(self) -> AbstractContextManager[Source]:
        return postgres_copying.source(self.database)

    def target(self, source: str) -> AbstractContextManager[Target]:
        return postgres_copying.target(self.database, source)

    def execute(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        text = statement.replace("position", "notification_id").replace("?", "%s")
        return postgres.execute(text, *values, schema=self.schema)


def verify(place: Place, expected: Seal | None = None) -> Verdict:
    """Check a log against its seals."""
    with place.stored() as log:
        return seals.verify(log, expected)


def check_streams(place: Place) -> Findings:
    """Fold all streams of a log."""
    with place.stored() as log:
        return stream_check.check_streams(log)


@contextmanager
def opened(place: Place) -> Iterator[DatabaseEventLog]:
    """Open a log for a block."""
    with closing(place.open()) as log:
        yield log


def change_state(place: Place, table: str, change: Callable[[bytes], bytes], where: str = "1 = 1") -> int:
    """Change the state of rows behind the log's back; return how many they were."""
    rows = place.execute(f"SELECT originator_id, originator_version, state FROM {table} WHERE {where}")  # noqa: S608
    for stream, version, state in rows:
        update = f"UPDATE {table} SET state = ? WHERE originator_id = ? AND originator_version = ?"  # noqa: S608
        place.execute(update, change(state), stream, version)
    return len(rows)


def registered(job_id: str) -> list[Event]:
    """Return the events of a new job."""
    job = ReplicationJob(id=job_id)
    job.register(registration(job.id, vm_context_id=f"ctx-{job_id}"), NOON, Trace("r", "r"))
    return job.pending
