"""One job of the world: a worker, its disks, and its ids."""

import math

import msgspec

from adapters.simulated_vma.document_fields import DocumentFields, JSONObject
from adapters.simulated_vma.spec import CopyState, JobSpec, Override, Truth, ZeroChange
from adapters.simulated_vma.vocabulary import Wording, wording_of

WORST_FIRST: tuple[Truth, ...] = ("failed", "running", "gone", "completed")


class Job:
    """A worker with its disks. Their progress is a function of time, unless it was set by hand."""

    def __init__(self, spec: JobSpec, now: float) -> None:
        """Start the worker at `now`, or `starts_in` seconds later."""
        self.spec = spec
        self.wording: Wording = spec.wording or wording_of(spec.job_id)
        self.starts_at = self.known_from = now + spec.starts_in
        self.overrides: dict[str, Override] = {}
        self.gone: set[str] = set()
        self.stated = DocumentFields()
        """What its documents state, whatever the truth is."""
        self.previous: dict[str, JSONObject] = {}
        """The documents of its ids when its worker started."""
        self.copies_from = self.starts_at + (spec.keeps_figures or 0.0)
        """When its first byte is copied; each pause delays it."""
        self._frozen_at: float | None = None
        self._killed = False

    @property
    def sync_type(self) -> str:
        """The kind of copy."""
        return self.spec.sync_type if self.spec.zero_change is None else "incremental"

    def ids(self) -> dict[str, str | None]:
        """Return the ids that it reports under, each with its volume (None: all volumes)."""
        exports: dict[str, str | None] = {f"migration-vol-{v}": v for v in self.spec.volume_ids}
        whole: dict[str, str | None] = {self.spec.job_id: None}
        if self.spec.dialect == "status_only" or self.spec.reports in {"job_id", "shared_job_id"}:
            return whole
        if self.spec.reports in {"shared_export", "first_export"}:
            return dict.fromkeys(list(exports)[:1])
        return exports | whole if self.spec.reports == "both" else exports

    def truth(self, now: float) -> Truth:
        """Return the true state of the job: failed if any disk is, completed only if all are."""
        disks = {self.disk(v, now).truth for v in self.spec.volume_ids}
        if "failed" in disks:
            return "failed"
        if self.gone:
            return "gone"
        if disks == {"completed"}:
            return "completed"
        return "gone" if self._killed else "running"

    def disk(self, volume_id: str, now: float) -> CopyState:
        """Return the true state of one disk."""
        override = self.overrides.get(volume_id)
        if override is not None:
            return self._overridden(override)
        if self.spec.zero_change is not None:
            return self._without_changes(now)
        return self._as_timed(self._worked(volume_id, now))

    def state(self, volume_id: str | None, now: float) -> CopyState:
        """Return what is reported for one disk, or for all (None)."""
        if volume_id is not None:
            return self.disk(volume_id, now)
        if self.spec.reports.startswith("shared_"):
            return self._shared(now)
        return self.whole(now)

    def whole(self, now: float) -> CopyState:
        """Return all disks as one: the state of the worst, and the sum of the figures."""
        disks = [self.disk(v, now) for v in self.spec.volume_ids]
        return msgspec.structs.replace(
            min(disks, key=lambda disk: WORST_FIRST.index(disk.truth)),
            percent=math.fsum(disk.percent for disk in disks) / len(disks),
            total_bytes=sum(disk.total_bytes for disk in disks),
        )

    def override(self, volume_id: str | None, override: Override) -> None:
        """Set one disk, or all, by hand.

        Raises:
            LookupError: the job has no such disk.

        """
        self.overrides.update(dict.fromkeys(self.chosen(volume_id), override))

    def chosen(self, volume_id: str | None) -> tuple[str, ...]:
        """Return one volume, or all.

        Raises:
            LookupError: the job has no such disk.

        """
        if volume_id is not None and volume_id not in self.spec.volume_ids:
            raise LookupError(f"job {self.spec.job_id} has no disk {volume_id}")
        return (volume_id,) if volume_id is not None else self.spec.volume_ids

    def freeze(self, now: float) -> None:
        """Stop copying; the worker continues to report."""
        self._frozen_at = self.worker_time(now)

    def resume(self, now: float) -> None:
        """Continue copying after `freeze`. A killed worker does not."""
        if self._frozen_at is not None and not self._killed:
            self.copies_from += now - self._frozen_at
            self._frozen_at = None

    def kill(self, now: float) -> None:
        """End the worker; its documents stay unchanged, and it writes no further one."""
        self.freeze(now)
        self._killed = True
        if now < self.starts_at:
            self.starts_at = math.inf
        if now < self.known_from:
            self.known_from = math.inf

    def forget(self, now: float, reannounce: float) -> None:
        """Delete its documents; a running worker writes new ones after `reannounce` seconds."""
        running = self.truth(now) == "running"
        self.known_from = max(now + reannounce, self.starts_at) if running else math.inf
        self.previous.clear()

    def run_zero_change(self, now: float, document: ZeroChange) -> None:
        """Start the worker now and complete it at once, as an incremental without changed blocks.

        Raises:
            ValueError: it has started already.

        """
        if self.starts_at <= now:
            raise ValueError(f"job {self.spec.job_id} has started already")
        self.spec = msgspec.structs.replace(self.spec, zero_change=document)
        self.starts_at = self.known_from = now

    def worker_time(self, now: float) -> float:
        """Return the time up to which the worker has been alive."""
        return now if self._frozen_at is None else self._frozen_at

    def _worked(self, volume_id: str, now: float) -> float:
        """Return the seconds for which a disk has been copied; a shared worker copies one disk after another."""
        since = self.worker_time(now) - self.copies_from
        if not self.spec.reports.startswith("shared_"):
            return since
        cycle = self.spec.duration + self.spec.disk_gap
        return since - self.spec.volume_ids.index(volume_id) * cycle

    def _as_timed(self, worked: float) -> CopyState:
        reached = self.spec.progress + 100.0 * max(0.0, worked) / self.spec.duration
        limit = 100.0 if self.spec.outcome == "complete" else max(self.spec.fail_at, self.spec.progress)
        percent = min(reached, limit)
        truth: Truth = "running"
        if percent >= limit and self.spec.outcome != "hang":
            truth = "completed" if self.spec.outcome == "complete" else "failed"
        error = self.spec.error if truth == "failed" else None
        return CopyState(truth=truth, percent=percent, total_bytes=self.spec.total_bytes, error=error)

    def _without_changes(self, now: float) -> CopyState:
        if now < self.starts_at:
            return CopyState(truth="running", percent=self.spec.progress, total_bytes=0)
        return CopyState(truth="completed", percent=100.0, total_bytes=0)

    def _overridden(self, override: Override) -> CopyState:
        return CopyState(
            truth=override.truth,
            percent=override.percent,
            total_bytes=self.spec.total_bytes,
            error=override.error,
            status=override.status,
            phase=override.phase,
        )

    def _shared(self, now: float) -> CopyState:
        """Return the disk that the worker copies now: a finished one until the next begins."""
        disks = [v for v in self.spec.volume_ids if v in self.overrides or self._worked(v, now) >= 0.0]
        return self.disk((disks or list(self.spec.volume_ids))[-1], now)
