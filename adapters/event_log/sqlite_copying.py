"""An SQLite file as the source or the target of a copy."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import cast

from eventsourcing.sqlite import SQLiteCursor

from adapters.event_log.copying import Block
from adapters.event_log.seals import NOTHING_SEALED, Seal
from adapters.event_log.sqlite import sqlite3
from adapters.event_log.sqlite_application import LOCK_TIMEOUT, open_events
from adapters.event_log.sqlite_recorder import INSERT as INSERT_SEAL
from adapters.event_log.sqlite_recorder import SealingRecorder
from adapters.event_log.sqlite_stored_log import EVENTS
from adapters.event_log.stored_log import SEALS

INSERT_EVENT = """
INSERT INTO stored_events (rowid, originator_id, originator_version, topic, state) VALUES (?, ?, ?, ?, ?)
"""


class SQLiteSource:
    """A file that a service may be writing. Each query is a transaction of its own, so it holds up no checkpoint."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        """Read from `connection`, which is in autocommit mode."""
        self.place = str(path)
        self._connection = connection

    def last_seal(self) -> Seal:
        """Return the seal of the whole log."""
        return self.seal_at(2**63 - 1)

    def seal_at(self, position: int) -> Seal:
        """Return the last seal that begins at a position or before."""
        query = "SELECT last, hash FROM seals WHERE first <= ? ORDER BY first DESC LIMIT 1"
        found = self._connection.execute(query, [position]).fetchone()
        return Seal(found[0], found[1].hex()) if found else NOTHING_SEALED

    def block(self, after: int, size: int) -> Block:
        """Return the transactions that begin in the next positions after a seal."""
        seals = self._connection.execute(
            f"{SEALS} WHERE first > ? AND first <= ? ORDER BY first", [after, after + size]
        ).fetchall()
        last = seals[-1][1] if seals else after
        events = self._connection.execute(f"{EVENTS} WHERE rowid > ? AND rowid <= ? ORDER BY rowid", [after, last])
        return Block(events.fetchall(), seals)


class SQLiteTarget:
    """A file that nobody else writes."""

    def __init__(self, path: Path, recorder: SealingRecorder) -> None:
        """Write through `recorder`, which has created the tables."""
        self.place = str(path)
        self._recorder = recorder
        self._transaction = recorder.datastore.transaction

    def head(self) -> int:
        """Return the position of the last event; 0 if there is none."""
        return self._recorder.max_notification_id() or 0

    def last_seal(self) -> Seal:
        """Return the seal of the whole log."""
        return self._recorder.last_seal()

    def begin(self, source: str) -> None:
        """Mark the log as an unfinished copy. Safe to repeat."""
        with self._transaction(commit=True) as cursor:
            _mark(cursor, source)

    def append(self, block: Block) -> None:
        """Store a block in one transaction."""
        with self._transaction(commit=True) as cursor:
            cursor.executemany(INSERT_EVENT, block.events)
            cursor.executemany(INSERT_SEAL, block.seals)

    def finish(self) -> None:
        """Remove the mark."""
        with self._transaction(commit=True) as cursor:
            cursor.execute("DROP TABLE IF EXISTS unfinished_copy")


@contextmanager
def source(path: Path) -> Iterator[SQLiteSource]:
    """Open a file to copy from it."""
    address = f"{path.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True, isolation_level=None, timeout=LOCK_TIMEOUT)) as connection:
        yield SQLiteSource(path, connection)


@contextmanager
def target(path: Path, source: str) -> Iterator[SQLiteTarget]:
    """Open or create a file to copy to it from `source`. The caller has the lease on its directory."""
    _mark_if_new(path, source)
    with closing(open_events(path, "FULL")) as application:
        yield SQLiteTarget(path, cast("SealingRecorder", application.recorder))


def _mark_if_new(path: Path, source: str) -> None:
    """Mark a log that has no tables yet, so that no service starts on it if the copy ends before its first event."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=LOCK_TIMEOUT)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        if connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'stored_events'").fetchone() is None:
            _mark(connection, source)
        connection.execute("COMMIT")


def _mark(transaction: sqlite3.Connection | SQLiteCursor, source: str) -> None:
    transaction.execute("CREATE TABLE IF NOT EXISTS unfinished_copy (source TEXT NOT NULL)")
    transaction.execute("DELETE FROM unfinished_copy")
    transaction.execute("INSERT INTO unfinished_copy VALUES (?)", [source])
