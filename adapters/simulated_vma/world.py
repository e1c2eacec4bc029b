"""The world behind a simulated VMA: jobs that continue while nobody asks, and the VMA's memory."""

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import msgspec

from adapters.simulated_vma.document_fields import DocumentFields, JSONObject
from adapters.simulated_vma.jobs import Job
from adapters.simulated_vma.memory import Memory
from adapters.simulated_vma.reports import JobType, Report, ReportForm, report_of
from adapters.simulated_vma.spec import JobSpec, Override, Truth, ZeroChange
from adapters.simulated_vma.vocabulary import truth_of_status

EPOCH = datetime(2025, 10, 3, 14, tzinfo=UTC)


class World:
    """Jobs, and the VMA's memory of them. Safe to use from any thread.

    `now` counts seconds; `epoch` is the time of day at its zero, from which all times in documents are computed.
    """

    def __init__(self, now: Callable[[], float], epoch: datetime = EPOCH) -> None:
        self._now = now
        self._epoch = epoch
        self._lock = threading.RLock()
        self._jobs: dict[str, Job] = {}
        self._memory = Memory(epoch)

    def add_job(self, job_id: str, volume_ids: list[str], **how: object) -> None:
        """Start a job; `how` are the fields of `JobSpec`.

        For a volume of an earlier job the VMA has that job's last document, until this one's worker starts.

        Raises:
            msgspec.ValidationError: a field is unknown or of the wrong type.

        """
        spec = msgspec.convert({"job_id": job_id, "volume_ids": volume_ids, **how}, JobSpec)
        with self._changing() as now:
            self._jobs[job_id] = Job(spec, now)
            self._memory.add(self._jobs[job_id])

    def truth(self, job_id: str) -> Truth:
        """Return the true state of the job, whatever the VMA states."""
        with self._lock:
            return self._job(job_id).truth(self._now())

    def progress(self, job_id: str) -> float:
        """Return the true progress of all disks together, in percent."""
        with self._lock:
            return self._job(job_id).whole(self._now()).percent

    def jobs(self) -> dict[str, dict[str, object]]:
        """Return every job with its truth and progress."""
        with self._lock:
            return {name: {"truth": self.truth(name), "progress": self.progress(name)} for name in self._jobs}

    def set_document(self, id: str, document: JSONObject) -> None:  # noqa: A002 - the contract's name
        """Set the document of an id, until a worker starts that reports under it."""
        with self._changing() as now:
            self._memory.put(id, document, now)

    def set_status(
        self,
        job_id: str,
        status: str,
        *,
        percent: float | None = None,
        phase: str | None = None,
        disk: str | None = None,
    ) -> None:
        """Set the status of a job, or of one disk, which is also the truth."""
        with self._changing():
            at = self.progress(job_id) if percent is None else percent
            override = Override(truth=truth_of_status(status), percent=at, status=status, phase=phase)
            self._job(job_id).override(disk, override)

    def say(self, job_id: str, **fields: object) -> None:
        """Set fields of a job's documents (of `DocumentFields`), whatever the truth is; without fields, the truth.

        Raises:
            msgspec.ValidationError: a field is unknown or of the wrong type.

        """
        stated = msgspec.convert(fields, DocumentFields)
        with self._changing():
            self._job(job_id).stated = stated

    def contradict(self, job_id: str) -> None:
        """Have a job's documents state `completed` at 100 %, with none of their bytes, while it copies."""
        self.say(job_id, status="completed", phase="Copying Data", percent=100.0, bytes_transferred=0)

    def finish(self, job_id: str, disk: str | None = None) -> None:
        """Complete a job, or one disk."""
        with self._changing():
            self._job(job_id).override(disk, Override(truth="completed", percent=100.0))

    def run_zero_change(self, job_id: str, document: ZeroChange = "former") -> None:
        """Run a whole incremental without changed blocks at once, of a job that has not started yet.

        Raises:
            ValueError: it has started already.

        """
        with self._changing() as now:
            job = self._job(job_id)
            job.run_zero_change(now, document)
            self._memory.expect_start(job)

    def fail(self, job_id: str, error: str | None = None, disk: str | None = None) -> None:
        """Fail a job, or one disk, at its progress; without an error the list of errors stays empty."""
        with self._changing():
            override = Override(truth="failed", percent=min(99.0, self.progress(job_id)), error=error)
            self._job(job_id).override(disk, override)

    def remove(self, job_id: str, disk: str | None = None) -> None:
        """End a job, or one disk, and delete its documents."""
        with self._changing():
            job = self._job(job_id)
            job.gone.update(job.chosen(disk))

    def kill(self, job_id: str) -> None:
        """End a job's worker: its documents stay unchanged, until the next worker of their ids starts."""
        with self._changing() as now:
            self._job(job_id).kill(now)

    def freeze(self, job_id: str) -> None:
        """Stop a job's worker until it is resumed: its document stays unchanged."""
        with self._changing() as now:
            self._job(job_id).freeze(now)

    def resume(self, job_id: str) -> None:
        """Resume a frozen worker."""
        with self._changing() as now:
            self._job(job_id).resume(now)

    def forget(self, job_id: str, reannounce: float = 2.0) -> None:
        """Have the VMA forget one job; a running worker announces it again after `reannounce` seconds."""
        with self._changing() as now:
            job = self._job(job_id)
            job.forget(now, reannounce)
            self._memory.drop_fixed(job.ids())

    def restart(self, *, reannounce: float | tuple[float, float] = 2.0) -> None:
        """Have the VMA forget everything; running workers announce themselves again, evenly over `reannounce`."""
        first, last = reannounce if isinstance(reannounce, tuple) else (0.0, reannounce)
        with self._changing():
            count = max(1, len(self._jobs) - 1)
            for n, job_id in enumerate(self._jobs):
                after = last if math.isinf(last) else first + (last - first) * n / count
                self.forget(job_id, after)
            self._memory.clear_fixed()

    def update(self, id: str, report: JSONObject) -> bool:  # noqa: A002 - the contract's name
        """Store a worker's own report; return whether the id is new."""
        with self._changing() as now:
            return self._memory.update(id, report, now)

    def progress_of(self, id: str) -> JSONObject | None:  # noqa: A002 - the contract's name
        """Return the progress document of an id; None if the VMA does not know it."""
        with self._lock:
            return self._memory.progress_of(id, self._now())

    def status_of(self, job_id: str) -> JSONObject | None:
        """Return the older, coarser document of a job; None if the VMA does not know it."""
        with self._lock:
            return self._memory.status_of(job_id, self._now())

    def report_of(
        self, job_id: str, form: ReportForm = "full", *, job_type: JobType = "backup", at: datetime | None = None
    ) -> tuple[JobType, Report]:
        """Return a worker's own report: the job type of the path, and the body with the time `at`.

        Raises:
            LookupError: its worker is dead, or there is no such form.

        """
        with self._lock:
            now = self._now()
            return job_type, report_of(self._job(job_id), form, now, at or self._epoch + timedelta(seconds=now))

    @contextmanager
    def _changing(self) -> Iterator[float]:
        """Yield the time, after the worker starts until now are recorded."""
        with self._lock:
            now = self._now()
            self._memory.record_starts(now)
            yield now

    def _job(self, job_id: str) -> Job:
        if job_id not in self._jobs:
            raise LookupError(f"there is no job {job_id}")
        return self._jobs[job_id]
