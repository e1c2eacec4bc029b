"""What a VMA reports about a job: one answer per id asked, one observation per job.

The VMA knows ids, not jobs. An id is an NBD export (one disk) or the job's own id. Which of them has a document
depends on how the worker was started.
"""

from collections.abc import Container
from datetime import datetime
from enum import StrEnum

import msgspec

MIN_COMPLETED_PERCENT = 99.0
"""The least progress of a `completed`. Workers report every 1 %, so a completion may have less than 100 %."""


class VMAStatus(StrEnum):
    """The status of a job by the VMA, over all its disks.

    With the last three, the status is not known: the VMA is there, but gave no usable answer in time; its answer cannot
    be read with certainty; or it could not be asked.
    """

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    NOT_FOUND = "not_found"
    UNREACHABLE = "unreachable"
    UNANSWERED = "unanswered"
    UNINTELLIGIBLE = "unintelligible"
    NOT_ASKED = "not_asked"


CONCLUSIVE = frozenset({VMAStatus.RUNNING, VMAStatus.COMPLETED, VMAStatus.FAILED})
"""The statuses that state how the job is; with the others nothing is known about it at that moment."""

ENDS = frozenset({VMAStatus.COMPLETED, VMAStatus.FAILED})
"""The statuses that end a job, if they are conclusive."""

Movement = tuple[object, ...]
"""What changes while a worker is alive: bytes, percentage, phase. Not time stamps, which every GET refreshes."""

VMA, WORKER = "VMA", "worker"
"""The sources of an observation."""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """A status with its figures, of a whole document, of one disk in its list, or of one export."""

    status: VMAStatus
    progress_percent: float | None = None
    bytes_transferred: int | None = None
    total_bytes: int | None = None

    @property
    def stated_progress(self) -> float | None:
        """Return the progress in percent, as stated or else by bytes; None if neither is known.

        A stated progress has priority over the bytes, of which a worker may count only those that changed.
        """
        if self.progress_percent is not None or self.bytes_transferred is None or not self.total_bytes:
            return self.progress_percent
        return 100.0 * self.bytes_transferred / self.total_bytes

    @property
    def is_unsupported(self) -> bool:
        """Return whether a running worker states the end of its progress, and has copied no byte of many."""
        at_end = self.progress_percent is not None and self.progress_percent >= MIN_COMPLETED_PERCENT
        no_bytes = bool(self.total_bytes) and self.bytes_transferred == 0
        return self.status is VMAStatus.RUNNING and at_end and no_bytes

    @property
    def credible_progress(self) -> float | None:
        """Return the stated progress in percent; None if no byte supports it."""
        return None if self.is_unsupported else self.progress_percent

    @property
    def credible_bytes(self) -> int | None:
        """Return the bytes transferred; None if they are the previous worker's: all bytes, but a lower percentage."""
        percent, done = self.progress_percent, self.bytes_transferred
        is_previous = percent is not None and percent < MIN_COMPLETED_PERCENT and done and done == self.total_bytes
        return None if is_previous else done

    @property
    def contradicting_progress(self) -> float | None:
        """Return the progress in percent that contradicts a `completed`; None if none does.

        Zero bytes of many contradict it at any percentage. An incremental sync without changes correctly reports
        completed with 0 of 0 bytes, at 0 %.
        """
        percent = self.stated_progress
        if self.status is not VMAStatus.COMPLETED:
            return None
        if self.total_bytes and self.bytes_transferred == 0:
            return 0.0
        if percent is None or percent >= MIN_COMPLETED_PERCENT:
            return None
        was_empty = percent == 0 and not self.total_bytes and not self.bytes_transferred
        return None if was_empty else percent


class DiskReport(Figures, frozen=True, kw_only=True):
    """One entry of a document's own list of disks (its ids are the worker's, not volume ids)."""

    disk_id: str

    @property
    def is_unfinished(self) -> bool:
        """Return whether the disk has priority over a `completed` of the document that lists it."""
        percent = self.stated_progress
        return self.status is VMAStatus.RUNNING and (percent is None or percent < MIN_COMPLETED_PERCENT)

    @property
    def is_finished(self) -> bool:
        """Return whether the copy is complete. The status of a listed disk may be older than its figures."""
        if self.status is VMAStatus.RUNNING:
            percent = self.stated_progress
            return percent is not None and percent >= 100.0  # noqa: PLR2004
        return self.status is VMAStatus.COMPLETED and self.contradicting_progress is None


