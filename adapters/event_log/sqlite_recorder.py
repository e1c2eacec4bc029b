"""The library's recorder for SQLite, which seals what it inserts."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import msgspec
from eventsourcing.persistence import Notification, StoredEvent
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteCursor

from adapters.event_log.seals import NOTHING_SEALED, Seal, next_seal, rows_of
from adapters.event_log.sqlite_stored_log import EVENTS
from adapters.event_log.stored_log import Row

UNSEALED_BATCH = 1000
"""Events under one seal, for a log of a version without seals."""

CREATE = "CREATE TABLE IF NOT EXISTS seals (first INTEGER PRIMARY KEY, last INTEGER, digests BLOB, hash BLOB)"
LAST = "SELECT last, hash FROM seals ORDER BY first DESC LIMIT 1"
INSERT = "INSERT INTO seals VALUES (?, ?, ?, ?)"

EVENTS_AS_ONE = f"""
SELECT CAST(json_group_array(json_array(rowid, originator_id, originator_version, topic, CAST(state AS TEXT))) AS BLOB)
FROM ({EVENTS} WHERE rowid > ? ORDER BY rowid LIMIT ?)
"""  # noqa: S608 - a constant
"""Events as one value. SQLite's module hands over the interpreter's lock at every row: whoever read many would wait for
it as often while the service is busy."""

TEXTS = msgspec.json.Decoder(list[tuple[int, str, int, str, str]])


class SealingRecorder(SQLiteApplicationRecorder):
    """Stores events, and their seal in the same transaction."""

    def construct_create_table_statements(self) -> list[str]:
        """Add the table of seals."""
        return [*super().construct_create_table_statements(), CREATE]

    def _insert_events(
        self,
        c: SQLiteCursor,
        stored_events: Sequence[StoredEvent],
        **kwargs: Any,  # noqa: ANN401 - the library's signature
    ) -> Sequence[int] | None:
        positions = super()._insert_events(c, stored_events, **kwargs)
        if positions:
            _seal(c, rows_of(positions, stored_events))
        return positions

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
            cursor.execute(LAST)
            found = cursor.fetchone()
        return Seal(found[0], found[1].hex()) if found else NOTHING_SEALED

    def seal_unsealed(self) -> None:
        """Seal the events of a version without seals."""
        while rows := self._unsealed():
            with self.datastore.transaction(commit=True) as cursor:
                _seal(cursor, rows)

    def _unsealed(self) -> list[Row]:
        with self.datastore.transaction(commit=False) as cursor:
            cursor.execute(LAST)
            last = cursor.fetchone()
            cursor.execute(f"{EVENTS} WHERE rowid > ? ORDER BY rowid LIMIT {UNSEALED_BATCH}", (last[0] if last else 0,))
            return [tuple(row) for row in cursor.fetchall()]


def _seal(cursor: SQLiteCursor, rows: Sequence[Row]) -> None:
    cursor.execute(LAST)
    before = cursor.fetchone()
    cursor.execute(INSERT, next_seal(before[1] if before else None, rows))
