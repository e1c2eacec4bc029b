"""The world behind a simulated VMA: jobs that go on whether anybody watches or not, and what the VMA remembers."""

import math
import threading
from collections.abc import Callable
from typing import Any

import msgspec

from adapters.simulated_vma.documents import progress_document, status_document
from adapters.simulated_vma.jobs import Held, Job, JobSpec, Truth
from adapters.simulated_vma.words import truth_meant_by

Document = dict[str, Any]


class World:
    """Jobs, and the VMA's memory of them. Safe to use from any thread. `now` counts seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        """Start with no jobs."""
        self._now = now
        self._lock = threading.RLock()
        self._jobs: dict[str, Job] = {}
        self._by_id: dict[str, list[str]] = {}
        self._documents: dict[str, Document] = {}

    def add_job(self, job_id: str, volume_ids: list[str], **how: Any) -> None:  # noqa: ANN401 - fields of JobSpec
        """Start a job; `how` are the fields of `JobSpec`.

        Of volumes that another job had before, the VMA says what it last said, until this one's worker speaks.

        Raises:
            msgspec.ValidationError: a field is unknown or of the wrong type.

        """
        spec = msgspec.convert({"job_id": job_id, "volume_ids": volume_ids, **how}, JobSpec)
        with self._lock:
            job = self._jobs[job_id] = Job(spec, self._now())
            for known_as in job.ids():
                self._by_id.setdefault(known_as, []).append(job_id)

    def truth(self, job_id: str) -> Truth:
        """Return how the job really stands, whatever the VMA says."""
        with self._lock:
            return self._job(job_id).truth(self._now())

    def progress(self, job_id: str) -> float:
        """Return the true progress of all disks together, in percent."""
        with self._lock:
            job, now = self._job(job_id), self._now()
            return sum(job.disk(v, now).percent for v in job.spec.volume_ids) / len(job.spec.volume_ids)

    def jobs(self) -> dict[str, dict[str, object]]:
        """Return every job with its truth and progress."""
        with self._lock:
            return {name: {"truth": self.truth(name), "progress": self.progress(name)} for name in self._jobs}

    def set_document(self, id: str, document: Document) -> None:  # noqa: A002 - the contract's word
        """Answer literally this for an id."""
        with self._lock:
            self._documents[id] = document

    def set_status(
        self,
        job_id: str,
        status: str,
        *,
        percent: float | None = None,
        phase: str | None = None,
        disk: str | None = None,
    ) -> None:
        """Hold a job, or one disk, at a literal status."""
        with self._lock:
            at = self.progress(job_id) if percent is None else percent
            held = Held(truth=truth_meant_by(status), percent=at, status=status, phase=phase)
            self._job(job_id).hold(disk, held)

    def finish(self, job_id: str, disk: str | None = None) -> None:
        """Complete a job, or one disk."""
        with self._lock:
            self._job(job_id).hold(disk, Held(truth="completed", percent=100.0))

    def fail(self, job_id: str, error: str | None = None, disk: str | None = None) -> None:
        """Fail a job, or one disk, where it stands; without an error the list of errors stays empty."""
        with self._lock:
            held = Held(truth="failed", percent=min(99.0, self.progress(job_id)), error=error)
            self._job(job_id).hold(disk, held)

    def remove(self, job_id: str, disk: str | None = None) -> None:
        """End a job, or one disk, without a trace."""
        with self._lock:
            job = self._job(job_id)
            job.gone.update(job.chosen(disk))

    def freeze(self, job_id: str) -> None:
        """Let the worker die without a word: its document stays, and nothing moves."""
        with self._lock:
            self._job(job_id).freeze(self._now())

    def resume(self, job_id: str) -> None:
        """Let a frozen worker go on."""
        with self._lock:
            self._job(job_id).resume(self._now())

    def forget(self, job_id: str, reannounce: float = 2.0) -> None:
        """Have the VMA forget one job; a running worker re-creates it after so many seconds, an ended one never."""
        with self._lock:
            job, now = self._job(job_id), self._now()
            running = job.truth(now) == "running"
            job.known_from = max(now + reannounce, job.speaks_from) if running else math.inf

    def restart(self, *, reannounce: float | tuple[float, float] = 2.0) -> None:
        """Have the VMA forget everything; running workers announce themselves again, spread evenly over the time."""
        first, last = reannounce if isinstance(reannounce, tuple) else (0.0, reannounce)
        with self._lock:
            count = max(1, len(self._jobs) - 1)
            for n, job_id in enumerate(self._jobs):
                after = last if math.isinf(last) else first + (last - first) * n / count
                self.forget(job_id, after)

    def update(self, id: str, report: Document) -> bool:  # noqa: A002 - the contract's word
        """Take a worker's own report; return whether the id was new and created on the fly."""
        with self._lock:
            is_new = self.progress_of(id) is None
            percent = float(report.get("percent", 0.0))
            self._documents[id] = {
                "job_id": id,
                "status": report.get("status", "in_progress"),
                "phase": report.get("stage", "Transfer"),
                "percentage": percent,
                "bytes_transferred": report.get("bytes_transferred", 0),
                "total_bytes": report.get("total_bytes", 0),
                "sync_type": report.get("sync_type", "unknown"),
            }
            return is_new

    def progress_of(self, id: str) -> Document | None:  # noqa: A002 - the contract's word
        """Return the progress document of an id; None if the VMA does not know it."""
        with self._lock:
            if id in self._documents:
                return self._documents[id]
            job = self._known(id)
            if job is None or job.spec.dialect == "status_only":
                return None
            return progress_document(id, job, job.ids()[id], self._now())

    def status_of(self, job_id: str) -> Document | None:
        """Return the older, coarser document of a job; None if the VMA does not know it."""
        with self._lock:
            job = self._known(job_id)
            if job is None or job.spec.dialect != "status_only":
                return None
            return status_document(job, self._now())

    def _known(self, id: str) -> Job | None:  # noqa: A002 - the contract's word
        now = self._now()
        spoken = [job for name in self._by_id.get(id, ()) if (job := self._jobs[name]).speaks_from <= now]
        if not spoken:
            return None
        job = spoken[-1]
        forgotten = now < job.known_from
        return None if forgotten or job.gone.issuperset(job.chosen(job.ids()[id])) else job

    def _job(self, job_id: str) -> Job:
        if job_id not in self._jobs:
            raise LookupError(f"there is no job {job_id}")
        return self._jobs[job_id]