class Document(Figures, frozen=True, kw_only=True):
    """A progress document of any generation, read into one form. Bytes in bytes, progress in percent.

    `stated` is the document's own status, without what its list of disks makes of it.
    """

    stated: VMAStatus | None = None
    phase: str | None = None
    error: str | None = None
    started: str | None = None
    sync_type: str | None = None
    disks: tuple[DiskReport, ...] = ()

    def with_old_list(self) -> "Document | None":
        """Return this document if an earlier worker may have left its list of disks; None if it cannot be read then.

        Such a list can keep a job open, and cannot end it: its finished disks are not counted, and a failed one is no
        failure of a worker that runs.
        """
        if self.status is VMAStatus.COMPLETED and all(disk.is_finished for disk in self.disks):
            return msgspec.structs.replace(self, disks=())
        if self.status is not VMAStatus.FAILED or self.stated in {None, VMAStatus.FAILED}:
            return self
        return None if self.stated is VMAStatus.COMPLETED else msgspec.structs.replace(self, status=VMAStatus.RUNNING)

    @property
    def least_progress(self) -> float | None:
        """Return the progress in percent of the least favourable disk; a listed disk without progress counts as 0."""
        listed = [100.0 if disk.is_finished else disk.stated_progress or 0.0 for disk in self.disks]
        own = self.credible_progress
        return min([*listed, *([] if own is None else [own])], default=None)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of one id, with enough of the raw reply to judge it again later."""

    asked_id: str
    status: VMAStatus
    http_status: int | None = None
    latency_ms: float = 0.0
    detail: str | None = None
    excerpt: str | None = None
    document: Document | None = None


class DiskReading(Figures, frozen=True, kw_only=True):
    """One disk of the job as its own export reported it; status `not_found` if it did not.

    `started` and `sync_type` are as the worker reports them; they can tell one worker's documents from another's.
    """

    volume_id: str
    phase: str | None = None
    started: str | None = None
    sync_type: str | None = None

    @property
    def is_statement(self) -> bool:
        """Return whether it states how the disk is, without a contradiction."""
        return self.status in CONCLUSIVE and self.contradicting_progress is None

    @property
    def movement(self) -> Movement:
        """Return what changes of the disk while its worker is alive."""
        return (self.bytes_transferred, self.progress_percent, self.phase)


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """One VMA status of one job with its evidence.

    `covered` is the number of disks that a `completed` covers. `contradicting_progress` is the progress in percent that
    contradicts a `completed`. `progress_covers` is the number of disks that the progress is of. `least_percent` is the
    least progress where a document lists disks, or is under the job's own id. `previous` are the documents of the
    volumes' previous workers, which tell nothing about this job. `address` is where the VMA was asked, without
    credentials. `source` is the VMA, or the worker for a report of its own.
    """

    job_id: str
    vma: str
    status: VMAStatus
    observed_at: datetime
    took_ms: float = 0.0
    phase: str | None = None
    progress_percent: float | None = None
    least_percent: float | None = None
    bytes_transferred: int | None = None
    total_bytes: int | None = None
    error: str | None = None
    disks: tuple[DiskReading, ...] = ()
    previous: tuple[DiskReading, ...] = ()
    covered: int = 0
    contradicting_progress: float | None = msgspec.field(default=None, name="belied_at")
    progress_covers: int = msgspec.field(default=0, name="speaks_for")
    address: str | None = None
    source: str = msgspec.field(default=VMA, name="said_by")
    answers: tuple[Answer, ...] = ()

    @property
    def from_vma(self) -> bool:
        """Return whether the VMA was the source, and not a worker's own report."""
        return self.source == VMA

    @property
    def conclusive(self) -> bool:
        """Return whether this states how the whole job is, without doubt."""
        return self.status in CONCLUSIVE and not self.doubtful

    @property
    def doubtful(self) -> bool:
        """Return whether this is a `completed` that does not cover every disk, or that its own figures contradict."""
        uncertain = self.covered < len(self.disks) or self.contradicting_progress is not None
        return self.status is VMAStatus.COMPLETED and uncertain

    @property
    def is_end(self) -> bool:
        """Return whether this ends a job that is replicating."""
        return self.status in ENDS and self.conclusive

    @property
    def has_no_figures(self) -> bool:
        """Return whether this is a worker's report without figures, which does not change those that were known."""
        figures = (self.progress_percent, self.bytes_transferred, self.total_bytes)
        return not self.from_vma and all(figure is None for figure in figures)

    @property
    def is_contact(self) -> bool:
        """Return whether this job's own worker was observed, even if it was not conclusive."""
        return self.status in CONCLUSIVE and (self.status is not VMAStatus.COMPLETED or self.covered > 0)

    def is_only_of(self, volume_ids: Container[str]) -> bool:
        """Return whether it rests on these volumes' exports alone: a document under the job's id names the job."""
        stated = [disk.volume_id for disk in self.disks if disk.is_statement]
        return self.from_vma and bool(stated) and all(volume_id in volume_ids for volume_id in stated)

    @property
    def movement(self) -> Movement:
        """Return what changes of the job while its worker is alive."""
        disks = {disk.volume_id: disk.movement for disk in self.disks if disk.is_statement}
        return (self.bytes_transferred, self.progress_percent, self.phase, disks)

    def for_log(self, *, raw: bool) -> "Observation":
        """Return this observation as it is recorded: without parsed copies, and with raw excerpts if wanted."""
        answers = tuple(
            msgspec.structs.replace(a, document=None, excerpt=a.excerpt if raw else None) for a in self.answers
        )
        return msgspec.structs.replace(self, answers=answers)

    def summary(self) -> str:
        """Return the answers in one line for an operator; ids with the same answer are combined."""
        same: dict[str, list[str]] = {}
        for answer in self.answers:
            same.setdefault(answer.detail or answer.status.value, []).append(answer.asked_id)
        return "; ".join(f"{ids[0]}{f' and {len(ids) - 1} more' * (len(ids) > 1)}: {d}" for d, ids in same.items())


def export_name(volume_id: str) -> str:
    """Return the NBD export that serves a volume: the id that a worker reports a disk under."""
    return f"migration-vol-{volume_id}"
