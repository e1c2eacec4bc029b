"""Who wants a job recovered, and why: written by those who notice, read by recovery."""

import asyncio
from collections.abc import Container

from domain.events import Cause


class RecoveryRequests:
    """Jobs that the next recovery runs are to take up."""

    def __init__(self) -> None:
        """Start with none."""
        self.asked = asyncio.Event()
        self._causes: dict[str, Cause] = {}

    def request(self, job_id: str, cause: Cause) -> None:
        """Have a job taken up by the next run. Safe to repeat: the first cause stands."""
        self._causes.setdefault(job_id, cause)
        self.asked.set()

    def take(self, held: Container[str]) -> dict[Cause, list[str]]:
        """Hand over what was requested, by cause; a job that a run holds already is not taken twice."""
        requested, self._causes = self._causes, {}
        self.asked.clear()
        by_cause: dict[Cause, list[str]] = {}
        for job_id, cause in requested.items():
            if job_id not in held:
                by_cause.setdefault(cause, []).append(job_id)
        return by_cause
