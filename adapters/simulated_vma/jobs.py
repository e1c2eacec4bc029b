"""One job of the world: a worker, its disks, and the ids that it reports under."""

import math
from typing import Literal

import msgspec

from adapters.simulated_vma.words import Wording, wording_of

Reports = Literal["exports", "job_id", "both", "shared_job_id", "shared_export"]
Dialect = Literal["current", "oldest", "status_only"]
Truth = Literal["running", "completed", "failed", "gone"]
Outcome = Literal["complete", "fail", "hang"]

GIB = 1024**3


class JobSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a job goes. Seconds, percent, and bytes per disk.

    `reports`: the ids it reports under; a shared one serves all disks, one after another. `starts_in`: until then the
    VMA knows nothing of it. `fail_at`: where a failing or hanging disk stops. `disk_gap`: how long a shared id says
    `completed` before it goes on with the next disk. `error`: what a failure says; None leaves the list empty.
    """

    job_id: str
    volume_ids: tuple[str, ...]
    total_bytes: int = 40 * GIB
    duration: float = 60.0
    progress: float = 0.0
    reports: Reports = "exports"
    dialect: Dialect = "current"
    wording: Wording | None = None
    sync_type: str = "full"
    starts_in: float = 0.0
    outcome: Outcome = "complete"
    fail_at: float = 50.0
    error: str | None = None
    recoverable_errors: bool = False
    disk_gap: float = 2.0


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


class Job:
    """A worker with its disks. Their position is a function of time, until somebody sets it by hand."""

    def __init__(self, spec: JobSpec, now: float) -> None:
        """Start the worker at `now`, or `starts_in` seconds later."""
        self.spec = spec
        self.wording: Wording = spec.wording or wording_of(spec.job_id)
        self.speaks_from = self.known_from = now + spec.starts_in
        self.held: dict[str, Held] = {}
        self.gone: set[str] = set()
        self._began = self.known_from
        self._frozen_at: float | None = None

    def ids(self) -> dict[str, str | None]:
        """Return the ids it reports under, each with the volume it speaks for (None: all of them)."""
        exports: dict[str, str | None] = {f"migration-vol-{v}": v for v in self.spec.volume_ids}
        whole: dict[str, str | None] = {self.spec.job_id: None}
        if self.spec.dialect == "status_only" or self.spec.reports in {"job_id", "shared_job_id"}:
            return whole
        if self.spec.reports == "shared_export":
            return dict.fromkeys(list(exports)[:1])
        return exports | whole if self.spec.reports == "both" else exports

    def truth(self, now: float) -> Truth:
        """Return how the job really stands: failed if any disk is, completed only if all are."""
        disks = {self.disk(v, now).truth for v in self.spec.volume_ids}
        if "failed" in disks:
            return "failed"
        if self.gone:
            return "gone"
        return "completed" if disks == {"completed"} else "running"

    def disk(self, volume_id: str, now: float) -> Reading:
        """Return how one disk really stands."""
        held = self.held.get(volume_id)
        if held is not None:
            return self._as_held(held)
        return self._as_timed(self._worked(volume_id, now))

    def reading(self, volume_id: str | None, now: float) -> Reading:
        """Return what is reported for one disk, or under an id that speaks for all."""
        if volume_id is not None:
            return self.disk(volume_id, now)
        if self.spec.reports.startswith("shared_"):
            return self._shared(now)
        return self._together([self.disk(v, now) for v in self.spec.volume_ids])

    def hold(self, volume_id: str | None, held: Held) -> None:
        """Set one disk, or all, by hand.

        Raises:
            LookupError: the job has no such disk.

        """
        self.held.update(dict.fromkeys(self.chosen(volume_id), held))

    def chosen(self, volume_id: str | None) -> tuple[str, ...]:
        """Return one volume, or all.

        Raises:
            LookupError: the job has no such disk.

        """
        if volume_id is not None and volume_id not in self.spec.volume_ids:
            raise LookupError(f"job {self.spec.job_id} has no disk {volume_id}")
        return (volume_id,) if volume_id is not None else self.spec.volume_ids

    def freeze(self, now: float) -> None:
        """Let no more bytes move; the worker goes on reporting them."""
        self._frozen_at = self._frozen_at or now

    def resume(self, now: float) -> None:
        """Copy on from where it was frozen."""
        if self._frozen_at is not None:
            self._began += now - self._frozen_at
            self._frozen_at = None

    def _worked(self, volume_id: str, now: float) -> float:
        """Return the seconds for which a disk has been copied; a shared worker takes one disk after another."""
        since = (self._frozen_at or now) - self._began
        if not self.spec.reports.startswith("shared_"):
            return since
        cycle = self.spec.duration + self.spec.disk_gap
        return since - self.spec.volume_ids.index(volume_id) * cycle

    def _as_timed(self, worked: float) -> Reading:
        reached = self.spec.progress + 100.0 * max(0.0, worked) / self.spec.duration
        limit = 100.0 if self.spec.outcome == "complete" else max(self.spec.fail_at, self.spec.progress)
        percent = min(reached, limit)
        truth: Truth = "running"
        if percent >= limit and self.spec.outcome != "hang":
            truth = "completed" if self.spec.outcome == "complete" else "failed"
        error = self.spec.error if truth == "failed" else None
        return Reading(truth=truth, percent=percent, total_bytes=self.spec.total_bytes, error=error)

    def _as_held(self, held: Held) -> Reading:
        return Reading(
            truth=held.truth,
            percent=held.percent,
            total_bytes=self.spec.total_bytes,
            error=held.error,
            status=held.status,
            phase=held.phase,
        )

    def _shared(self, now: float) -> Reading:
        """Return the disk that the worker is at: a finished one until the next has begun."""
        disks = [v for v in self.spec.volume_ids if v in self.held or self._worked(v, now) >= 0.0]
        return self.disk((disks or list(self.spec.volume_ids))[-1], now)

    def _together(self, disks: list[Reading]) -> Reading:
        """Return all disks as one: the worst of them leads, the figures are added up."""
        order: dict[Truth, int] = {"failed": 0, "running": 1, "gone": 2, "completed": 3}
        leading = min(disks, key=lambda disk: order[disk.truth])
        return msgspec.structs.replace(
            leading,
            percent=math.fsum(disk.percent for disk in disks) / len(disks),
            total_bytes=sum(disk.total_bytes for disk in disks),
        )
