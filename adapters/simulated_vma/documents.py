"""The documents of each generation of the VMA."""

from datetime import datetime, timedelta
from typing import Any

from adapters.simulated_vma.document_fields import JSONObject
from adapters.simulated_vma.jobs import Job
from adapters.simulated_vma.spec import GIB, CopyState
from adapters.simulated_vma.vocabulary import VOCABULARIES, Stage, stage_at

COARSE_STATUSES = {"running": "running", "completed": "completed", "failed": "failed", "gone": "running"}
"""The only statuses of `/status`."""


class Documents:
    """Writes a worker's documents at one moment. `epoch` is the time of day at zero seconds of the VMA."""

    def __init__(self, epoch: datetime) -> None:
        self._epoch = epoch

    def progress(self, asked_id: str, job: Job, volume_id: str | None, now: float) -> JSONObject:
        """Return the document of `GET /progress/{id}`, in the job's dialect."""
        state = job.state(volume_id, now)
        listed = _listed(job, volume_id, now)
        if job.spec.dialect == "oldest":
            return self._oldest(asked_id, job, state, listed, now)
        return self._current(asked_id, job, state, listed, now)

    def status(self, job: Job, now: float) -> JSONObject:
        """Return the document of `GET /status/{job_id}`, which has three statuses only."""
        state = job.state(None, now)
        return {
            "job_id": job.spec.job_id,
            "status": COARSE_STATUSES[state.truth],
            "progress_percent": stated_percent(job, state),
            "current_operation": "Transferring Data",
            "start_time": self.time(job.starts_at),
            "last_update": self.time(now),
        }

    def time(self, seconds: float) -> str:
        """Return the VMA's time of day at this number of its seconds."""
        return (self._epoch + timedelta(seconds=seconds)).isoformat()

    def _current(self, asked_id: str, job: Job, state: CopyState, listed: list[JSONObject], now: float) -> JSONObject:
        status, phase = status_and_phase(job, state)
        started, updated = self.time(job.starts_at), self.time(now)
        document = {
            "job_id": asked_id,
            "status": status,
            "sync_type": job.sync_type,
            "phase": phase,
            "percentage": stated_percent(job, state),
            "current_operation": "Transferring Data",
            "bytes_transferred": state.bytes_transferred,
            "total_bytes": stated_total(job, state),
            "throughput": {"current_mbps": 100.0, "average_mbps": 100.0, "peak_mbps": 100.0, "last_update": updated},
            # Refreshed by every GET, even when the worker is dead.
            "timing": {"start_time": started, "last_update": updated, "elapsed_ms": 91984, "eta_seconds": 400},
            "vm_info": {"name": "unknown", "path": "unknown", "disk_size_gb": 40, "cbt_enabled": True},
            "phases": [{"name": phase, "status": status, "start_time": started, "end_time": "", "duration_ms": 91984}],
            "errors": self._errors(job, state),
            "last_error": None,
        }
        return document | ({"disk_progresses": listed} if listed else {})

    def _oldest(self, asked_id: str, job: Job, state: CopyState, listed: list[JSONObject], now: float) -> JSONObject:
        status, phase = status_and_phase(job, state)
        return {
            "job_id": asked_id,
            "stage": phase,
            "status": status,
            "started_at": self.time(job.starts_at),
            "updated_at": self.time(now),
            "aggregate": {
                "total_bytes": stated_total(job, state),
                "bytes_transferred": state.bytes_transferred,
                "throughput_bps": 100_000_000,
                "percent": stated_percent(job, state),
            },
            "cbt": {"type": job.sync_type},
            "nbd": {"exports": [f"migration-vol-{volume_id}" for volume_id in job.spec.volume_ids]},
            "disks": [{"id": disk["disk_id"], **disk} for disk in listed],
            "errors": self._errors(job, state),
        }

    def _errors(self, job: Job, state: CopyState) -> list[dict[str, Any]]:
        errors = []
        if state.error is not None:
            errors.append(("TRANSFER_ERROR", state.error, False))
        if job.spec.recoverable_errors:
            errors.append(("READ_RETRY", "a read was repeated", True))
        return [
            {
                "timestamp": self.time(job.starts_at),
                "phase": "Transfer",
                "error_type": kind,
                "message": text,
                "recoverable": recoverable,
            }
            for kind, text, recoverable in errors
        ]


def status_and_phase(job: Job, state: CopyState) -> tuple[str, str]:
    """Return status and phase in the job's vocabulary, unless they were set by hand."""
    stage = {"completed": Stage.COMPLETED, "failed": Stage.FAILED}.get(state.truth) or stage_at(state.percent)
    status, phase = VOCABULARIES[job.wording][stage]
    return state.status or status, state.phase or phase


def stated_total(job: Job, state: CopyState) -> int:
    """Return the total in documents: floored to whole GiB, if the job does that."""
    floored = state.total_bytes // GIB * GIB
    return floored if job.spec.floors_total and floored else state.total_bytes


def stated_percent(job: Job, state: CopyState) -> float:
    """Return the percentage in documents: above 100 near the end, if the total is floored."""
    if state.truth == "completed" or not state.total_bytes:
        return state.percent
    return state.percent * state.total_bytes / stated_total(job, state)


def _listed(job: Job, volume_id: str | None, now: float) -> list[JSONObject]:
    """Return the disks that a document for all disks lists. A shared id lists none: its worker names no disks."""
    if volume_id is not None or job.spec.reports.startswith("shared_") or not job.spec.lists_disks:
        return []
    return [_disk(job, volume, n, now) for n, volume in enumerate(job.spec.volume_ids)]


def _disk(job: Job, volume_id: str, number: int, now: float) -> JSONObject:
    state = job.disk(volume_id, now)
    status, _ = status_and_phase(job, state)
    return {
        "disk_id": f"disk-{2000 + number}",
        "label": f"Disk disk-{2000 + number}",
        "bytes_transferred": state.bytes_transferred,
        "total_bytes": state.total_bytes,
        "percent": state.percent,
        "throughput_mbps": 0.1,
        "status": status,
    }
