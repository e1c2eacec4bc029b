"""The seals that a process remembers of its log, by which it recognises that the log has gone back.

A position alone does not tell: after a failover to a replica that lagged, or a restore, other events get it. A seal
covers everything before it, so two logs with the same seal are the same up to there.
"""

from collections import deque

from adapters.event_log.seals import Seal
from domain.errors import LogChanged

REMEMBERED = 10_000
"""Seals that are kept: more than the commits of any replica's usual lag, in about 2 MB."""

REMEDY = "Start the service again: it reads everything anew"
REGISTER = "Then register the jobs again that are missing"


class AnotherEnd(Exception):
    """The log does not end with the seal that this process left there."""


class History:
    """The last seals of one log, as one process left them."""

    def __init__(self, last: Seal) -> None:
        """Begin with the last seal of a log that was just opened."""
        self._seals = deque([last], maxlen=REMEMBERED)

    @property
    def last(self) -> Seal:
        """Return the seal that the log must end with."""
        return self._seals[-1]

    @property
    def seals(self) -> list[Seal]:
        """Return all seals that are remembered, the latest first."""
        return list(reversed(self._seals))

    def add(self, seal: Seal) -> None:
        """Remember a seal that was committed after the last one."""
        self._seals.append(seal)

    def check(self, end: Seal) -> None:
        """Check that the log ends as this process left it.

        Raises:
            AnotherEnd: it does not.

        """
        if end != self.last:
            raise AnotherEnd

    def go_on(self, end: Seal, there: Seal) -> None:
        """Go on from the end of the log, to which others may have written.

        Args:
            end: the last seal of the log.
            there: the seal that the log has where the last known one was.

        Raises:
            AnotherEnd: it does not have that one any more.

        """
        if end == self.last:
            return
        if there != self.last:
            raise AnotherEnd
        self.add(end)

    def changed(self, place: object, end: Seal, common: Seal | None) -> LogChanged:
        """Return the error of a log that is not as this process left it; the arguments are those of `difference`."""
        return LogChanged(f"the event log {place} is not as this process left it: {self.difference(end, common)}")

    def difference(self, end: Seal, common: Seal | None) -> str:
        """Return what has happened to the log, for a message.

        Args:
            end: the last seal of the log.
            common: the last remembered seal that is still in it; None if none is.

        """
        left = self.last.position
        if common is None:
            oldest = self.seals[-1].position
            return (
                f"it has none of the commits at positions {oldest} to {left} that this process knows, and ends at "
                f"{end.position}: it was restored from an older backup, or is another log. {REMEDY}. {REGISTER}"
            )
        lost, added = left - common.position, end.position - common.position
        if not lost and not added:
            return f"its last event is not the one that was sealed at position {left}: see `job-recovery verify`"
        if not lost:
            return f"another process added {added} events after position {left}. {REMEDY}"
        others = f", and {added} others are in their place" if added else ""
        return (
            f"the last {lost} acknowledged events, from position {common.position + 1} to {left}, are lost{others}: "
            f"the server failed over to a replica that lagged, or a backup was restored. {REMEDY}. {REGISTER}"
        )
