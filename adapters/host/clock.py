"""The machine's clock, and the monotonic clock of this process."""

import asyncio
import time
from datetime import UTC, datetime


class SystemClock:
    """The domain's clock port on the operating system."""

    def now(self) -> datetime:
        """Return the machine's time in UTC. It steps when the machine's clock is set."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never step; only differences mean anything."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Let that much time pass."""
        await asyncio.sleep(seconds)
