"""Recovery requests: the jobs that need recovery, and the causes."""

import asyncio
from collections.abc import Container

from domain.events import Cause


class RecoveryRequests:
    """Jobs for the next recovery runs."""

    def __init__(self) -> None:
        """Start empty."""
        self.asked = asyncio.Event()
        self._causes: dict[str, Cause] = {}

    def request(self, job_id: str, cause: Cause) -> None:
        """Request the recovery of a job. Safe to repeat: the first cause counts."""
        self._causes.setdefault(job_id, cause)
        self.asked.set()

    def drain(self, claimed: Container[str]) -> dict[Cause, list[str]]:
        """Remove all requests; return the jobs by cause, without those that a run has claimed already."""
        requested, self._causes = self._causes, {}
        self.asked.clear()
        by_cause: dict[Cause, list[str]] = {}
        for job_id, cause in requested.items():
            if job_id not in claimed:
                by_cause.setdefault(cause, []).append(job_id)
        return by_cause
