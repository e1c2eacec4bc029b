"""One consistent state of a log as it is stored, for those who check it. Reading it needs no service."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar, Protocol

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


SEALS = "SELECT first, last, digests, hash FROM seals"


class SqlStoredLog(ABC):
    """What is the same on every engine: a subclass selects the events, and reads rows."""

    events_query: ClassVar[str]
    """Selects all events, the position first."""

    def events(self) -> Iterator[Row]:
        """Return all events by position."""
        return self._rows(f"{self.events_query} ORDER BY 1")

    def events_by_stream(self) -> Iterator[Row]:
        """Return all events by stream and version."""
        return self._rows(f"{self.events_query} ORDER BY originator_id, originator_version")

    def seals(self) -> Iterator[SealRow]:
        """Return all seals by position."""
        return self._rows(f"{SEALS} ORDER BY first")

    def snapshots(self) -> Iterator[SnapshotRow]:
        """Return all snapshots."""
        return self._rows("SELECT originator_id, originator_version, topic, state FROM stored_snapshots")

    @abstractmethod
    def _rows(self, query: str) -> Iterator[Any]:
        """Return the rows of a query as they are read."""
