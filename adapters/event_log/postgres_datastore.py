"""The library's datastores for PostgreSQL: the readers' pool, and the one session of the writer."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import psycopg
from eventsourcing import postgres
from eventsourcing.postgres import ConnectionPool
from psycopg.rows import DictRow
from psycopg_pool import PoolTimeout

from adapters.event_log.database_errors import DatabaseUnavailable
from adapters.event_log.postgres_errors import one_line, translated, translating
from adapters.event_log.postgres_session import Database, Session
from adapters.event_log.reading_threads import READERS

READ_TIMEOUT = 3.0
"""Seconds for one statement that reads."""

GET_TIMEOUT = 2.0
"""Seconds in which the pool has a session, or the read fails."""

LOCK_TIMEOUT = 2
"""Seconds that the writer, or a reader, waits for the lock of the table, at most."""


class PostgresDatastore(postgres.PostgresDatastore):
    """The library's, without its connections and its composite types."""

    def __init__(self, database: Database) -> None:
        """Nothing is connected yet."""
        super().__init__(
            dbname="", host="", port="", user="", password="", schema=database.schema,
            originator_id_type="text", lock_timeout=LOCK_TIMEOUT,
        )  # fmt: skip

    def register_type_adapters(self) -> None:
        """Register none: events are passed as one array per column."""


class _Pool(ConnectionPool[Session]):
    """The library's pool, which remembers why it cannot connect."""

    last_error: str = ""

    def _connect(self, timeout: float | None = None) -> Session:
        try:
            session = super()._connect(timeout)
        except psycopg.Error as error:
            self.last_error = one_line(error)
            raise
        self.last_error = ""
        return session


class Readers(PostgresDatastore):
    """A few sessions that read."""

    def __init__(self, database: Database) -> None:
        """Nothing is connected yet."""
        super().__init__(database)

        def configure(session: Session) -> None:
            session.limit = READ_TIMEOUT + 0.5
            database.configure(session, statement=READ_TIMEOUT, lock=LOCK_TIMEOUT)

        self._sessions = _Pool(
            connection_class=Session,
            kwargs=database.arguments("reader"),
            min_size=READERS,
            max_size=READERS,
            open=False,
            configure=configure,
            timeout=GET_TIMEOUT,
            # One attempt, and the next when it is asked for again: by itself, the pool waits up to five minutes.
            reconnect_timeout=1,
            name="event-readers",
        )
        self.pool = cast("ConnectionPool[psycopg.Connection[DictRow]]", self._sessions)

    def open(self) -> None:
        """Start to connect."""
        self._sessions.open()

    @contextmanager
    def get_connection(self) -> Iterator[psycopg.Connection[DictRow]]:
        """Return a session of the pool for a block."""
        try:
            session = self._sessions.getconn()
        except PoolTimeout:
            raise DatabaseUnavailable(self._sessions.last_error or "all connections for reading are in use") from None
        except psycopg.Error as error:
            raise translated(error, lost=False) from error
        try:
            with translating(session):
                yield session
        finally:
            if session.closed:
                self.renew()
            self._sessions.putconn(session)

    def renew(self) -> None:
        """Replace all sessions: what one of them was lost by, the others have not noticed yet."""
        self._sessions.drain()

    def close(self) -> None:
        """Close the pool without waiting for a server that does not answer."""
        if hasattr(self, "_sessions"):
            self._sessions.close(timeout=1)


class WriterDatastore(PostgresDatastore):
    """The one session that writes. It comes from no pool, because it has the lock of the log."""

    session: Session | None = None

    @contextmanager
    def get_connection(self) -> Iterator[psycopg.Connection[DictRow]]:
        """Return the session for a block."""
        if self.session is None:
            raise DatabaseUnavailable("it is not connected", lost=True)
        with translating(self.session):
            yield self.session

    def drop(self) -> None:
        """Close the session; whatever it had begun is then undecided."""
        if self.session is not None:
            self.session.close()
            self.session = None

    def close(self) -> None:
        """Close the session."""
        self.drop()
