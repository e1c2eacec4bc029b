"""The time in which this process ran: on a busy or suspended machine, all processes may stand still together."""

import threading
import time
from functools import cache

TICK = 0.05
LONGEST = 0.5
"""Seconds between two ticks; what is more, this process stood still."""


class _Clock:
    def __init__(self) -> None:
        self.seconds = 0.0
        threading.Thread(target=self._tick, name="awake", daemon=True).start()

    def _tick(self) -> None:
        last = time.monotonic()
        while True:
            time.sleep(TICK)
            now = time.monotonic()
            self.seconds += min(now - last, LONGEST)
            last = now


_clock = cache(_Clock)


def awake() -> float:
    """Return for how many seconds this process has run, since it asked first."""
    return _clock().seconds
