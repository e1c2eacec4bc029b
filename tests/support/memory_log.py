"""An event log in memory: no threads, so that a test on a fake clock runs the same every time."""

import asyncio
from collections.abc import Sequence

from domain.aggregate import Snapshot
from domain.errors import ConcurrentWrite, StorageUnavailable
from domain.events import Event
from domain.ports import TAggregate, TEvent


class MemoryLog:
    """Stores events in memory; refuses a version that exists, and every write while not `writable`.

    While it `loses_answers`, it stores events and reports an error, as if the connection to a database were lost.

    Streams that are `unreadable` are not loaded. The next selections raise its `refusals`, one each.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.writable = True
        self.loses_answers = False
        self.unreadable: set[str] = set()
        self.refusals: list[StorageUnavailable] = []
        self._streams: dict[str, list[Event]] = {}

    async def load(self, kind: type[TAggregate], stream_id: str) -> TAggregate | None:
        await asyncio.sleep(0)
        if stream_id in self.unreadable:
            raise StorageUnavailable(f"{stream_id} cannot be read: this test says so")
        return kind.fold(None, self._streams.get(stream_id, ()))

    async def load_many(self, kind: type[TAggregate], stream_ids: Sequence[str]) -> dict[str, TAggregate]:
        readable = [stream_id for stream_id in stream_ids if stream_id not in self.unreadable]
        loaded = {stream_id: await self.load(kind, stream_id) for stream_id in readable}
        return {stream_id: found for stream_id, found in loaded.items() if found is not None}

    async def select(self, *kinds: type[TEvent]) -> list[TEvent]:
        if self.refusals:
            raise self.refusals.pop(0)
        return [event for event in self.events if isinstance(event, kinds)]

    async def append(
        self,
        events: Sequence[Event],
        snapshots: Sequence[Snapshot] = (),  # noqa: ARG002 - a port
        *,
        as_owner_of: str | None = None,  # noqa: ARG002 - a port
    ) -> int:
        await asyncio.sleep(0)
        if not self.writable:
            raise StorageUnavailable("the event log cannot be written: this test says so")
        for event in events:
            if event.originator_version <= len(self._streams.get(event.originator_id, ())):
                raise ConcurrentWrite(f"{event.originator_id} was written to by another process first")
        for event in events:
            self._streams.setdefault(event.originator_id, []).append(event)
        self.events += events
        if self.loses_answers:
            raise StorageUnavailable("the answer to the commit is lost: this test says so")
        return len(self.events)

    async def read_from(self, position: int, limit: int) -> list[tuple[int, Event]]:
        return list(enumerate(self.events[position : position + limit], start=position + 1))

    async def head(self) -> int:
        return len(self.events)
