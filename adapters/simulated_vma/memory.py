"""What the VMA remembers: under each id the document that was written last, whoever wrote it."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from adapters.simulated_vma.documents import Documents
from adapters.simulated_vma.jobs import Job
from adapters.simulated_vma.statement import Document, Statement, read_statement, restated
from adapters.simulated_vma.words import VOCABULARIES, Stage


class Literal(msgspec.Struct, frozen=True):
    """A document that was set by hand, and the last worker that had started by then."""

    document: Document
    after: Job | None


class Memory:
    """The documents of all ids. A worker's document outlives it, until the next worker of that id starts."""

    def __init__(self, epoch: datetime) -> None:
        self._documents = Documents(epoch)
        self._writers: dict[str, list[Job]] = {}
        self._literal: dict[str, Literal] = {}
        self._waiting: list[Job] = []

    def add(self, job: Job) -> None:
        """Expect documents of a job."""
        for known_as in job.ids():
            self._writers.setdefault(known_as, []).append(job)
        self.expect_start(job)

    def expect_start(self, job: Job) -> None:
        """Note what stands under the job's ids when its worker starts, if its documents depend on it."""
        if job.spec.needs_former and job not in self._waiting:
            self._waiting.append(job)

    def note_starts(self, now: float) -> None:
        """Note what stood under the ids of the workers that have started. Call it before anything changes."""
        if not self._waiting:
            return
        started = sorted((job for job in self._waiting if job.speaks_from <= now), key=lambda job: job.speaks_from)
        for job in started:
            self._waiting.remove(job)
            found = {known_as: self._found(known_as, job.speaks_from, before=job) for known_as in job.ids()}
            job.former = {known_as: document for known_as, document in found.items() if document is not None}

    def put(self, asked_id: str, document: Document, now: float) -> None:
        """Set a document by hand; it stands until the next worker starts."""
        self._literal[asked_id] = Literal(document, self._last_started(asked_id, now))

    def update(self, asked_id: str, report: Document, now: float) -> bool:
        """Keep what a worker reports under an id; return whether the id was new and created on the fly."""
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

    def drop_literal(self, ids: Iterable[str]) -> None:
        """Forget documents that were set by hand."""
        for asked_id in ids:
            self._literal.pop(asked_id, None)

    def clear_literal(self) -> None:
        """Forget all documents that were set by hand."""
        self._literal.clear()

    def progress_of(self, asked_id: str, now: float) -> Document | None:
        """Return the progress document of an id; None if the VMA does not know it."""
        self.note_starts(now)
        return self._found(asked_id, now)

    def status_of(self, job_id: str, now: float) -> Document | None:
        """Return the older, coarser document of a job; None if the VMA does not know it."""
        job = self._writer(job_id, now)
        if job is None or job.spec.dialect != "status_only":
            return None
        return restated(self._documents.status(job, now), job.says)

    def _found(self, asked_id: str, now: float, before: Job | None = None) -> Document | None:
        job = self._last_started(asked_id, now, before)
        literal = self._literal.get(asked_id)
        if literal is not None and literal.after is job:
            return literal.document
        if job is None or not _is_known(job, asked_id, now) or job.spec.dialect == "status_only":
            return None
        return self._written_by(job, asked_id, now)

    def _writer(self, asked_id: str, now: float) -> Job | None:
        job = self._last_started(asked_id, now)
        return job if job is not None and _is_known(job, asked_id, now) else None

    def _last_started(self, asked_id: str, now: float, before: Job | None = None) -> Job | None:
        started = [job for job in self._writers.get(asked_id, ()) if job.speaks_from <= now]
        started.sort(key=lambda job: job.speaks_from)
        if before is not None:
            started = started[: started.index(before)]
        return started[-1] if started else None

    def _written_by(self, job: Job, asked_id: str, now: float) -> Document:
        document = self._documents.progress(asked_id, job, job.ids()[asked_id], now)
        former = job.former.get(asked_id)
        if former is not None and job.spec.zero_change == "former":
            same = Statement(sync_type=job.sync_type, updated=self._documents.time(now))
            return restated(restated(former, same), job.says)
        if former is not None:
            document = restated(document, _kept(job, read_statement(former), now))
        return restated(document, job.says)


def _is_known(job: Job, asked_id: str, now: float) -> bool:
    return now >= job.known_from and not job.gone.issuperset(job.chosen(job.ids()[asked_id]))


def _kept(job: Job, former: Statement, now: float) -> Statement:
    """Return what a new worker's document keeps of the former: the start time for good, the figures for a while."""
    if job.held or job.worker_time(now) >= job.copies_from:
        return Statement(started=former.started)
    status, phase = VOCABULARIES[job.wording][Stage.INITIALIZING]
    return Statement(
        status=status,
        phase=job.spec.first_phase or phase,
        percent=former.percent if job.spec.first_percent is None else job.spec.first_percent,
        bytes_transferred=former.bytes_transferred,
        total_bytes=former.total_bytes,
        started=former.started,
    )
