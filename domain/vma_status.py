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
    """What the VMA says of a job, all its disks taken together."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    NOT_FOUND = "not_found"
    UNREACHABLE = "unreachable"
    UNINTELLIGIBLE = "unintelligible"


CONCLUSIVE = frozenset({VMAStatus.RUNNING, VMAStatus.COMPLETED, VMAStatus.FAILED})
"""The statuses that are the VMA's own word about the job; the others are silence in several forms."""


class DiskReport(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a document's own list of disks (its ids are the worker's, not volume ids)."""

    disk_id: str
    status: VMAStatus
    progress_percent: float | None = None


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A progress document of any generation, read into one form. Bytes in bytes, progress in percent."""

    status: VMAStatus
    phase: str | None = None
    progress_percent: float | None = None
    bytes_transferred: int | None = None
    total_bytes: int | None = None
    error: str | None = None
    disks: tuple[DiskReport, ...] = ()


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What one id answered, with enough of the raw reply to judge it again later."""

    asked_id: str
    status: VMAStatus
    http_status: int | None = None
    latency_ms: float = 0.0
    detail: str | None = None
    excerpt: str | None = None
    document: Document | None = None


class DiskReading(msgspec.Struct, frozen=True, kw_only=True):
    """One disk of the job as its own export reported it; status `not_found` if it did not."""

    volume_id: str
    status: VMAStatus
    phase: str | None = None
    progress_percent: float | None = None
    bytes_transferred: int | None = None
    total_bytes: int | None = None


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """One VMA status of one job with its evidence.

    `covered` is the number of disks that a `completed` vouches for; below the job's number of disks it is a
    claim that must hold over the confirmation window before it counts (a worker that shares one id for several
    disks says `completed` after the first).
    """

    job_id: str
    vma: str
    status: VMAStatus
    observed_at: datetime
    took_ms: float = 0.0
    phase: str | None = None
    progress_percent: float | None = None
    bytes_transferred: int | None = None
    total_bytes: int | None = None
    error: str | None = None
    disks: tuple[DiskReading, ...] = ()
    covered: int = 0
    speaks_for: int = 0
    answers: tuple[Answer, ...] = ()

    @property
    def conclusive(self) -> bool:
        """Whether this is the VMA's own word on the whole job, to be acted on as it stands."""
        return self.status in CONCLUSIVE and not self.doubtful

    @property
    def doubtful(self) -> bool:
        """Whether this is a `completed` that does not vouch for every disk."""
        return self.status is VMAStatus.COMPLETED and self.covered < len(self.disks)

    @property
    def movement(self) -> tuple[object, ...]:
        """What changes while a worker is alive. Time stamps do not count: every GET refreshes them."""
        disks = tuple((d.bytes_transferred, d.progress_percent, d.phase) for d in self.disks)
        return (self.bytes_transferred, self.progress_percent, self.phase, disks)

    def for_log(self, *, raw: bool) -> "Observation":
        """Return this observation as it is recorded: without parsed copies, and with raw excerpts if wanted."""
        answers = tuple(
            msgspec.structs.replace(a, document=None, excerpt=a.excerpt if raw else None) for a in self.answers
        )
        return msgspec.structs.replace(self, answers=answers)

    def summary(self) -> str:
        """What each id answered, in one line for a person."""
        return "; ".join(f"{a.asked_id}: {a.detail or a.status.value}" for a in self.answers)


def export_name(volume_id: str) -> str:
    """The NBD export that serves a volume, which is the id a worker reports a disk under."""
    return f"migration-vol-{volume_id}"
