"""The recorded decisions that a what-if makes again, kept between its questions."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from domain.events import Event
from projections.queries.audit_entry import AuditEntry, AuditFilter
from projections.queries.audit_trail import AuditTrail

KEPT = 5000
"""Largest number of decisions that are kept, each with its evidence of some kilobytes."""


class RecordedDecisions:
    """Reads the decisions of a run or of a period.

    A slider asks about the same decisions at each step, and reading them takes longer than deciding. So the last ones
    are kept. They are still right if the last decision that matches is the same one: new ones come after it.
    """

    def __init__(self, trail: AuditTrail) -> None:
        """Read from `trail`."""
        self._trail = trail
        self._wanted: AuditFilter | None = None
        self._last: AuditEntry | None = None
        self._events: list[Event] = []

    async def matching(self, wanted: AuditFilter) -> AsyncIterator[Sequence[Event]]:
        """Yield the decisions of a filter in parts, oldest first: of a long period they need not fit into memory."""
        last = next(iter(await self._trail.entries(wanted, 1, newest_first=True)), None)
        if last is None:
            return
        if (wanted, last) == (self._wanted, self._last):
            yield self._events
            return
        read: list[Event] = []
        async for entries in self._trail.chunks(wanted, end=last.position):
            events = await asyncio.to_thread(_events_of, entries)
            if len(read) <= KEPT:
                read += events
            yield events
        if len(read) <= KEPT:
            self._wanted, self._last, self._events = wanted, last, read


def _events_of(entries: Sequence[AuditEntry]) -> list[Event]:
    return [entry.event() for entry in entries]
