"""A simulated disk and the event log on it: it is slow, fails, and loses the answer when the process is killed."""

import asyncio
import random
from collections.abc import Callable, Sequence

from adapters.event_log.sole_instance import SoleInstance
from domain.aggregate import Snapshot
from domain.errors import ConcurrentWrite, StorageUnavailable
from domain.events import Event
from domain.ports import Clock, Instance, Instances, PositionAndHead, TAggregate, TEvent


class Disk:
    """The events in the order of their commits, which survive a kill."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.streams: dict[str, list[Event]] = {}
        self.watchers: list[Callable[[Sequence[Event]], None]] = []
        self.full = False
        self.lag = 0.0

    def commit(self, events: Sequence[Event]) -> int:
        for event in events:
            if event.originator_version <= len(self.streams.get(event.originator_id, ())):
                raise ConcurrentWrite(f"{event.originator_id} version {event.originator_version} is taken")
        for event in events:
            self.streams.setdefault(event.originator_id, []).append(event)
        self.events += events
        for watcher in self.watchers:
            watcher(events)
        return len(self.events)


class SimulatedEventLog:
    """One process's event log: the port of the domain, and the notification log of the projector."""

    def __init__(self, disk: Disk, rng: random.Random) -> None:
        self.position = len(disk.events)
        self.killed = False
        self._disk = disk
        self._rng = rng
        self._on_commit: list[Callable[[int], None]] = []

    def on_commit(self, listener: Callable[[int], None]) -> None:
        self._on_commit.append(listener)

    def on_late_commit(self, _listener: Callable[[Sequence[Event]], None]) -> None:
        """Nothing is stored late: an answer is lost only together with the process."""

    def on_others(self, _listener: Callable[[Sequence[Event]], None]) -> None:
        """Nothing is stored by others."""

    def instances(self, me: Instance, _: PositionAndHead) -> Instances:
        return SoleInstance(me)

    async def keep(self, _clock: Clock) -> None:
        """Return: a simulated disk does not go away."""

    def on_append(self, _listener: Callable[[float], None]) -> None:
        """Ignore the listener: a simulation measures no latency."""

    async def load(self, kind: type[TAggregate], stream_id: str) -> TAggregate | None:
        await self._wait()
        return kind.fold(None, self._disk.streams.get(stream_id, ()))

    async def load_many(self, kind: type[TAggregate], stream_ids: Sequence[str]) -> dict[str, TAggregate]:
        await self._wait()
        folded = {stream_id: kind.fold(None, self._disk.streams.get(stream_id, ())) for stream_id in stream_ids}
        return {stream_id: found for stream_id, found in folded.items() if found is not None}

    async def select(self, *kinds: type[TEvent]) -> list[TEvent]:
        await self._wait()
        return [event for event in self._disk.events if isinstance(event, kinds)]

    async def append(
        self,
        events: Sequence[Event],
        snapshots: Sequence[Snapshot] = (),  # noqa: ARG002 - a port
        *,
        as_owner_of: str | None = None,  # noqa: ARG002 - a port
    ) -> int:
        await self._wait()
        if self._disk.full:
            raise StorageUnavailable("the simulated disk is full")
        position = self._disk.commit(events)
        # A process that is killed here has stored events without an acknowledgement.
        await self._wait()
        self.position = max(self.position, position)
        for listener in self._on_commit:
            listener(position)
        return position

    async def read_from(self, position: int, limit: int) -> list[tuple[int, Event]]:
        await asyncio.sleep(self._rng.uniform(0.05, 0.6))
        return list(enumerate(self._disk.events[position : position + limit], start=position + 1))

    async def head(self) -> int:
        return len(self._disk.events)

    async def _wait(self) -> None:
        if self.killed:
            # A killed process does nothing, not even in its `finally` clauses.
            await asyncio.get_running_loop().create_future()
        await asyncio.sleep(self._disk.lag * self._rng.random())
        if self.killed:
            await asyncio.get_running_loop().create_future()
