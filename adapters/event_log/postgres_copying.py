"""A schema of a PostgreSQL database as the source or the target of a copy."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import Any

from psycopg.rows import tuple_row

from adapters.event_log.copying import Block
from adapters.event_log.postgres_errors import translating
from adapters.event_log.postgres_lock import acquire
from adapters.event_log.postgres_schema import check_known, exists, lock_key, mark_unfinished
from adapters.event_log.postgres_session import Database, Session
from adapters.event_log.postgres_setup import set_up
from adapters.event_log.postgres_stored_log import EVENTS
from adapters.event_log.seals import NOTHING_SEALED, Seal
from adapters.event_log.stored_log import SEALS, Row, SealRow
from domain.errors import NotFound

TIMEOUT, LOCK_TIMEOUT = 60.0, 10.0
"""Seconds for one statement, and for waiting for a lock of a table."""

PATIENCE = 5.0
"""Seconds that the lock of the log is waited for: the server may not have noticed yet that a copy was killed."""

COPY_EVENTS = """
COPY stored_events (notification_id, originator_id, originator_version, topic, state) FROM STDIN (FORMAT BINARY)
"""
COPY_SEALS = "COPY seals (first, last, digests, hash) FROM STDIN (FORMAT BINARY)"
EVENT_TYPES = ("int8", "text", "int8", "text", "bytea")
SEAL_TYPES = ("int8", "int8", "bytea", "bytea")

IDENTITY = """
SELECT pg_postmaster_start_time(), oid, to_regclass('installation')::oid FROM pg_database
WHERE datname = current_database()
"""
"""Two addresses with the same answer lead to the same tables."""


class _Schema:
    """What source and target share."""

    def __init__(self, database: Database, session: Session) -> None:
        """Use `session`, which is in autocommit mode."""
        self.place = database.place
        self._session = session

    def last_seal(self) -> Seal:
        """Return the seal of the whole log."""
        return self.seal_at(2**63 - 1)

    def seal_at(self, position: int) -> Seal:
        """Return the last seal that begins at a position or before."""
        found = self._rows("SELECT last, hash FROM seals WHERE first <= %s ORDER BY first DESC LIMIT 1", position)
        return Seal(found[0][0], found[0][1].hex()) if found else NOTHING_SEALED

    def _rows(self, query: str, *values: int) -> list[Any]:
        with translating(self._session), self._session.cursor(row_factory=tuple_row, binary=True) as cursor:
            return cursor.execute(query.encode(), values).fetchall()


class PostgresSource(_Schema):
    """A schema that a service may be writing, also on a replica. Positions are committed in their order."""

    def block(self, after: int, size: int) -> Block:
        """Return the transactions that begin in the next positions after a seal."""
        seals = self._rows(f"{SEALS} WHERE first > %s AND first <= %s ORDER BY first", after, after + size)
        last = seals[-1][1] if seals else after
        query = f"{EVENTS} WHERE notification_id > %s AND notification_id <= %s ORDER BY notification_id"
        return Block(self._rows(query, after, last), seals)


class PostgresTarget(_Schema):
    """A schema whose lock this process has."""

    def head(self) -> int:
        """Return the position of the last event; 0 if there is none."""
        return int(self._rows("SELECT coalesce(max(notification_id), 0) FROM stored_events")[0][0])

    def begin(self, source: str) -> None:
        """Mark the log as an unfinished copy. Safe to repeat."""
        with translating(self._session), self._session.transaction():
            mark_unfinished(self._session, source)

    def append(self, block: Block) -> None:
        """Store a block in one transaction."""
        with translating(self._session), self._session.transaction():
            self._copy(COPY_EVENTS, EVENT_TYPES, block.events)
            self._copy(COPY_SEALS, SEAL_TYPES, block.seals)

    def finish(self) -> None:
        """Remove the mark."""
        with translating(self._session):
            self._session.execute("DROP TABLE IF EXISTS unfinished_copy")

    def _copy(self, statement: str, types: Sequence[str], rows: Sequence[Row] | Sequence[SealRow]) -> None:
        with self._session.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)


@contextmanager
def source(database: Database) -> Iterator[PostgresSource]:
    """Connect to a log to copy from it.

    Raises:
        NotFound: there is no log.
        StorageUnavailable: a newer version has written it, and may have added tables.

    """
    with _session(database) as session:
        with translating(session):
            if not exists(session, database.schema):
                raise NotFound(f"there is no event log {database.place}")
            check_known(session, database.schema)
        yield PostgresSource(database, session)


@contextmanager
def target(database: Database, source: str) -> Iterator[PostgresTarget]:
    """Create a log if there is none, and take its lock, to copy to it from `source`.

    Raises:
        EventLogInUse: another process writes it.

    """
    installation = set_up(database, source)
    with _session(database) as session:
        with translating(session):
            key = lock_key("writer", database.schema, installation.id)
            acquire(session, key, database.place, monotonic() + PATIENCE)
        yield PostgresTarget(database, session)


def identity(database: Database) -> tuple[object, ...] | None:
    """Return what no other log has; None if there is no log."""
    with _session(database) as session, translating(session):
        if not exists(session, database.schema):
            return None
        return session.cursor(row_factory=tuple_row).execute(IDENTITY).fetchone()


@contextmanager
def _session(database: Database) -> Iterator[Session]:
    with translating():
        session = database.connect("copy", statement=TIMEOUT, lock=LOCK_TIMEOUT)
    with session:
        yield session
