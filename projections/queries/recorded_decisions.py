"""The recorded decisions that a what-if makes again, kept between its questions."""

import asyncio

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

    async def matching(self, wanted: AuditFilter) -> list[Event]:
        """Return the decisions of a filter, oldest first."""
        last = next(iter(await self._trail.entries(wanted, 1, newest_first=True)), None)
        if last is None:
            return []
        if (wanted, last) == (self._wanted, self._last):
            return self._events
        entries = [entry async for entry in self._trail.export(wanted, end=last.position)]
        events = await asyncio.to_thread(lambda: [entry.event() for entry in entries])
        if len(events) <= KEPT:
            self._wanted, self._last, self._events = wanted, last, events
        return events
