"""What the domain needs from the outside, as protocols. Adapters implement them; tests pass fakes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

import msgspec

from domain.aggregate import Aggregate, Snapshot
from domain.attribution import Former
from domain.events import Event
from domain.vma_status import Answer

TAggregate = TypeVar("TAggregate", bound=Aggregate)
TEvent = TypeVar("TEvent", bound=Event)


class Clock(Protocol):
    """Time, passed in so that tests and simulations own it."""

    def now(self) -> datetime:
        """Return the machine's time in UTC, for showing and recording.

        It may step in either direction at any moment. A duration that decides anything is never a difference of two
        such times: only `monotonic` may be used for it.
        """

    def monotonic(self) -> float:
        """Return seconds of this process that never step; only differences mean anything."""

    async def sleep(self, seconds: float) -> None:
        """Let that much time pass."""


class EventLog(Protocol):
    """The append-only log of all streams: the one place of truth."""

    async def load(self, kind: type[TAggregate], stream_id: str) -> TAggregate | None:
        """Rebuild an aggregate from its events; None if it has none."""

    async def load_many(self, kind: type[TAggregate], stream_ids: Sequence[str]) -> dict[str, TAggregate]:
        """Rebuild several aggregates in one go; those without events, or that cannot be read, are left out."""

    async def select(self, *kinds: type[TEvent]) -> Sequence[TEvent]:
        """Return all events of these kinds, in the order in which they were stored."""

    async def append(self, events: Sequence[Event], snapshots: Sequence[Snapshot] = ()) -> int:
        """Store the events in one transaction; return the log position of the last, once it is durable.

        Raises:
            ConcurrentWrite: one of the versions is taken; nothing was stored.
            StorageUnavailable: the log cannot be written now; nothing was stored.

        """


class ProbeTarget(msgspec.Struct, frozen=True):
    """What has to be known of a job to ask its VMA for it, and to tell its worker's documents from others'.

    `address` is where its VMA is, without credentials.
    `left_over` is what the exports said before this job's worker wrote; of `unasked` volumes the VMA could not be
    asked for that. `heard` are the volumes whose own export this job's worker was heard of.
    """

    job_id: str
    vma: str
    volume_ids: tuple[str, ...]
    address: str | None = None
    left_over: tuple[Former, ...] = ()
    unasked: frozenset[str] = frozenset()
    heard: frozenset[str] = frozenset()


class VMA(Protocol):
    """All VMAs, asked one job at a time. Every question gets an answer, whatever the VMA or this machine does."""

    async def ask_exports(self, target: ProbeTarget) -> Mapping[str, Answer]:
        """Return the answer of each disk's export by volume id, in the job's order of disks."""

    async def ask_job_id(self, target: ProbeTarget) -> Sequence[Answer]:
        """Return the answers under the job's own id; one that says nothing of the job is left out."""

    def address_of(self, vma: str) -> str | None:
        """Return where the VMA is, without credentials; None if it is not in the settings."""


class Log(Protocol):
    """Structured log: an event name and fields, never a sentence with values pasted in."""

    def info(self, event: str, /, **fields: object) -> object:
        """Log a milestone."""

    def warning(self, event: str, /, **fields: object) -> object:
        """Log something that an operator should look at."""

    def error(self, event: str, /, **fields: object) -> object:
        """Log something that went wrong and is dealt with."""
