"""Awake time: for how long this process has run and could ask, and how often it was absent.

The monotonic clock goes on while the process is stopped (SIGSTOP), swapped out, or late by its own work. None of that
time may count as the VMA's silence.
"""

from domain.ports import Clock

BEAT = 0.2
"""Seconds between two beats."""

ABSENT = 2.0
"""Seconds between two beats from which on this process was absent."""


class AwakeTime:
    """Counts awake seconds, of which only differences mean anything, and absences."""

    def __init__(self, clock: Clock) -> None:
        """Begin now."""
        self.absences = 0
        self._clock = clock
        self._last = clock.monotonic()
        self._seconds = 0.0

    def __call__(self) -> float:
        """Return the seconds until now."""
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
        """Beat for as long as the service runs, so that only real absence makes a gap."""
        while True:
            self()
            await self._clock.sleep(BEAT)
