"""The watcher of a job, by its state: every open job has exactly one, and so has every guess.

The assignment depends on the job's state, not on the event before it, so it is safe to repeat.
"""

from typing import Protocol

from domain.lifecycle import JobState
from domain.replication_job import ReplicationJob

POLLER, RETRIES, RUN, RECONCILIATION = "poller", "retry scheduler", "recovery run", "reconciliation"

BY_STATE = {JobState.REPLICATING: POLLER, JobState.PENDING_RETRY: RETRIES, JobState.RECOVERING: RUN}
"""The watcher of an open job."""


class Watcher(Protocol):
    """A process that is responsible for jobs in one state."""

    def watch(self, job: ReplicationJob) -> None:
        """Watch the job from now on. Safe to repeat."""

    def drop(self, job_id: str) -> None:
        """Stop watching the job. Safe to repeat."""


class Watch:
    """Assigns each job to the watcher of its state."""

    def __init__(self, poller: Watcher, retries: Watcher, reconciliation: Watcher) -> None:
        """Use these watchers; a recovery run claims its jobs by itself."""
        self._watchers = {POLLER: poller, RETRIES: retries, RECONCILIATION: reconciliation}

    def assign(self, job: ReplicationJob) -> None:
        """Assign the job to its watcher, and remove it from all others."""
        wanted = watcher_of(job)
        for name, watcher in self._watchers.items():
            if name != wanted:
                watcher.drop(job.id)
        if wanted in self._watchers:
            self._watchers[wanted].watch(job)

    def drop(self, job_id: str) -> None:
        """Remove a job that another instance watches from now on."""
        for watcher in self._watchers.values():
            watcher.drop(job_id)


def watcher_of(job: ReplicationJob) -> str | None:
    """Return the watcher of a job; None if its outcome is final."""
    if job.is_open:
        return BY_STATE[job.state]
    return RECONCILIATION if job.is_guess else None
