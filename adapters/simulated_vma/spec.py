"""The course of a job of the simulated VMA, and the state of its copy at one moment."""

from typing import Literal

import msgspec

from adapters.simulated_vma.vocabulary import Wording

Reports = Literal["exports", "job_id", "both", "shared_job_id", "shared_export", "first_export"]
Dialect = Literal["current", "oldest", "status_only"]
Truth = Literal["running", "completed", "failed", "gone"]
Outcome = Literal["complete", "fail", "hang"]
ZeroChange = Literal["empty", "former"]

GIB = 1024**3


class JobSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The course of a job. Seconds, percent, and bytes per disk.

    `reports`: the ids it reports under. A shared one serves all disks, one after another; `first_export` serves all
    at once, and the other exports never exist. `lists_disks`: whether a document for several disks lists them.
    `starts_in`: until then the VMA does not know it. `fail_at`: where a failing or hanging disk stops. `disk_gap`: how
    long a shared id states `completed` before the next disk begins. `error`: the text of a failure; None leaves the
    list empty.

    `keeps_figures`: for this many seconds after its start, before a byte is copied, a worker reports the figures of the
    previous document; it always retains that document's start time. None: it retains nothing. `first_percent` replaces
    the old percentage in that time, and `first_phase` the phase of initializing.

    `zero_change`: an incremental without changed blocks, completed as soon as it starts. Its document states 0 of 0
    bytes (`empty`), or equals the previous one except for its `sync_type` (`former`).

    `floors_total`: the total is floored to whole GiB, so that percentages exceed 100.
    """

    job_id: str
    volume_ids: tuple[str, ...]
    total_bytes: int = 40 * GIB
    duration: float = 60.0
    progress: float = 0.0
    reports: Reports = "exports"
    lists_disks: bool = True
    dialect: Dialect = "current"
    wording: Wording | None = None
    sync_type: str = "full"
    starts_in: float = 0.0
    outcome: Outcome = "complete"
    fail_at: float = 50.0
    error: str | None = None
    recoverable_errors: bool = False
    disk_gap: float = 2.0
    keeps_figures: float | None = None
    first_percent: float | None = None
    first_phase: str | None = None
    zero_change: ZeroChange | None = None
    floors_total: bool = False

    @property
    def needs_previous(self) -> bool:
        """Return whether its documents depend on the previous documents of its ids."""
        return self.keeps_figures is not None or self.zero_change == "former"


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a disk that was set by hand; without `status` and `phase`, those of the vocabulary apply."""

    truth: Truth
    percent: float
    status: str | None = None
    phase: str | None = None
    error: str | None = None


class CopyState(msgspec.Struct, frozen=True, kw_only=True):
    """The state of one disk, or of all as one, at one moment."""

    truth: Truth
    percent: float
    total_bytes: int
    error: str | None = None
    status: str | None = None
    phase: str | None = None

    @property
    def bytes_transferred(self) -> int:
        """Return the bytes that have been copied."""
        return int(self.total_bytes * min(self.percent, 100.0) / 100.0)
