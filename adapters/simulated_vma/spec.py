"""How a job of the simulated VMA goes, and what its worker reports at one moment."""

from typing import Literal

import msgspec

from adapters.simulated_vma.words import Wording

Reports = Literal["exports", "job_id", "both", "shared_job_id", "shared_export", "first_export"]
Dialect = Literal["current", "oldest", "status_only"]
Truth = Literal["running", "completed", "failed", "gone"]
Outcome = Literal["complete", "fail", "hang"]
ZeroChange = Literal["empty", "former"]

GIB = 1024**3


class JobSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a job goes. Seconds, percent, and bytes per disk.

    `reports`: the ids it reports under. A shared one serves all disks, one after another; `first_export` serves all
    at once, and the other exports never exist. `lists_disks`: whether a document for several disks lists them.
    `starts_in`: until then the VMA knows nothing of it. `fail_at`: where a failing or hanging disk stops. `disk_gap`:
    how long a shared id says `completed` before it goes on with the next disk. `error`: what a failure says; None
    leaves the list empty.

    `keeps_figures`: for so many seconds after its start, before a byte is copied, a worker shows the figures of the
    document that stood there; it keeps that document's start time for good. None: it starts afresh. `first_percent`
    replaces the old percentage in that time, and `first_phase` the word for initializing.

    `zero_change`: an incremental without changed blocks, completed as soon as it starts. Its document says 0 of 0
    bytes (`empty`), or equals the one that stood there but for its `sync_type` (`former`).

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
    def needs_former(self) -> bool:
        """Whether its documents depend on what stood under its ids when its worker started."""
        return self.keeps_figures is not None or self.zero_change == "former"


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """Values at which a disk was set by hand; `status` and `phase` are literal words, None keeps the usual."""

    truth: Truth
    percent: float
    status: str | None = None
    phase: str | None = None
    error: str | None = None


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker reports under one id at one moment."""

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
