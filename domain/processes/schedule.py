"""The schedule: which job is due when, for polling, retries and reconciliation."""

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable

from domain.ports import Clock


class Schedule:
    """Jobs by due time in monotonic seconds."""

    def __init__(self) -> None:
        """Start empty."""
        self._due: dict[str, float] = {}
        self._heap: list[tuple[float, int, str]] = []
        self._sequence = itertools.count()

    def __len__(self) -> int:
        """Return the number of scheduled jobs."""
        return len(self._due)

    def __contains__(self, job_id: str) -> bool:
        """Return whether the job is scheduled."""
        return job_id in self._due

    def put(self, job_id: str, due: float) -> None:
        """Schedule a job, or move it to another time."""
        self._due[job_id] = due
        heapq.heappush(self._heap, (due, next(self._sequence), job_id))

    def drop(self, job_id: str) -> None:
        """Remove a job, if it is scheduled."""
        self._due.pop(job_id, None)

    def due_at(self, job_id: str) -> float | None:
        """Return when the job is due; None if it is not scheduled."""
        return self._due.get(job_id)

    def pop_due(self, now: float) -> tuple[str, float] | None:
        """Remove the job that has been due the longest; return it with its due time, or None if no job is due."""
        while self._heap and self._heap[0][0] <= now:
            due, _, job_id = heapq.heappop(self._heap)
            if self._due.get(job_id) == due:
                del self._due[job_id]
                return job_id, due
        return None

    def pop_all_due(self, now: float) -> list[str]:
        """Remove and return every job that is due."""
        due = []
        while (entry := self.pop_due(now)) is not None:
            due.append(entry[0])
        return due

    async def follow(self, clock: Clock, call: Callable[[str], Awaitable[None]], tick: float) -> None:
        """Call `call` for each job when it is due, for as long as the service runs.

        A call that takes long, because of a slow VMA, delays no other job. A job has at most one call at a time.
        """
        under_way: set[str] = set()

        async def begin(job_id: str) -> None:
            under_way.add(job_id)
            try:
                await call(job_id)
            finally:
                under_way.discard(job_id)

        async with asyncio.TaskGroup() as calls:
            while True:
                for job_id in self.pop_all_due(clock.monotonic()):
                    if job_id not in under_way:
                        calls.create_task(begin(job_id))
                await clock.sleep(tick)
