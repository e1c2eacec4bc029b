"""The clock of the real world."""

import asyncio
import time
from datetime import UTC, datetime


class SystemClock:
    """Wall-clock time in UTC, and monotonic time for everything that is measured."""

    def now(self) -> datetime:
        """Return the wall-clock time, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never jump."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Let that much time pass."""
        await asyncio.sleep(seconds)
