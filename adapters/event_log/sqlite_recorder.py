"""The library's recorder for SQLite, which seals what it inserts."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import msgspec
from eventsourcing.persistence import Notification, StoredEvent
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteCursor

from adapters.event_log.history import History
from adapters.event_log.seals import NOTHING_SEALED, Seal, next_seal, rows_of, seal_of
from adapters.event_log.sqlite_stored_log import EVENTS
from adapters.event_log.stored_log import Row

UNSEALED_BATCH = 1000
"""Events under one seal, for a log of a version without seals."""

CREATE = "CREATE TABLE IF NOT EXISTS seals (first INTEGER PRIMARY KEY, last INTEGER, digests BLOB, hash BLOB)"
LAST = "SELECT last, hash FROM seals ORDER BY first DESC LIMIT 1"
SEAL_AT = "SELECT hash FROM seals WHERE last = ?"
INSERT = "INSERT INTO seals VALUES (?, ?, ?, ?)"

EVENTS_AS_ONE = f"""
SELECT CAST(json_group_array(json_array(rowid, originator_id, originator_version, topic, CAST(state AS TEXT))) AS BLOB)
FROM ({EVENTS} WHERE rowid > ? ORDER BY rowid LIMIT ?)
"""  # noqa: S608 - a constant
"""Events as one value. SQLite's module hands over the interpreter's lock at every row: whoever read many would wait for
it as often while the service is busy."""

TEXTS = msgspec.json.Decoder(list[tuple[int, str, int, str, str]])


class SealingRecorder(SQLiteApplicationRecorder):
    """Stores events, and their seal in the same transaction.

    `history` is what a process that keeps the log remembers of it; `sealed` is the seal of the last insertion.
    """

    history: History | None = None
    sealed = NOTHING_SEALED

    def construct_create_table_statements(self) -> list[str]:
        """Add the table of seals."""
        return [*super().construct_create_table_statements(), CREATE]

    def store(self, stored_events: Sequence[StoredEvent]) -> Sequence[int]:
        """Store events and their seal in one transaction; return their positions."""
        with self.datastore.transaction(commit=True) as cursor:
            return self._insert_events(cursor, stored_events)

    def _insert_events(
        self,
        c: SQLiteCursor,
        stored_events: Sequence[StoredEvent],
        **_: Any,  # noqa: ANN401 - the library's signature
    ) -> Sequence[int]:
        rows = [(e.originator_id, e.originator_version, e.topic, e.state) for e in stored_events]
        c.executemany(self.insert_events_statement, rows)
        c.execute("SELECT last_insert_rowid()")
        # SQLite gives each row the position after the last one, and this transaction alone writes.
        last = c.fetchone()[0]
        positions = range(last - len(rows) + 1, last + 1)
        # After the first write: a transaction that begins with a read cannot wait for a lock.
        end = self.check_end(c)
        self.sealed = _seal(c, end, rows_of(positions, stored_events))
        return positions

    def check_end(self, cursor: SQLiteCursor) -> Seal:
        """Check that the log ends as this process left it, if it does remember that; return its last seal.

        Raises:
            AnotherEnd: it does not.

        """
        end = _end(cursor)
        if self.history is not None:
            self.history.check(end)
        return end

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        *more: Any,  # noqa: ANN401 - the library's signature
        inclusive_of_start: bool = True,
        **options: Any,  # noqa: ANN401 - the library's signature
    ) -> Sequence[Notification]:
        """Return events by position: all after a position by one value, if they are texts, as they should be."""
        if start is not None and not (inclusive_of_start or more or options):
            with suppress(ValueError):
                return self._after(start, limit)
        return super().select_notifications(start, limit, *more, inclusive_of_start=inclusive_of_start, **options)

    def _after(self, position: int, limit: int) -> Sequence[Notification]:
        with self.datastore.transaction(commit=False) as cursor:
            cursor.execute(EVENTS_AS_ONE, (position, limit))
            found = TEXTS.decode(cursor.fetchone()[0])
        return [Notification(name, version, topic, state.encode(), id=at) for at, name, version, topic, state in found]

    def find_damage(self) -> str | None:
        """Check all pages of the file; return the first error, or None."""
        with self.datastore.transaction(commit=False) as cursor:
            cursor.execute("PRAGMA quick_check(1)")
            found = str(cursor.fetchone()[0])
        return None if found == "ok" else " ".join(found.split())

    def last_seal(self) -> Seal:
        """Return the seal of the whole log."""
        with self.datastore.transaction(commit=False) as cursor:
            return _end(cursor)

    def seal_unsealed(self) -> int:
        """Seal the events of a log that has no seals, as of the first version, in one transaction; return how many.

        Where there are seals, an event without one was not stored by this service, and is left as it is.
        """
        sealed = 0
        with self.datastore.transaction(commit=True) as cursor:
            if _end(cursor) == NOTHING_SEALED:
                while rows := _after(cursor, sealed):
                    _seal(cursor, _end(cursor), rows)
                    sealed = rows[-1][0]
        return sealed

    def last_common(self, known: Sequence[Seal]) -> Seal | None:
        """Return the first of these seals that is in the log; None if none is."""
        with self.datastore.transaction(commit=False) as cursor:
            for seal in known:
                cursor.execute(SEAL_AT, (seal.position,))
                found = cursor.fetchone()
                if seal == NOTHING_SEALED or (found and found[0].hex() == seal.hash):
                    return seal
        return None


def _after(cursor: SQLiteCursor, position: int) -> list[Row]:
    cursor.execute(f"{EVENTS} WHERE rowid > ? ORDER BY rowid LIMIT {UNSEALED_BATCH}", (position,))
    return [tuple(row) for row in cursor.fetchall()]


def _end(cursor: SQLiteCursor) -> Seal:
    cursor.execute(LAST)
    found = cursor.fetchone()
    return Seal(found[0], found[1].hex()) if found else NOTHING_SEALED


def _seal(cursor: SQLiteCursor, end: Seal, rows: Sequence[Row]) -> Seal:
    """Seal these events, which follow the last seal, and return theirs."""
    row = next_seal(bytes.fromhex(end.hash), rows)
    cursor.execute(INSERT, row)
    return seal_of(row)
