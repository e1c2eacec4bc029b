"""Loads aggregates from the event log: the last usable snapshot, and the events after it."""

from collections.abc import Iterator, Sequence
from typing import cast

from eventsourcing.persistence import EventStore

from adapters.event_log.sqlite_application import JobEvents
from domain.aggregate import Snapshot
from domain.errors import StorageUnavailable
from domain.events import Event
from domain.ports import Log, TAggregate
from domain.streams import FOLD_ERRORS


class Aggregates:
    """Loads aggregates, in the calling thread."""

    def __init__(self, events: JobEvents, logger: Log) -> None:
        """Read from `events`; `logger` gets the errors of `load_many`."""
        self._library = events
        self._logger = logger

    @property
    def snapshots(self) -> EventStore[str]:
        """Return the store of snapshots."""
        return cast("EventStore[str]", self._library.snapshots)

    def load(self, kind: type[TAggregate], stream_id: str, version: int | None = None) -> TAggregate | None:
        """Return an aggregate, at a version or the last one; None if it has no events.

        Raises:
            StorageUnavailable: an event of it cannot be decoded or applied; the others do not suffice to decide.

        """
        snapshot = self._snapshot(kind, stream_id, version)
        events = self._events(stream_id, snapshot.originator_version if snapshot else None, version)
        folded = kind.fold(None, [snapshot]) if snapshot else None
        try:
            return kind.fold(folded, events)
        except FOLD_ERRORS as error:
            why = f"the events of {stream_id} cannot be applied ({type(error).__name__}: {error})"
            raise StorageUnavailable(f"{why}: see `job-recovery verify`") from error

    def load_many(self, kind: type[TAggregate], stream_ids: Sequence[str]) -> dict[str, TAggregate]:
        """Return several aggregates by id; one that cannot be read is omitted and logged."""
        loaded = ((stream_id, self._load_or_log(kind, stream_id)) for stream_id in stream_ids)
        return {stream_id: found for stream_id, found in loaded if found is not None}

    def load_versions(self, kind: type[TAggregate], versions: Sequence[tuple[str, int]]) -> list[TAggregate]:
        """Return aggregates, each at one version, in the given order, without those that do not exist."""
        loaded = (self.load(kind, stream_id, version) for stream_id, version in versions)
        return [found for found in loaded if found is not None]

    def _load_or_log(self, kind: type[TAggregate], stream_id: str) -> TAggregate | None:
        try:
            return self.load(kind, stream_id)
        except StorageUnavailable as error:
            self._logger.error("stream_not_loaded", stream=stream_id, error=str(error))
            return None

    def _events(self, stream_id: str, after: int | None, last: int | None) -> Iterator[Event]:
        return cast("Iterator[Event]", self._library.events.get(stream_id, gt=after, lte=last))

    def _snapshot(self, kind: type[TAggregate], stream_id: str, version: int | None) -> Snapshot | None:
        """Return the last snapshot up to a version; None if there is none that can be used."""
        last = cast("Snapshot | None", next(self.snapshots.get(stream_id, lte=version, desc=True, limit=1), None))
        return last if last is not None and last.topic == kind.kind else None
