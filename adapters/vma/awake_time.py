"""A time limit that counts only the time in which this process ran."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

SLICES = 8
"""Parts in which a limit is counted, so that at most one of them passes while the process is stopped."""

LATE = 0.25
"""Seconds by which a timer of the event loop may be late before the process counts as having been stopped."""


@asynccontextmanager
async def awake_time_limit(seconds: float) -> AsyncIterator[None]:
    """Raise TimeoutError in the body after `seconds` in which the event loop ran.

    While the process is suspended, or its event loop is blocked, no reply can be read. A plain time limit would then
    expire although the reply has already arrived. A slice that ends late counts half, so that even in an event loop
    that is always late the limit expires, after twice the time.
    """
    async with asyncio.timeout(None) as limit:
        countdown = _Countdown(limit, seconds / SLICES)
        try:
            yield
        finally:
            countdown.stop()


class _Countdown:
    def __init__(self, limit: asyncio.Timeout, slice_seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._limit = limit
        self._slice = slice_seconds
        self._remaining = float(SLICES)
        self._wait()

    def stop(self) -> None:
        self._timer.cancel()

    def _wait(self) -> None:
        self._due = self._loop.time() + self._slice
        self._timer = self._loop.call_at(self._due, self._count)

    def _count(self) -> None:
        self._remaining -= 0.5 if self._loop.time() - self._due > LATE else 1.0
        if self._remaining > 0:
            self._wait()
        else:
            self._limit.reschedule(self._loop.time())
