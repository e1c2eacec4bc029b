"""What the three aggregates share: recording events, folding them, and making snapshots.

Aggregates are mutable msgspec structs that satisfy the eventsourcing library's aggregate protocol. Commands
check, decide and record; `evolve` only assigns, so that a stricter rule never makes history unloadable. After a command
that raises, or whose events could not be stored, the instance must be dropped and reloaded.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, ClassVar, Self

import msgspec

from domain.events import Event, Trace, identity


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The folded state of an aggregate at one version, already encoded."""

    originator_id: str
    originator_version: int
    topic: str
    state: bytes


class Aggregate(msgspec.Struct, kw_only=True):
    """A consistency boundary: an id, a version, and the events that are not stored yet."""

    kind: ClassVar[str]
    begins_with: ClassVar[type[Event]]
    """The first event of every stream of this kind. A stream without it is of another kind."""

    id: str
    version: int = 0
    last_ref: str = ""
    last_recorded_at: datetime | None = None
    pending: list[Any] = msgspec.field(default_factory=list)

    @property
    def last_event(self) -> str:
        """Return the identity of the last event: a version alone does not tell whether the log has gone back."""
        return identity(self.last_ref, self.last_recorded_at)

    def evolve(self, event: Event) -> None:
        """Assign what the event states. Unknown events of a later version change nothing."""
        raise NotImplementedError

    def check(self, event: Event) -> None:
        """Refuse an event that is not possible now, before it is recorded. By default, none is refused."""

    def collect_events(self) -> Sequence[Event]:
        """Return and clear the events that were recorded and not yet stored (the library's saving protocol)."""
        collected, self.pending = self.pending, []
        return collected

    def snapshot(self) -> Snapshot:
        """Return the encoded state at this version. It must be stored together with the pending events."""
        return Snapshot(
            originator_id=self.id,
            originator_version=self.version,
            topic=self.kind,
            state=msgspec.json.encode(msgspec.structs.replace(self, pending=[])),
        )

    @classmethod
    def fold(cls, aggregate: Self | None, events: Iterable[Event | Snapshot]) -> Self | None:
        """Return the aggregate after the events, from a snapshot among them or from `aggregate`.

        Returns None for a stream of another kind.
        """
        for event in events:
            if isinstance(event, Snapshot):
                aggregate = msgspec.json.decode(event.state, type=cls)
                continue
            if aggregate is None and isinstance(event, cls.begins_with):
                aggregate = cls(id=event.originator_id)
            if aggregate is not None:
                aggregate.apply(event)
        return aggregate

    def apply(self, event: Event) -> None:
        """Apply one event to the state."""
        self.evolve(event)
        self.version = event.originator_version
        self.last_ref = event.ref
        self.last_recorded_at = event.recorded_at

    def record(self, kind: type[Event], at: datetime, trace: Trace, **fields: Any) -> None:  # noqa: ANN401
        """Make the next event of this aggregate, apply it, and add it to the pending events."""
        event = kind(
            originator_id=self.id,
            originator_version=self.version + 1,
            recorded_at=at,
            correlation_id=trace.correlation_id,
            causation_id=trace.causation_id,
            actor=trace.actor,
            **fields,
        )
        self.check(event)
        self.apply(event)
        self.pending.append(event)
