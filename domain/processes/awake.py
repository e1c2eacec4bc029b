"""Awake time: for how long this process has run and could ask.

The monotonic clock goes on while the process is stopped (SIGSTOP), swapped out, or late by its own work. None of that
time may count as the VMA's silence.
"""

from domain.ports import Clock

BEAT = 0.2
"""Seconds between two beats."""

MOST = 1.0
"""Seconds that a gap between two beats counts for at most; what is beyond was our own absence."""


class AwakeTime:
    """Counts awake seconds; only differences mean anything."""

    def __init__(self, clock: Clock) -> None:
        """Begin now."""
        self._clock = clock
        self._last = clock.monotonic()
        self._seconds = 0.0

    def __call__(self) -> float:
        """Return the seconds until now."""
        now = self._clock.monotonic()
        self._seconds += min(now - self._last, MOST)
        self._last = now
        return self._seconds

    async def run(self) -> None:
        """Beat for as long as the service runs, so that only real absence makes a gap."""
        while True:
            self()
            await self._clock.sleep(BEAT)
