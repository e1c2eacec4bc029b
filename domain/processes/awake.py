"""Awake time: for how long this process has run, and how often it was absent.

The monotonic clock continues while the process is stopped (SIGSTOP), swapped out, or delayed by its own work. None of
that time may count as the VMA's silence.
"""

from domain.ports import Clock

HEARTBEAT = 0.2
"""Seconds between two heartbeats."""

ABSENT = 2.0
"""Seconds between two heartbeats from which on this process was absent."""


class AwakeTime:
    """Counts absences, and awake seconds, of which only differences have a meaning."""

    def __init__(self, clock: Clock) -> None:
        """Begin now."""
        self.absences = 0
        self._clock = clock
        self._last = clock.monotonic()
        self._seconds = 0.0

    def __call__(self) -> float:
        """Return the awake seconds until now."""
        now = self._clock.monotonic()
        passed, self._last = now - self._last, now
        self._seconds += min(passed, ABSENT)
        self.absences += passed > ABSENT
        return self._seconds

    def count_absences(self) -> int:
        """Return how often the process was absent until now."""
        self()
        return self.absences

    async def run(self) -> None:
        """Send heartbeats for as long as the service runs, so that only an absence makes a gap."""
        while True:
            self()
            await self._clock.sleep(HEARTBEAT)
