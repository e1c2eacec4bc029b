"""One job of the world: a worker, its disks, and the ids that it reports under."""

import math

import msgspec

from adapters.simulated_vma.spec import Held, JobSpec, Reading, Truth, ZeroChange
from adapters.simulated_vma.statement import Document, Statement
from adapters.simulated_vma.words import Wording, wording_of

WORST_FIRST: tuple[Truth, ...] = ("failed", "running", "gone", "completed")


class Job:
    """A worker with its disks. Their position is a function of time, until somebody sets it by hand."""

    def __init__(self, spec: JobSpec, now: float) -> None:
        """Start the worker at `now`, or `starts_in` seconds later."""
        self.spec = spec
        self.wording: Wording = spec.wording or wording_of(spec.job_id)
        self.speaks_from = self.known_from = now + spec.starts_in
        self.held: dict[str, Held] = {}
        self.gone: set[str] = set()
        self.says = Statement()
        """What its documents say whatever the truth is."""
        self.former: dict[str, Document] = {}
        """The documents that stood under its ids when its worker started."""
        self.copies_from = self.speaks_from + (spec.keeps_figures or 0.0)
        """When its first byte is copied, later by every pause."""
        self._frozen_at: float | None = None
        self._killed = False

    @property
    def sync_type(self) -> str:
        """The kind of copy."""
        return self.spec.sync_type if self.spec.zero_change is None else "incremental"

    def ids(self) -> dict[str, str | None]:
        """Return the ids it reports under, each with the volume it speaks for (None: all of them)."""
        exports: dict[str, str | None] = {f"migration-vol-{v}": v for v in self.spec.volume_ids}
        whole: dict[str, str | None] = {self.spec.job_id: None}
        if self.spec.dialect == "status_only" or self.spec.reports in {"job_id", "shared_job_id"}:
            return whole
        if self.spec.reports in {"shared_export", "first_export"}:
            return dict.fromkeys(list(exports)[:1])
        return exports | whole if self.spec.reports == "both" else exports

    def truth(self, now: float) -> Truth:
        """Return how the job really stands: failed if any disk is, completed only if all are."""
        disks = {self.disk(v, now).truth for v in self.spec.volume_ids}
        if "failed" in disks:
            return "failed"
        if self.gone:
            return "gone"
        if disks == {"completed"}:
            return "completed"
        return "gone" if self._killed else "running"

    def disk(self, volume_id: str, now: float) -> Reading:
        """Return how one disk really stands."""
        held = self.held.get(volume_id)
        if held is not None:
            return self._as_held(held)
        if self.spec.zero_change is not None:
            return self._without_changes(now)
        return self._as_timed(self._worked(volume_id, now))

    def reading(self, volume_id: str | None, now: float) -> Reading:
        """Return what is reported for one disk, or under an id that speaks for all."""
        if volume_id is not None:
            return self.disk(volume_id, now)
        if self.spec.reports.startswith("shared_"):
            return self._shared(now)
        return self.whole(now)

    def whole(self, now: float) -> Reading:
        """Return all disks as one: the worst of them leads, the figures are added up."""
        disks = [self.disk(v, now) for v in self.spec.volume_ids]
        return msgspec.structs.replace(
            min(disks, key=lambda disk: WORST_FIRST.index(disk.truth)),
            percent=math.fsum(disk.percent for disk in disks) / len(disks),
            total_bytes=sum(disk.total_bytes for disk in disks),
        )

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
        self._frozen_at = self.worker_time(now)

    def resume(self, now: float) -> None:
        """Copy on from where it was frozen. A killed worker does not."""
        if self._frozen_at is not None and not self._killed:
            self.copies_from += now - self._frozen_at
            self._frozen_at = None

    def kill(self, now: float) -> None:
        """End the worker; its documents stay as they are, and one that it has not written yet never comes."""
        self.freeze(now)
        self._killed = True
        if now < self.speaks_from:
            self.speaks_from = math.inf
        if now < self.known_from:
            self.known_from = math.inf

    def forget(self, now: float, reannounce: float) -> None:
        """Have the VMA forget its documents, until a running worker writes them again, afresh."""
        running = self.truth(now) == "running"
        self.known_from = max(now + reannounce, self.speaks_from) if running else math.inf
        self.former.clear()

    def run_zero_change(self, now: float, document: ZeroChange) -> None:
        """Start the worker now, and complete it at once, as an incremental without changed blocks.

        Raises:
            ValueError: it has started already.

        """
        if self.speaks_from <= now:
            raise ValueError(f"job {self.spec.job_id} has started already")
        self.spec = msgspec.structs.replace(self.spec, zero_change=document)
        self.speaks_from = self.known_from = now

    def worker_time(self, now: float) -> float:
        """Return the time up to which the worker has been alive."""
        return now if self._frozen_at is None else self._frozen_at

    def _worked(self, volume_id: str, now: float) -> float:
        """Return the seconds for which a disk has been copied; a shared worker takes one disk after another."""
        since = self.worker_time(now) - self.copies_from
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

    def _without_changes(self, now: float) -> Reading:
        if now < self.speaks_from:
            return Reading(truth="running", percent=self.spec.progress, total_bytes=0)
        return Reading(truth="completed", percent=100.0, total_bytes=0)

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
