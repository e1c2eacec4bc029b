"""What a VMA says of a job: one answer per id asked, one observation per job.

The VMA knows ids, not jobs. An id is an NBD export (one disk) or the job's own id, and which one answers
depends on how the worker was started.
"""

from datetime import datetime
from enum import StrEnum

import msgspec

COMPLETED_MEANS_AT_LEAST = 99.0
"""Percent. Workers report every 1 %, so a true completion may be reported with 99-point-something."""


class VMAStatus(StrEnum):
    """What the VMA says of a job, all its disks taken together.

    The last three are kinds of not knowing: the VMA is there, but gave no usable answer in time; it answered, and that
    cannot be read with certainty; we could not put the question.
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
"""The statuses that state how the job is; with the others nothing is known of it at that moment."""

ENDS = frozenset({VMAStatus.COMPLETED, VMAStatus.FAILED})
"""The statuses that end a job, if they are believed."""

Movement = tuple[object, ...]
"""What changes while a worker is alive: bytes, percentage, phase. Not time stamps, which every GET refreshes."""


VMA, WORKER = "VMA", "worker"
"""Who says something of a job."""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """A status with the figures beside it, of a whole document, of one disk in its list, or of one export."""

    status: VMAStatus
    progress_percent: float | None = None
    bytes_transferred: int | None = None
    total_bytes: int | None = None

    @property
    def stated_progress(self) -> float | None:
        """Percent, as said or else by bytes; None if neither is known.

        What is said outweighs the bytes, which a worker may count otherwise: only what changed, or is not empty.
        """
        if self.progress_percent is not None or self.bytes_transferred is None or not self.total_bytes:
            return self.progress_percent
        return 100.0 * self.bytes_transferred / self.total_bytes

    @property
    def credible_bytes(self) -> int | None:
        """Bytes transferred; None where they are the previous worker's: all of them, beside a lower percentage."""
        percent, done = self.progress_percent, self.bytes_transferred
        left_behind = percent is not None and percent < COMPLETED_MEANS_AT_LEAST and done and done == self.total_bytes
        return None if left_behind else done

    @property
    def belied_at(self) -> float | None:
        """The progress in percent that contradicts a `completed`; None if none does.

        No byte of many contradicts it at any percentage. An incremental sync without changes truthfully says completed
        with 0 of 0 bytes, and so at 0 %.
        """
        percent = self.stated_progress
        if self.status is not VMAStatus.COMPLETED:
            return None
        if self.total_bytes and self.bytes_transferred == 0:
            return 0.0
        if percent is None or percent >= COMPLETED_MEANS_AT_LEAST:
            return None
        had_nothing_to_do = percent == 0 and not self.total_bytes and not self.bytes_transferred
        return None if had_nothing_to_do else percent


class DiskReport(Figures, frozen=True, kw_only=True):
    """One entry of a document's own list of disks (its ids are the worker's, not volume ids)."""

    disk_id: str

    @property
    def is_unfinished(self) -> bool:
        """Whether it outweighs a `completed` of the document that lists it."""
        percent = self.stated_progress
        return self.status is VMAStatus.RUNNING and (percent is None or percent < COMPLETED_MEANS_AT_LEAST)

    @property
    def is_finished(self) -> bool:
        """Whether its copy is complete. The word of a listed disk may lag behind its figures."""
        if self.status is VMAStatus.RUNNING:
            percent = self.stated_progress
            return percent is not None and percent >= 100.0  # noqa: PLR2004
        return self.status is VMAStatus.COMPLETED and self.belied_at is None


