"""Who watches a job, by its state: every open job has exactly one watcher, and so has every guess.

| state         | watcher                                               |
| ------------- | ----------------------------------------------------- |
| replicating   | the poller                                            |
| pending-retry | the retry scheduler                                   |
| recovering    | the recovery run that holds it                        |
| ended         | nobody; if the outcome was inferred, reconciliation   |

Assigning follows the job's state, not the event that led to it, so doing it twice is harmless.
"""

from collections.abc import Iterable
from typing import Protocol

from domain.lifecycle import JobState
from domain.replication_job import ReplicationJob


class Watcher(Protocol):
    """Somebody who looks after jobs in one situation."""

    def watch(self, job: ReplicationJob) -> None:
        """Look after the job from now on. Safe to repeat."""

    def drop(self, job_id: str) -> None:
        """Leave the job to others. Safe to repeat."""


class Watch:
    """Gives each job to the one watcher that its state asks for."""

    def __init__(self, poller: Watcher, retries: Watcher, reconciliation: Watcher) -> None:
        """Know the watchers."""
        self._poller = poller
        self._retries = retries
        self._reconciliation = reconciliation

    def assign(self, job: ReplicationJob) -> None:
        """Hand the job to its watcher and take it from all others."""
        wanted = self._watcher_of(job)
        for watcher in self._all():
            if watcher is not wanted:
                watcher.drop(job.id)
        if wanted is not None:
            wanted.watch(job)

    def _watcher_of(self, job: ReplicationJob) -> Watcher | None:
        if job.state is JobState.REPLICATING:
            return self._poller
        if job.state is JobState.PENDING_RETRY:
            return self._retries
        return self._reconciliation if job.is_guess else None

    def _all(self) -> Iterable[Watcher]:
        return (self._poller, self._retries, self._reconciliation)
