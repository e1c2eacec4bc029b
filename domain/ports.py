"""Ports: what the domain needs from the outside, as protocols. Adapters implement them; tests pass fakes."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

import msgspec

from domain.aggregate import Aggregate, Snapshot
from domain.attribution import PreviousReading
from domain.events import Event
from domain.vma_status import Answer

TAggregate = TypeVar("TAggregate", bound=Aggregate)
TEvent = TypeVar("TEvent", bound=Event)


class Clock(Protocol):
    """Time, passed in so that tests and simulations own it."""

    def now(self) -> datetime:
        """Return the machine's time in UTC, to show and to record.

        It may step in either direction at any moment. Durations that decide anything are measured with `monotonic`.
        """

    def monotonic(self) -> float:
        """Return seconds of this process that never step; only differences have a meaning."""

    async def sleep(self, seconds: float) -> None:
        """Return after that time."""


class EventLog(Protocol):
    """The append-only log of all streams: the only source of truth."""

    async def load(self, kind: type[TAggregate], stream_id: str) -> TAggregate | None:
        """Return an aggregate from its events; None if it has none."""

    async def load_many(self, kind: type[TAggregate], stream_ids: Sequence[str]) -> dict[str, TAggregate]:
        """Return several aggregates by id, without those that have no events or cannot be read."""

    async def select(self, *kinds: type[TEvent]) -> Sequence[TEvent]:
        """Return all events of these kinds, in the order in which they were stored."""

    async def append(
        self, events: Sequence[Event], snapshots: Sequence[Snapshot] = (), *, as_owner_of: str | None = None
    ) -> int:
        """Store the events in one transaction; return the log position of the last, once it is durable.

        Args:
            events: of one or more streams.
            snapshots: of aggregates at these events.
            as_owner_of: what this instance must own at the commit; None for what any instance may store.

        Raises:
            ConcurrentWrite: one of the versions exists already, or another instance has registered a job that is not
                known here yet; nothing was stored.
            NotOwner: this instance does not own it, or not any more; nothing was stored.
            StorageUnavailable: the log cannot be written now; nothing was stored.

        """


class Reached(msgspec.Struct, frozen=True):
    """How far an instance is in the event log.

    `position` is that of the last event in what it answers, and `head` that of the last event that it knows. `told_at`
    is when it has told the others, by the clock that all of them share.
    """

    position: int
    head: int
    told_at: datetime


PositionAndHead = Callable[[], tuple[int, int]]
"""Returns the first two numbers of `Reached` at this moment; any thread may call it."""


class Instance(msgspec.Struct, frozen=True, kw_only=True):
    """An instance of the service that is connected to the event log.

    `id` is unique, whatever its host is called. `vmas` are those in its settings, `owns` are the shares that it owns,
    and `address` is where it can be asked. `reached` is None if it does not tell it, as in earlier releases.
    """

    id: str
    address: str
    version: str
    started_at: datetime
    vmas: frozenset[str]
    owns: frozenset[str]
    reached: Reached | None = None


class Survey(msgspec.Struct, frozen=True):
    """The instances at one moment: this one, and the others that are connected.

    `is_new` is whether this instance has connected since the last survey; `stopped` are the ids of those that do not
    run, though a session of theirs may be there; `holders` are the sessions that keep a share from every instance, by
    share.
    """

    me: Instance
    others: tuple[Instance, ...] = ()
    is_new: bool = False
    stopped: frozenset[str] = frozenset()
    holders: Mapping[str, str] = {}


class Instances(Protocol):
    """The instances that share the event log, and what each of them owns.

    A share is the name of a VMA, or `REST`. An instance loses its shares with its connection to the log, so that it
    cannot store anything as their owner.
    """

    @property
    def known(self) -> Survey | None:
        """Return what is known without a survey: all, if there are no other instances; None if there may be some."""

    async def survey(self) -> Survey:
        """Tell the others that this instance lives, and return what each owns.

        Raises:
            StorageUnavailable: that is not known now. What this instance owned it owns still, or cannot use.

        """

    async def claim(self, share: str) -> bool:
        """Become the owner of a share; return False if another one owns it.

        Raises:
            StorageUnavailable: the log cannot be used now.

        """

    async def release(self, share: str) -> None:
        """Stop to own a share. Safe to repeat."""


class ProbeTarget(msgspec.Struct, frozen=True):
    """What must be known of a job to ask its VMA for it, and to tell its worker's documents from those of others.

    `address` is where its VMA is, without credentials. `previous_readings` is what the exports had before this job's
    worker wrote; those of `unasked` volumes could not be asked. `seen_volumes` are the volumes of which this job's
    worker has reported under their own export, and `reused` those to whose export an earlier job's worker wrote, or may
    have written.
    """

    job_id: str
    vma: str
    volume_ids: tuple[str, ...]
    address: str | None = None
    previous_readings: tuple[PreviousReading, ...] = ()
    unasked: frozenset[str] = frozenset()
    seen_volumes: frozenset[str] = frozenset()
    reused: frozenset[str] = frozenset()


class VMA(Protocol):
    """All VMAs, asked one job at a time. Every request gets an answer, whatever the VMA or this machine does."""

    async def ask_exports(self, target: ProbeTarget) -> Mapping[str, Answer]:
        """Return the answer of each disk's export by volume id, in the job's order of disks."""

    async def ask_job_id(self, target: ProbeTarget) -> Sequence[Answer]:
        """Return the answers under the job's own id, without those that tell nothing about the job."""

    def address_of(self, vma: str) -> str | None:
        """Return where the VMA is, without credentials; None if it is not in the settings."""


class Log(Protocol):
    """The structured logger: an event name and fields, never a sentence with values in it."""

    def info(self, event: str, /, **fields: object) -> object:
        """Log a milestone."""

    def warning(self, event: str, /, **fields: object) -> object:
        """Log something that an operator should look at."""

    def error(self, event: str, /, **fields: object) -> object:
        """Log an error that was handled."""