class Document(Figures, frozen=True, kw_only=True):
    """A progress document of any generation, read into one form. Bytes in bytes, progress in percent."""

    phase: str | None = None
    error: str | None = None
    started: str | None = None
    sync_type: str | None = None
    disks: tuple[DiskReport, ...] = ()

    @property
    def least_progress(self) -> float | None:
        """The progress in percent of the least favourable disk; one that is listed without any counts as nothing."""
        listed = [100.0 if disk.is_finished else disk.stated_progress or 0.0 for disk in self.disks]
        known = [*listed, *([] if self.progress_percent is None else [self.progress_percent])]
        return min(known, default=None)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What one id answered, with enough of the raw reply to judge it again later."""

    asked_id: str
    status: VMAStatus
    http_status: int | None = None
    latency_ms: float = 0.0
    detail: str | None = None
    excerpt: str | None = None
    document: Document | None = None


class DiskReading(Figures, frozen=True, kw_only=True):
    """One disk of the job as its own export reported it; status `not_found` if it did not.

    `started` and `sync_type` are in the worker's own words; they can tell one worker's documents from another's.
    """

    volume_id: str
    phase: str | None = None
    started: str | None = None
    sync_type: str | None = None

    @property
    def is_statement(self) -> bool:
        """Whether it states how the disk is, and does not contradict itself."""
        return self.status in CONCLUSIVE and self.belied_at is None

    @property
    def movement(self) -> Movement:
        """What changes of the disk while its worker is alive."""
        return (self.bytes_transferred, self.progress_percent, self.phase)


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """One VMA status of one job with its evidence.

    `covered` is the number of disks that a `completed` vouches for. `belied_at` is the progress in percent that
    contradicts a `completed`. `least_percent` is the progress of the least of the disks that a document under the
    job's own id lists. `previous` holds the documents of the volumes' previous workers, which say nothing of this job.
    `address` is where the VMA was asked, without credentials. `said_by` is who says it: the VMA, or the worker in a
    report of its own.
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
    belied_at: float | None = None
    speaks_for: int = 0
    address: str | None = None
    said_by: str = VMA
    answers: tuple[Answer, ...] = ()

    @property
    def is_of_vma(self) -> bool:
        """Whether the VMA says it, and not a worker in a report of its own."""
        return self.said_by == VMA

    @property
    def conclusive(self) -> bool:
        """Whether this is the VMA's statement about the whole job, to be acted on as it stands."""
        return self.status in CONCLUSIVE and not self.doubtful

    @property
    def doubtful(self) -> bool:
        """Whether this is a `completed` that does not vouch for every disk, or that its own figures contradict."""
        unsure = self.covered < len(self.disks) or self.belied_at is not None
        return self.status is VMAStatus.COMPLETED and unsure

    @property
    def is_status_alone(self) -> bool:
        """Whether this is a worker's report without figures: those that were known before stand."""
        figures = (self.progress_percent, self.bytes_transferred, self.total_bytes)
        return not self.is_of_vma and all(figure is None for figure in figures)

    @property
    def is_contact(self) -> bool:
        """Whether this job's own worker was heard of, though it may not have been conclusive."""
        return self.status in CONCLUSIVE and (self.status is not VMAStatus.COMPLETED or self.covered > 0)

    @property
    def movement(self) -> Movement:
        """What changes of the job while its worker is alive."""
        disks = {disk.volume_id: disk.movement for disk in self.disks if disk.is_statement}
        return (self.bytes_transferred, self.progress_percent, self.phase, disks)

    def for_log(self, *, raw: bool) -> "Observation":
        """Return this observation as it is recorded: without parsed copies, and with raw excerpts if wanted."""
        answers = tuple(
            msgspec.structs.replace(a, document=None, excerpt=a.excerpt if raw else None) for a in self.answers
        )
        return msgspec.structs.replace(self, answers=answers)

    def summary(self) -> str:
        """Return what was answered, in one line for a person; ids that answered alike are named once."""
        alike: dict[str, list[str]] = {}
        for answer in self.answers:
            alike.setdefault(answer.detail or answer.status.value, []).append(answer.asked_id)
        return "; ".join(f"{ids[0]}{f' and {len(ids) - 1} more' * (len(ids) > 1)}: {d}" for d, ids in alike.items())


def export_name(volume_id: str) -> str:
    """Return the NBD export that serves a volume: the id that a worker reports a disk under."""
    return f"migration-vol-{volume_id}"
