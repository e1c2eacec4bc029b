"""The first round of a recovery run: the first question about each of its jobs.

Only when all of them have been answered is it known how many of its jobs a VMA does not know, and so whether it has
forgotten them; a job that was not found waits for that.
"""

import asyncio
from collections.abc import Iterable


class FirstRound:
    """Knows which jobs of a run have not been asked for yet."""

    def __init__(self, job_ids: Iterable[str]) -> None:
        """Wait for these jobs."""
        self._missing = set(job_ids)
        self._over = asyncio.Event()

    def answered(self, job_id: str) -> None:
        """Take note that the job was asked for, or cannot be. Safe to repeat."""
        self._missing.discard(job_id)
        if not self._missing:
            self._over.set()

    async def is_over(self) -> None:
        """Wait until every job was asked for."""
        await self._over.wait()
