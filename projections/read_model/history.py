"""Compares the history of the read model with that of the log, which may have gone back.

After a restore, or a failover to a replica that lagged, the log has lost events that were applied, and perhaps has
others at their positions. The last event that was applied tells: a log that has it has all before it, too.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import msgspec

from domain.errors import LogChanged
from projections.read_model.audit_rows import Entry
from projections.read_model.checkpoint import Checkpoint

AppliedBy = Callable[[int], Awaitable[Checkpoint]]
"""Returns the last event that was applied, at a position or before it."""


class Positions(Protocol):
    """The event log, as far as it is read here."""

    async def read_from(self, position: int, limit: int) -> list[Entry]:
        """Return the events after a position."""


class Lost(msgspec.Struct, frozen=True):
    """The events that were applied and that the log does not have: how many, and the position of the first."""

    lost_events: int
    from_position: int


async def has(log: Positions, applied: Checkpoint) -> bool:
    """Return whether the log has the event that was applied last."""
    return not applied.position or applied.matches(await log.read_from(applied.position - 1, 1))


async def entries_after(log: Positions, applied_by: AppliedBy, applied: Checkpoint, limit: int) -> Sequence[Entry]:
    """Return the events after the last one that was applied, which the log must still have before them.

    Nothing is returned while the log is shorter: then nothing can be applied to the wrong history.

    Raises:
        LogChanged: it has another event there, so these do not follow what was applied.

    """
    if not applied.position:
        return await log.read_from(0, limit)
    found = await log.read_from(applied.position - 1, limit + 1)
    if found and not applied.matches(found[:1]):
        lost = await find_lost(log, applied_by, applied)
        raise LogChanged(
            f"the last {lost.lost_events} events of the read model, from position {lost.from_position} to "
            f"{applied.position}, are not in the event log any more: a backup was restored, or the server failed over "
            "to a replica that lagged. Start the service again: it reads everything anew"
        )
    return found[1:]


async def find_lost(log: Positions, applied_by: AppliedBy, applied: Checkpoint) -> Lost:
    """Return which events are lost, up to the last one that was applied, which is.

    Two histories that have parted do not meet again, so the place is searched by halving.
    """
    common, differs = 0, applied.position
    while differs - common > 1:
        middle = (common + differs) // 2
        if await has(log, await applied_by(middle)):
            common = middle
        else:
            differs = middle
    return Lost(applied.position - common, common + 1)
