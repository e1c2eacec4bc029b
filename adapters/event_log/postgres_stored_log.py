"""Reads a log on PostgreSQL to check it: one consistent state, beside a running service, without writing."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from psycopg.rows import tuple_row

from adapters.event_log.postgres_errors import translating
from adapters.event_log.postgres_schema import exists
from adapters.event_log.postgres_session import Database, Session
from adapters.event_log.stored_log import SqlStoredLog
from domain.errors import NotFound

EVENTS = "SELECT notification_id, originator_id, originator_version, topic, state FROM stored_events"

BATCH = 1000
"""Rows that are fetched at once."""

CHECK_TIMEOUT = 60.0
"""Seconds for one statement: the first has to sort all events."""


class PostgresStoredLog(SqlStoredLog):
    """The rows of one schema, in the transaction of a session."""

    events_query = EVENTS

    def __init__(self, session: Session) -> None:
        """Read from `session`, whose transaction has begun."""
        self._session = session
        self._cursors = 0

    def head(self) -> int:
        """Return the position of the last event; 0 if there is none."""
        return int(next(self._rows("SELECT coalesce(max(notification_id), 0) FROM stored_events"))[0])

    def find_damage(self) -> str | None:
        """Return None: the server checks its own pages."""
        return None

    def copied_from(self) -> str | None:
        """Return the log of which this is an unfinished copy; None if it is none."""
        if next(self._rows("SELECT to_regclass('unfinished_copy')"))[0] is None:
            return None
        return str(next(self._rows("SELECT source FROM unfinished_copy"))[0])

    def _rows(self, query: str) -> Iterator[Any]:
        self._cursors += 1
        with self._session.cursor(f"rows_{self._cursors}", row_factory=tuple_row) as cursor:
            cursor.itersize = BATCH
            cursor.execute(query)
            yield from cursor


@contextmanager
def stored_log(database: Database) -> Iterator[PostgresStoredLog]:
    """Open a log for reading.

    Raises:
        DatabaseUnavailable: the server cannot be used now.
        NotFound: there is no log.

    """
    with translating(), database.connect("check", statement=CHECK_TIMEOUT, lock=CHECK_TIMEOUT) as session:
        if not exists(session, database.schema):
            raise NotFound(f"there is no event log {database.place}")
        session.autocommit = False
        session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield PostgresStoredLog(session)
