"""A clock that only a test advances; sleeping on it takes no time."""

import asyncio
from datetime import datetime, timedelta

from tests.support.builders import NOON

BOOTED = 16.0
"""Where the monotonic time begins: not at zero, as on no machine. Small, so that no difference is also a remainder."""


class FakeClock:
    """A clock under the test's control. `sleep` advances it."""

    def __init__(self) -> None:
        self._elapsed = 0.0
        self._stepped = 0.0

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self._elapsed + self._stepped)

    def monotonic(self) -> float:
        return BOOTED + self._elapsed

    @property
    def elapsed(self) -> float:
        """Return the seconds that have passed since this clock was made."""
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)
        await asyncio.sleep(0)

    def advance(self, seconds: float) -> None:
        self._elapsed += seconds

    def step(self, seconds: float) -> None:
        """Step the wall clock forward or back; no time passes."""
        self._stepped += seconds
