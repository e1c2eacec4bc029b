"""The VMA's memory: for each id the document that was written last."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from adapters.simulated_vma.document_fields import DocumentFields, JSONObject, fields_of, with_fields
from adapters.simulated_vma.documents import Documents
from adapters.simulated_vma.jobs import Job
from adapters.simulated_vma.vocabulary import VOCABULARIES, Stage


class FixedDocument(msgspec.Struct, frozen=True):
    """A document that was set by hand, and the last worker that had started before."""

    document: JSONObject
    after: Job | None


class Memory:
    """The documents of all ids. A worker's document outlives it, until the next worker of that id starts."""

    def __init__(self, epoch: datetime) -> None:
        self._documents = Documents(epoch)
        self._writers: dict[str, list[Job]] = {}
        self._fixed: dict[str, FixedDocument] = {}
        self._waiting: list[Job] = []

    def add(self, job: Job) -> None:
        """Add a job, whose worker writes documents."""
        for asked_id in job.ids():
            self._writers.setdefault(asked_id, []).append(job)
        self.expect_start(job)

    def expect_start(self, job: Job) -> None:
        """Record the documents of the job's ids when its worker starts, if its own documents depend on them."""
        if job.spec.needs_previous and job not in self._waiting:
            self._waiting.append(job)

    def record_starts(self, now: float) -> None:
        """Record the previous documents of the workers that have started; must be called before every change."""
        if not self._waiting:
            return
        started = sorted((job for job in self._waiting if job.starts_at <= now), key=lambda job: job.starts_at)
        for job in started:
            self._waiting.remove(job)
            found = {asked_id: self._found(asked_id, job.starts_at, before=job) for asked_id in job.ids()}
            job.previous = {asked_id: document for asked_id, document in found.items() if document is not None}

    def put(self, asked_id: str, document: JSONObject, now: float) -> None:
        """Set a document by hand; it is valid until the next worker starts."""
        self._fixed[asked_id] = FixedDocument(document, self._last_started(asked_id, now))

    def update(self, asked_id: str, report: JSONObject, now: float) -> bool:
        """Store a worker's report under an id; return whether the id is new."""
        is_new = self.progress_of(asked_id, now) is None
        document = {
            "job_id": asked_id,
            "status": report.get("status", "in_progress"),
            "phase": report.get("stage", "Transfer"),
            "percentage": float(report.get("percent", 0.0)),
            "bytes_transferred": report.get("bytes_transferred", 0),
            "total_bytes": report.get("total_bytes", 0),
            "sync_type": report.get("sync_type", "unknown"),
        }
        self.put(asked_id, document, now)
        return is_new

    def drop_fixed(self, ids: Iterable[str]) -> None:
        """Delete documents that were set by hand."""
        for asked_id in ids:
            self._fixed.pop(asked_id, None)

    def clear_fixed(self) -> None:
        """Delete all documents that were set by hand."""
        self._fixed.clear()

    def progress_of(self, asked_id: str, now: float) -> JSONObject | None:
        """Return the progress document of an id; None if the VMA does not know it."""
        self.record_starts(now)
        return self._found(asked_id, now)

    def status_of(self, job_id: str, now: float) -> JSONObject | None:
        """Return the older, coarser document of a job; None if the VMA does not know it."""
        job = self._writer(job_id, now)
        if job is None or job.spec.dialect != "status_only":
            return None
        return with_fields(self._documents.status(job, now), job.stated)

    def _found(self, asked_id: str, now: float, before: Job | None = None) -> JSONObject | None:
        job = self._last_started(asked_id, now, before)
        fixed = self._fixed.get(asked_id)
        if fixed is not None and fixed.after is job:
            return fixed.document
        if job is None or not _is_known(job, asked_id, now) or job.spec.dialect == "status_only":
            return None
        return self._written_by(job, asked_id, now)

    def _writer(self, asked_id: str, now: float) -> Job | None:
        job = self._last_started(asked_id, now)
        return job if job is not None and _is_known(job, asked_id, now) else None

    def _last_started(self, asked_id: str, now: float, before: Job | None = None) -> Job | None:
        started = [job for job in self._writers.get(asked_id, ()) if job.starts_at <= now]
        started.sort(key=lambda job: job.starts_at)
        if before is not None:
            started = started[: started.index(before)]
        return started[-1] if started else None

    def _written_by(self, job: Job, asked_id: str, now: float) -> JSONObject:
        document = self._documents.progress(asked_id, job, job.ids()[asked_id], now)
        previous = job.previous.get(asked_id)
        if previous is not None and job.spec.zero_change == "former":
            same = DocumentFields(sync_type=job.sync_type, updated=self._documents.time(now))
            return with_fields(with_fields(previous, same), job.stated)
        if previous is not None:
            document = with_fields(document, _retained(job, fields_of(previous), now))
        return with_fields(document, job.stated)


def _is_known(job: Job, asked_id: str, now: float) -> bool:
    return now >= job.known_from and not job.gone.issuperset(job.chosen(job.ids()[asked_id]))


def _retained(job: Job, previous: DocumentFields, now: float) -> DocumentFields:
    """Return what a new worker's document retains of the previous: the start time always, the figures at first."""
    if job.overrides or job.worker_time(now) >= job.copies_from:
        return DocumentFields(started=previous.started)
    status, phase = VOCABULARIES[job.wording][Stage.INITIALIZING]
    return DocumentFields(
        status=status,
        phase=job.spec.first_phase or phase,
        percent=previous.percent if job.spec.first_percent is None else job.spec.first_percent,
        bytes_transferred=previous.bytes_transferred,
        total_bytes=previous.total_bytes,
        started=previous.started,
    )
