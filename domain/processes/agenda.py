"""An agenda: which job is due when. Shared by polling, retrying and reconciling."""

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable

from domain.ports import Clock


class Agenda:
    """Jobs by due time (monotonic seconds); putting a job again moves it."""

    def __init__(self) -> None:
        """Start empty."""
        self._due: dict[str, float] = {}
        self._heap: list[tuple[float, int, str]] = []
        self._sequence = itertools.count()

    def __len__(self) -> int:
        """Count the jobs on the agenda."""
        return len(self._due)

    def __contains__(self, job_id: str) -> bool:
        """Whether the job is on the agenda."""
        return job_id in self._due

    def put(self, job_id: str, due: float) -> None:
        """Put a job on the agenda, or move it."""
        self._due[job_id] = due
        heapq.heappush(self._heap, (due, next(self._sequence), job_id))

    def drop(self, job_id: str) -> None:
        """Take a job off the agenda, if it is there."""
        self._due.pop(job_id, None)

    def due_at(self, job_id: str) -> float | None:
        """Return when the job is due, if it is on the agenda."""
        return self._due.get(job_id)

    def pop_due(self, now: float) -> tuple[str, float] | None:
        """Take the job that has been due the longest; return it with its due time."""
        while self._heap and self._heap[0][0] <= now:
            due, _, job_id = heapq.heappop(self._heap)
            if self._due.get(job_id) == due:
                del self._due[job_id]
                return job_id, due
        return None

    def pop_all_due(self, now: float) -> list[str]:
        """Take every job that is due."""
        taken = []
        while (entry := self.pop_due(now)) is not None:
            taken.append(entry[0])
        return taken

    async def follow(self, clock: Clock, look: Callable[[str], Awaitable[None]], tick: float) -> None:
        """Have `look` called for each job when it is due, for as long as the service runs.

        A look that takes long, at a slow VMA, holds up no other job. One that is under way is not begun twice.
        """
        under_way: set[str] = set()

        async def begin(job_id: str) -> None:
            under_way.add(job_id)
            try:
                await look(job_id)
            finally:
                under_way.discard(job_id)

        async with asyncio.TaskGroup() as looks:
            while True:
                for job_id in self.pop_all_due(clock.monotonic()):
                    if job_id not in under_way:
                        looks.create_task(begin(job_id))
                await clock.sleep(tick)
