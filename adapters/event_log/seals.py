"""Tamper evidence: every commit of events has a seal, chained to the previous one.

A seal has a digest of each event of its transaction, which identifies a changed event. Its hash covers these and the
previous seal, so nothing can be changed, removed or inserted without changing every later seal. It is written in the
same transaction as the events. Whoever can rewrite the file can rewrite all seals, too; to detect that, record the last
seal elsewhere and pass it to `verify`.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
from eventsourcing.persistence import StoredEvent
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteCursor

from adapters.event_log.sqlite import sqlite3

DIGEST_BYTES = 16
GENESIS = b"job-recovery"
UNSEALED_BATCH = 1000
"""Events under one seal, for a log of a version without seals."""

CREATE = "CREATE TABLE IF NOT EXISTS seals (first INTEGER PRIMARY KEY, last INTEGER, digests BLOB, hash BLOB)"
LAST = "SELECT last, hash FROM seals ORDER BY first DESC LIMIT 1"
INSERT = "INSERT INTO seals VALUES (?, ?, ?, ?)"
EVENTS = "SELECT rowid, originator_id, originator_version, topic, state FROM stored_events"

Row = tuple[int, str, int, str, bytes]


class Seal(msgspec.Struct, frozen=True):
    """The seal of a log up to a position, as text `POSITION:HASH`."""

    position: int
    hash: str

    def __str__(self) -> str:
        return f"{self.position}:{self.hash}"


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The result of verifying a log. `broken_at` is the first position that fails; None if none does."""

    events: int
    seal: Seal
    broken_at: int | None = None
    why: str | None = None


class SealingRecorder(SQLiteApplicationRecorder):
    """The library's recorder, which seals what it inserts."""

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
            events = zip(positions, stored_events, strict=True)
            rows: Iterable[Row] = (
                (position, str(e.originator_id), e.originator_version, e.topic, e.state) for position, e in events
            )
            _seal(c, list(rows))
        return positions

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
        return Seal(found[0], found[1].hex()) if found else Seal(0, GENESIS.hex())

    def seal_unsealed(self) -> int:
        """Seal the events of a version without seals; return how many they were."""
        sealed = 0
        while rows := self._unsealed():
            with self.datastore.transaction(commit=True) as cursor:
                _seal(cursor, rows)
            sealed += len(rows)
        return sealed

    def _unsealed(self) -> list[Row]:
        with self.datastore.transaction(commit=False) as cursor:
            cursor.execute(LAST)
            last = cursor.fetchone()
            cursor.execute(f"{EVENTS} WHERE rowid > ? ORDER BY rowid LIMIT {UNSEALED_BATCH}", (last[0] if last else 0,))
            return [tuple(row) for row in cursor.fetchall()]


def _seal(cursor: SQLiteCursor, rows: Sequence[Row]) -> None:
    cursor.execute(LAST)
    before = cursor.fetchone()
    digests = b"".join(_digest(row) for row in rows)
    first, last = rows[0][0], rows[-1][0]
    cursor.execute(INSERT, (first, last, digests, _hash(before[1] if before else GENESIS, first, digests)))


def _digest(row: Row) -> bytes:
    position, originator_id, version, topic, state = row
    head = f"{position}\n{originator_id}\n{version}\n{topic}\n".encode()
    return hashlib.sha256(head + state).digest()[:DIGEST_BYTES]


def _hash(before: bytes, first: int, digests: bytes) -> bytes:
    return hashlib.sha256(before + first.to_bytes(8, "big") + digests).digest()


class _Broken(Exception):
    """The log fails verification at a position."""

    def __init__(self, position: int, why: str) -> None:
        super().__init__(why)
        self.position = position


def verify(path: Path, expected: Seal | None = None, *, whole: bool = True) -> Verdict:
    """Check the log against its seals, and against one that was recorded elsewhere.

    Safe beside a running service: it reads one consistent state, and writes nothing.

    Args:
        path: the log's file.
        expected: a seal that was recorded elsewhere.
        whole: check the file's pages, too.

    Raises:
        sqlite3.OperationalError: the file cannot be opened.

    """
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        connection.execute("BEGIN")
        seal, events = Seal(0, GENESIS.hex()), 0
        try:
            for seal in _walk(connection, expected):
                events = seal.position
            _check_end(connection, seal, expected)
            if whole:
                _check_pages(connection, seal)
        except _Broken as broken:
            return Verdict(events=events, seal=seal, broken_at=broken.position, why=str(broken))
        except (sqlite3.DatabaseError, TypeError) as error:
            why = f"the file is damaged after it: {error}"
            return Verdict(events=events, seal=seal, broken_at=seal.position + 1, why=why)
        return Verdict(events=events, seal=seal)


def _walk(connection: sqlite3.Connection, expected: Seal | None) -> Iterator[Seal]:
    """Check the seals in their order, each with its events, and yield each that is intact."""
    before, position = GENESIS, 0
    events = connection.execute(f"{EVENTS} ORDER BY rowid")
    for first, last, digests, stored in connection.execute("SELECT first, last, digests, hash FROM seals ORDER BY 1"):
        if first != position + 1 or len(digests) != (last - first + 1) * DIGEST_BYTES:
            raise _Broken(position + 1, "its seal is missing or truncated")
        for position in range(first, last + 1):
            offset = (position - first) * DIGEST_BYTES
            _check(events.fetchone(), position, digests[offset : offset + DIGEST_BYTES])
        before = _hash(before, first, digests)
        if before != stored:
            raise _Broken(first, "its seal is not chained to the previous one")
        seal = Seal(last, before.hex())
        if expected is not None and first <= expected.position <= last and expected != seal:
            raise _Broken(first, f"the expected seal of position {expected.position} differs")
        yield seal


def _check(row: Row | None, position: int, digest: bytes) -> None:
    if row is None or row[0] != position:
        raise _Broken(position, "the event is missing")
    if _digest(row) != digest:
        raise _Broken(position, f"the event ({row[1]} version {row[2]}) is not the one that was sealed")


def _check_end(connection: sqlite3.Connection, seal: Seal, expected: Seal | None) -> None:
    head = connection.execute("SELECT max(rowid) FROM stored_events").fetchone()[0] or 0
    if head > seal.position:
        raise _Broken(seal.position + 1, "the event has no seal")
    if expected is not None and expected.position > seal.position:
        raise _Broken(seal.position + 1, f"the log ends here, but the expected seal is of position {expected.position}")


def _check_pages(connection: sqlite3.Connection, seal: Seal) -> None:
    error = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if error != "ok":
        raise _Broken(seal.position + 1, f"all events are verified, but the file is damaged: {error}")
