"""One consistent state of a log as it is stored, for those who check it. Reading it needs no service."""

from collections.abc import Iterator
from typing import Protocol

Row = tuple[int, str, int, str, bytes]
"""Position, stream, version, topic and state of an event."""

SealRow = tuple[int, int, bytes, bytes]
"""First and last position of a transaction, the digests of its events, and the hash of its seal."""

SnapshotRow = tuple[str, int, str, object]
"""Stream, version, topic and state of a snapshot."""


class StoredLog(Protocol):
    """The rows of a log.

    Every method may raise `Damaged`: the rows cannot be read.
    """

    def events(self) -> Iterator[Row]:
        """Return all events by position."""

    def events_by_stream(self) -> Iterator[Row]:
        """Return all events by stream and version."""

    def seals(self) -> Iterator[SealRow]:
        """Return all seals by position."""

    def snapshots(self) -> Iterator[SnapshotRow]:
        """Return all snapshots."""

    def head(self) -> int:
        """Return the position of the last event; 0 if there is none."""

    def find_damage(self) -> str | None:
        """Return an error of the storage below the rows; None if there is none."""

    def copied_from(self) -> str | None:
        """Return the log of which this is an unfinished copy; None if it is none."""
