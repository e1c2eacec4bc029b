"""Reads a log's SQLite file to check it: one consistent state, beside a running service, without writing."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from adapters.event_log import seals
from adapters.event_log.database_errors import Damaged
from adapters.event_log.seals import Seal, Verdict
from adapters.event_log.sqlite import sqlite3
from adapters.event_log.sqlite_errors import remedy_of
from adapters.event_log.stored_log import SqlStoredLog

EVENTS = "SELECT rowid, originator_id, originator_version, topic, state FROM stored_events"


class SQLiteStoredLog(SqlStoredLog):
    """The rows of one file, in the transaction of a connection."""

    events_query = EVENTS

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Read from `connection`, whose transaction has begun."""
        self._connection = connection

    def head(self) -> int:
        """Return the position of the last event; 0 if there is none."""
        return int(next(self._rows("SELECT coalesce(max(rowid), 0) FROM stored_events"))[0])

    def find_damage(self) -> str | None:
        """Check all pages and indexes of the file."""
        found = str(next(self._rows("PRAGMA integrity_check(1)"))[0])
        return None if found == "ok" else found

    def copied_from(self) -> str | None:
        """Return the log of which this is an unfinished copy; None if it is none."""
        if next(self._rows("SELECT name FROM sqlite_schema WHERE name = 'unfinished_copy'"), None) is None:
            return None
        return str(next(self._rows("SELECT source FROM unfinished_copy"))[0])

    def _rows(self, query: str) -> Iterator[Any]:
        try:
            yield from self._connection.execute(query)
        except sqlite3.DatabaseError as error:
            if remedy_of(error) is not None:
                raise
            raise Damaged(str(error)) from error


@contextmanager
def stored_log(path: Path) -> Iterator[SQLiteStoredLog]:
    """Open a file for reading.

    Raises:
        sqlite3.DatabaseError: it cannot be opened, or not be read now. It is not damaged.

    """
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        connection.execute("BEGIN")
        yield SQLiteStoredLog(connection)


def verify(path: Path, expected: Seal | None = None, *, whole: bool = True) -> Verdict:
    """Check a file against its seals, as `seals.verify` does."""
    with stored_log(path) as log:
        return seals.verify(log, expected, whole=whole)
