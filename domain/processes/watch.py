"""Who watches a job, by its state: every open job has exactly one watcher, and so has every guess.

Assigning follows the job's state, not the event that led to it, so doing it twice is harmless.
"""

from typing import Protocol

from domain.lifecycle import JobState
from domain.replication_job import ReplicationJob

POLLER, RETRIES, RUN, RECONCILIATION = "poller", "retry scheduler", "recovery run", "reconciliation"

BY_STATE = {JobState.REPLICATING: POLLER, JobState.PENDING_RETRY: RETRIES, JobState.RECOVERING: RUN}
"""Who watches an open job."""


class Watcher(Protocol):
    """Somebody who looks after jobs in one situation."""

    def watch(self, job: ReplicationJob) -> None:
        """Look after the job from now on. Safe to repeat."""

    def drop(self, job_id: str) -> None:
        """Leave the job to others. Safe to repeat."""


class Watch:
    """Gives each job to the one watcher that its state asks for."""

    def __init__(self, poller: Watcher, retries: Watcher, reconciliation: Watcher) -> None:
        """Know the watchers; a recovery run holds its jobs by itself."""
        self._watchers = {POLLER: poller, RETRIES: retries, RECONCILIATION: reconciliation}

    def assign(self, job: ReplicationJob) -> None:
        """Hand the job to its watcher and take it from all others."""
        wanted = watcher_of(job)
        for name, watcher in self._watchers.items():
            if name != wanted:
                watcher.drop(job.id)
        if wanted in self._watchers:
            self._watchers[wanted].watch(job)


def watcher_of(job: ReplicationJob) -> str | None:
    """Return who watches a job; None if it has ended for good."""
    if job.is_open:
        return BY_STATE[job.state]
    return RECONCILIATION if job.is_guess else None
