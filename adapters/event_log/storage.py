"""What the event log needs of a database."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol, TypeVar

from eventsourcing.persistence import EventStore, Notification, StoredEvent

from adapters.event_log.seals import Seal
from domain.aggregate import Snapshot
from domain.events import Event

T = TypeVar("T")


class Recorder(Protocol):
    """The library's recorder of one database, as far as it is read here, with our seals."""

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Return events by position."""

    def max_notification_id(self) -> int | None:
        """Return the position of the last event."""

    def last_seal(self) -> Seal:
        """Return the seal of the whole log."""


class Storage(Protocol):
    """One log in one database. Its calls block; one thread writes, others read."""

    @property
    def recorder(self) -> Recorder:
        """Return the recorder that is read from."""

    @property
    def events(self) -> EventStore[str]:
        """Return the events, to read them."""

    @property
    def snapshots(self) -> EventStore[str]:
        """Return the snapshots, to read them."""

    def last_snapshots(self, stream_ids: Sequence[str]) -> list[StoredEvent]:
        """Return the last snapshot of each of these streams that has one."""

    def events_after(self, versions: Mapping[str, int]) -> list[StoredEvent]:
        """Return the events of these streams after a version of each, in the order of their versions."""

    def write(self, events: Sequence[Event], as_owner_of: Collection[str] = ()) -> Sequence[int]:
        """Store the events and their seal in one transaction, as the owner of these shares; return their positions."""

    def write_heartbeat(self) -> None:
        """Commit a row that is not an event, to check that writing works."""

    def write_snapshots(self, snapshots: Sequence[Snapshot]) -> None:
        """Store snapshots."""

    def drop_snapshots(self) -> None:
        """Delete all snapshots: they are derived."""

    def read(self, query: Callable[[], T]) -> T:
        """Return what the query returns, which reads from the stores or the recorder."""

    def stop_reading(self) -> None:
        """End reads that wait for a server that does not answer; nobody waits for what they would find."""

    def close(self) -> None:
        """Close all connections."""
