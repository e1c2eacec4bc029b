"""A time limit that counts only the time in which this process ran."""

import asyncio
from types import TracebackType

SLICES = 8
"""Parts in which a limit is counted, so that at most one of them passes while the process is stopped."""

LATE = 0.25
"""Seconds by which a timer of the event loop may be late before the process counts as having been stopped."""


class AwakeTimeLimit:
    """A context that raises TimeoutError in its body after `seconds` in which the event loop ran.

    While the process is suspended, or its event loop is blocked, no reply can be read. A plain time limit would then
    expire although the reply has already arrived. A slice that ends late counts half, so that even in an event loop
    that is always late the limit expires, after twice the time.
    """

    def __init__(self, seconds: float) -> None:
        """Count from when the context is entered."""
        self._loop = asyncio.get_running_loop()
        self._limit = asyncio.timeout(None)
        self._slice = seconds / SLICES
        self._remaining = float(SLICES)

    async def __aenter__(self) -> None:
        """Begin to count."""
        await self._limit.__aenter__()
        self._wait()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop counting."""
        self._timer.cancel()
        await self._limit.__aexit__(kind, error, traceback)

    def _wait(self) -> None:
        self._due = self._loop.time() + self._slice
        self._timer = self._loop.call_at(self._due, self._count)

    def _count(self) -> None:
        self._remaining -= 0.5 if self._loop.time() - self._due > LATE else 1.0
        if self._remaining > 0:
            self._wait()
        else:
            self._limit.reschedule(self._loop.time())
