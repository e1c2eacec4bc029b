"""Loads aggregates from the event log: the last usable snapshot, and the events after it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import cast

from eventsourcing.persistence import StoredEvent

from adapters.event_log.storage import Storage
from domain.aggregate import Snapshot
from domain.errors import StorageUnavailable
from domain.events import Event
from domain.ports import Log, TAggregate
from domain.streams import FOLD_ERRORS

STREAMS = 500
"""Streams that are read in two queries. A database limits how long a query may take, and how many parameters it has."""


class Aggregates:
    """Loads aggregates, in the calling thread."""

    def __init__(self, storage: Storage, logger: Log) -> None:
        """Read from a log; `logger` gets the errors of `load_many`."""
        self._storage = storage
        self._mapper = storage.events.mapper
        self._logger = logger

    def load(self, kind: type[TAggregate], stream_id: str, version: int | None = None) -> TAggregate | None:
        """Return an aggregate, at a version or the last one; None if it has no events.

        Raises:
            StorageUnavailable: an event of it cannot be decoded or applied; the others do not suffice to decide.

        """
        snapshot = self._snapshot(kind, stream_id, version)
        start = snapshot.originator_version if snapshot else None
        return _fold(kind, stream_id, snapshot, self._events(stream_id, start, version))

    def load_many(self, kind: type[TAggregate], stream_ids: Sequence[str]) -> dict[str, TAggregate]:
        """Return several aggregates by id; one that cannot be read is omitted and logged."""
        loaded = {}
        for first in range(0, len(stream_ids), STREAMS):
            for stream_id, snapshot, events in self._streams(kind, stream_ids[first : first + STREAMS]):
                if (found := self._fold_or_log(kind, stream_id, snapshot, events)) is not None:
                    loaded[stream_id] = found
        return loaded

    def load_versions(self, kind: type[TAggregate], versions: Sequence[tuple[str, int]]) -> list[TAggregate]:
        """Return aggregates, each at one version, in the given order, without those that do not exist."""
        loaded = (self.load(kind, stream_id, version) for stream_id, version in versions)
        return [found for found in loaded if found is not None]

    def _streams(
        self, kind: type[TAggregate], stream_ids: Sequence[str]
    ) -> Iterator[tuple[str, Snapshot | None, Iterator[Event]]]:
        """Return each stream with its last usable snapshot and the events after it, which are not decoded yet."""
        stored_snapshots = self._storage.last_snapshots(stream_ids)
        snapshots = {stored.originator_id: self._usable(kind, stored) for stored in stored_snapshots}
        starts = {stream_id: found.originator_version for stream_id, found in snapshots.items() if found}
        events = defaultdict[str, list[StoredEvent]](list)
        for stored in self._storage.events_after({stream_id: starts.get(stream_id, 0) for stream_id in stream_ids}):
            events[str(stored.originator_id)].append(stored)
        for stream_id in stream_ids:
            decoded = map(self._mapper.to_domain_event, events[stream_id])
            yield stream_id, snapshots.get(stream_id), cast("Iterator[Event]", decoded)

    def _fold_or_log(
        self, kind: type[TAggregate], stream_id: str, snapshot: Snapshot | None, events: Iterable[Event]
    ) -> TAggregate | None:
        try:
            return _fold(kind, stream_id, snapshot, events)
        except StorageUnavailable as error:
            self._logger.error("stream_not_loaded", stream=stream_id, error=str(error))
            return None

    def _events(self, stream_id: str, after: int | None, last: int | None) -> Iterator[Event]:
        return cast("Iterator[Event]", self._storage.events.get(stream_id, gt=after, lte=last))

    def _snapshot(self, kind: type[TAggregate], stream_id: str, version: int | None) -> Snapshot | None:
        """Return the last snapshot up to a version; None if there is none that can be used."""
        found = self._storage.snapshots.recorder.select_events(stream_id, lte=version, desc=True, limit=1)
        return self._usable(kind, found[0]) if found else None

    def _usable(self, kind: type[TAggregate], stored: StoredEvent) -> Snapshot | None:
        """Return a stored snapshot; None if it must not be used, also because it is something else."""
        try:
            found = self._mapper.to_domain_event(stored)
        except StorageUnavailable:
            return None
        return found if isinstance(found, Snapshot) and found.topic == kind.kind else None


def _fold(
    kind: type[TAggregate], stream_id: str, snapshot: Snapshot | None, events: Iterable[Event]
) -> TAggregate | None:
    try:
        return kind.fold(kind.fold(None, [snapshot]) if snapshot else None, events)
    except FOLD_ERRORS as error:
        why = f"the events of {stream_id} cannot be applied ({type(error).__name__}: {error})"
        raise StorageUnavailable(f"{why}: see `job-recovery verify`") from error
