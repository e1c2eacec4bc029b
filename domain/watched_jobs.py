"""The watched jobs in memory."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import msgspec

from domain.ownership import EVERYTHING
from domain.replication_job import ReplicationJob


class WatchedJobs:
    """The open jobs, and those whose outcome is a guess, each as it is stored, of the VMAs that this instance owns.

    A command takes a job out, changes it, and puts it back. Meanwhile, others read the event log.
    """

    def __init__(self, owns: Callable[[str], bool] = EVERYTHING.owns) -> None:
        """Begin without a job; `owns` returns whether the jobs of a VMA are watched by this instance."""
        self._owns = owns
        self._jobs: dict[str, ReplicationJob] = {}
        self._before: dict[str, ReplicationJob] = {}
        """The jobs that are taken out, as they were then."""
        self._unknown: dict[str, ReplicationJob | None] = {}
        """The jobs that must be read again, as they were before."""
        self._loads: list[dict[str, ReplicationJob | None]] = []
        """For each load under way, the jobs that have ended since it began, and None for those that others changed."""

    def __iter__(self) -> Iterator[ReplicationJob]:
        """Return the jobs that are not taken out."""
        return iter(self._jobs.values())

    def get(self, job_id: str) -> ReplicationJob | None:
        """Return a job; None if it is not here."""
        return self._jobs.get(job_id)

    def last_known(self, job_id: str) -> ReplicationJob | None:
        """Return a job as it was last known here, also one that is taken out or must be read again."""
        return self._jobs.get(job_id) or self._before.get(job_id) or self._unknown.get(job_id)

    def may_be_open(self, job_id: str) -> bool:
        """Return whether a job is open, as far as is known here: one that is taken out may have ended by now."""
        job = self._jobs.get(job_id)
        return job.is_open if job is not None else job_id in self._before or job_id in self._unknown

    @property
    def all_known(self) -> list[ReplicationJob]:
        """Return all jobs as they were last known here, also those that are taken out or must be read again."""
        unknown = {job_id: job for job_id, job in self._unknown.items() if job is not None}
        return list((unknown | self._before | self._jobs).values())

    @contextmanager
    def loading(self) -> Iterator[Mapping[str, ReplicationJob | None]]:
        """Collect the jobs that end, or are changed by others, while jobs are loaded: what is loaded may be older."""
        ended: dict[str, ReplicationJob | None] = {}
        self._loads.append(ended)
        try:
            yield ended
        finally:
            self._loads = [other for other in self._loads if other is not ended]

    def add(self, loaded: Mapping[str, ReplicationJob]) -> None:
        """Add jobs as they were loaded, by id. One that is here or taken out may have changed since."""
        for job_id, job in loaded.items():
            if job_id not in self._before and self._owns(job.vma):
                self._jobs.setdefault(job_id, job)

    def take_out(self, job: ReplicationJob) -> None:
        """Take a job out, which a command is about to change.

        An event replaces values and changes none in place, so a flat copy stays as the job was.
        """
        if self._jobs.pop(job.id, None) is not None:
            self._before[job.id] = msgspec.structs.replace(job, pending=[])

    def put_back(self, job: ReplicationJob) -> None:
        """Put a job back, if it is watched; if its events were refused, as it was before them.

        So a job is polled on while the log cannot be read either.
        """
        before = self._before.pop(job.id, None)
        known = before if job.pending else job
        if known is None:
            return
        self._unknown.pop(job.id, None)
        if known.is_watched:
            if self._owns(known.vma):
                self._jobs[job.id] = known
            return
        for ended in self._loads:
            ended[job.id] = known

    def doubt(self, job_id: str) -> None:
        """Put a job not back as it was before: how it is stored now is not known."""
        self._unknown[job_id] = self._before.pop(job_id, None)

    def forget(self, job_id: str) -> bool:
        """Remove a job, so that it is read again; return whether it was known here."""
        for changed in self._loads:
            changed[job_id] = None
        if known := self._jobs.pop(job_id, None) or self._before.pop(job_id, None):
            self._unknown[job_id] = known
        return job_id in self._unknown

    def drop(self, job_id: str) -> None:
        """Remove a job that this instance does not watch any more."""
        for jobs in (self._jobs, self._before, self._unknown):
            jobs.pop(job_id, None)
