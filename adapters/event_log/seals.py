"""Tamper evidence: every commit of events has a seal, chained to the previous one.

A seal has a digest of each event of its transaction, which identifies a changed event. Its hash covers these and the
previous seal, so nothing can be changed, removed or inserted without changing every later seal. It is written in the
same transaction as the events. Whoever can rewrite the log can rewrite all seals, too; to detect that, record the last
seal elsewhere and pass it to `verify`.
"""

import hashlib
from collections.abc import Iterator, Sequence

import msgspec
from eventsourcing.persistence import StoredEvent

from adapters.event_log.database_errors import Damaged
from adapters.event_log.stored_log import Row, SealRow, StoredLog

DIGEST_BYTES = 16
GENESIS = b"job-recovery"


class Seal(msgspec.Struct, frozen=True):
    """The seal of a log up to a position, as text `POSITION:HASH`."""

    position: int
    hash: str

    def __str__(self) -> str:
        return f"{self.position}:{self.hash}"


NOTHING_SEALED = Seal(0, GENESIS.hex())
"""The seal of an empty log."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The result of verifying a log. `broken_at` is the first position that fails; None if none does.

    `unexpected`: nothing is wrong with the log itself up to there, but it is not the one of the expected seal.
    """

    events: int
    seal: Seal
    broken_at: int | None = None
    why: str | None = None
    unexpected: bool = False


def rows_of(positions: Sequence[int], events: Sequence[StoredEvent]) -> list[Row]:
    """Return the rows of events that were stored at these positions."""
    stored = zip(positions, events, strict=True)
    return [(position, str(e.originator_id), e.originator_version, e.topic, e.state) for position, e in stored]


def next_seal(before: bytes | None, rows: Sequence[Row]) -> SealRow:
    """Return the seal of a transaction's events, after the hash of the last seal; None if there is none."""
    digests = b"".join(_digest(row) for row in rows)
    first, last = rows[0][0], rows[-1][0]
    return first, last, digests, _hash(before or GENESIS, first, digests)


def seal_of(row: SealRow) -> Seal:
    """Return the seal that a row has stored."""
    return Seal(row[1], row[3].hex())


def _digest(row: Row) -> bytes:
    position, originator_id, version, topic, state = row
    head = f"{position}\n{originator_id}\n{version}\n{topic}\n".encode()
    return hashlib.sha256(head + state).digest()[:DIGEST_BYTES]


def _hash(before: bytes, first: int, digests: bytes) -> bytes:
    return hashlib.sha256(before + first.to_bytes(8, "big") + digests).digest()


class Broken(Exception):
    """The log fails verification at a position."""

    def __init__(self, position: int, why: str) -> None:
        super().__init__(why)
        self.position = position


class Unexpected(Broken):
    """The log is not the one of the expected seal."""


class Chain:
    """The seals of a log up to the last that was checked."""

    def __init__(self, last: Seal = NOTHING_SEALED) -> None:
        """Go on after a seal that was checked before."""
        self.last = last

    def check_next(self, seal: SealRow, events: Iterator[Row]) -> Seal:
        """Check the next seal with its events, which are taken from `events`, and return it.

        Raises:
            Broken: it is not the next one, or not of these events.

        """
        first, last, digests, stored = seal
        if first != self.last.position + 1 or len(digests) != (last - first + 1) * DIGEST_BYTES:
            raise Broken(self.last.position + 1, "its seal is missing or truncated")
        for position in range(first, last + 1):
            offset = (position - first) * DIGEST_BYTES
            _check(next(events, None), position, digests[offset : offset + DIGEST_BYTES])
        found = _hash(bytes.fromhex(self.last.hash), first, digests)
        if found != stored:
            raise Broken(first, "its seal is not chained to the previous one")
        self.last = Seal(last, found.hex())
        return self.last


def verify(log: StoredLog, expected: Seal | None = None, *, whole: bool = True) -> Verdict:
    """Check a log against its seals, and against one that was recorded elsewhere.

    Args:
        log: one consistent state of it.
        expected: a seal that was recorded elsewhere.
        whole: check the storage below the rows, too.

    """
    seal, events = NOTHING_SEALED, 0
    try:
        for seal in _walk(log, expected):
            events = seal.position
        _check_end(log.head(), seal, expected)
        if whole:
            _check_storage(log, seal)
    except Broken as broken:
        unexpected = isinstance(broken, Unexpected)
        return Verdict(events=events, seal=seal, broken_at=broken.position, why=str(broken), unexpected=unexpected)
    except (Damaged, TypeError) as error:
        why = f"the file is damaged after it: {error}"
        return Verdict(events=events, seal=seal, broken_at=seal.position + 1, why=why)
    return Verdict(events=events, seal=seal)


def _walk(log: StoredLog, expected: Seal | None) -> Iterator[Seal]:
    """Check the seals in their order, each with its events, and yield each that is intact."""
    chain = Chain()
    events = log.events()
    for row in log.seals():
        seal = chain.check_next(row, events)
        first, last, *_ = row
        if expected is not None and first <= expected.position <= last and expected != seal:
            raise Unexpected(first, f"the expected seal of position {expected.position} differs")
        yield seal


def _check(row: Row | None, position: int, digest: bytes) -> None:
    if row is None or row[0] != position:
        raise Broken(position, "the event is missing")
    if _digest(row) != digest:
        raise Broken(position, f"the event ({row[1]} version {row[2]}) is not the one that was sealed")


def _check_end(head: int, seal: Seal, expected: Seal | None) -> None:
    if head > seal.position:
        raise Broken(seal.position + 1, "the event has no seal")
    if expected is not None and expected.position > seal.position:
        why = f"the log ends here, but the expected seal is of position {expected.position}"
        raise Unexpected(seal.position + 1, why)


def _check_storage(log: StoredLog, seal: Seal) -> None:
    if (damage := log.find_damage()) is not None:
        raise Broken(seal.position + 1, f"all events are verified, but the file is damaged: {damage}")
