"""The machine's clock, and the monotonic clock of this process."""

import asyncio
import time
from datetime import UTC, datetime


class SystemClock:
    """Implements the clock port on the operating system."""

    def now(self) -> datetime:
        """Return the machine's time in UTC. It steps when somebody sets the clock."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never step; only differences have a meaning."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Return after that time."""
        await asyncio.sleep(seconds)
