"""An event log in memory: no threads, so that a test on a fake clock runs the same every time."""

import asyncio
from collections.abc import Sequence

from domain.aggregate import Snapshot
from domain.errors import ConcurrentWrite, StorageUnavailable
from domain.events import Event
from domain.ports import TAggregate, TEvent


class MemoryLog:
    """Stores events in memory; refuses a version that exists, and every write while not `writable`.

    Streams that are `unreadable` are not loaded.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.writable = True
        self.unreadable: set[str] = set()
        self._streams: dict[str, list[Event]] = {}

    async def load(self, kind: type[TAggregate], stream_id: str) -> TAggregate | None:
        await asyncio.sleep(0)
        if stream_id in self.unreadable:
            raise StorageUnavailable(f"{stream_id} cannot be read: this test says so")
        return kind.fold(None, self._streams.get(stream_id, ()))

    async def load_many(self, kind: type[TAggregate], stream_ids: Sequence[str]) -> dict[str, TAggregate]:
        loaded = {stream_id: await self.load(kind, stream_id) for stream_id in stream_ids}
        return {stream_id: found for stream_id, found in loaded.items() if found is not None}

    async def select(self, *kinds: type[TEvent]) -> list[TEvent]:
        return [event for event in self.events if isinstance(event, kinds)]

    async def append(self, events: Sequence[Event], snapshots: Sequence[Snapshot] = ()) -> int:  # noqa: ARG002 - a port
        await asyncio.sleep(0)
        if not self.writable:
            raise StorageUnavailable("the event log cannot be written: this test says so")
        for event in events:
            if event.originator_version <= len(self._streams.get(event.originator_id, ())):
                raise ConcurrentWrite(f"{event.originator_id} was written to by another process first")
        for event in events:
            self._streams.setdefault(event.originator_id, []).append(event)
        self.events += events
        return len(self.events)

    async def read_from(self, position: int, limit: int) -> list[tuple[int, Event]]:
        return list(enumerate(self.events[position : position + limit], start=position + 1))

    async def head(self) -> int:
        return len(self.events)
