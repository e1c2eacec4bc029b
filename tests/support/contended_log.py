"""An event log to which other instances write, too, at the least convenient moment."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from domain.aggregate import Snapshot
from domain.events import Event


class Contended:
    """The event log of an instance that others are faster than: their writes are stored before its own."""

    def __init__(self, log: Any, *others: Callable[[], Awaitable[object]]) -> None:
        self._log = log
        self.others = list(others)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    async def append(
        self, events: Sequence[Event], snapshots: Sequence[Snapshot] = (), *, as_owner_of: str | None = None
    ) -> int:
        if self.others:
            await self.others.pop(0)()
        position: int = await self._log.append(events, snapshots, as_owner_of=as_owner_of)
        return position
