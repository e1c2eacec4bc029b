"""The documents in which the generations of the VMA say what they know."""

from datetime import datetime, timedelta
from typing import Any

from adapters.simulated_vma.jobs import Job
from adapters.simulated_vma.spec import GIB, Reading
from adapters.simulated_vma.statement import Document
from adapters.simulated_vma.words import VOCABULARIES, Stage, stage_at

COARSE_WORDS = {"running": "running", "completed": "completed", "failed": "failed", "gone": "running"}
"""The only words that `/status` knows."""


class Documents:
    """Writes a worker's documents at one moment. `epoch` is the time of day when the VMA's seconds began to count."""

    def __init__(self, epoch: datetime) -> None:
        self._epoch = epoch

    def progress(self, asked_id: str, job: Job, volume_id: str | None, now: float) -> Document:
        """Return the document of `GET /progress/{id}`, in the job's dialect."""
        reading = job.reading(volume_id, now)
        listed = _listed(job, volume_id, now)
        if job.spec.dialect == "oldest":
            return self._oldest(asked_id, job, reading, listed, now)
        return self._current(asked_id, job, reading, listed, now)

    def status(self, job: Job, now: float) -> Document:
        """Return the document of `GET /status/{job_id}`, which knows three words only."""
        reading = job.reading(None, now)
        return {
            "job_id": job.spec.job_id,
            "status": COARSE_WORDS[reading.truth],
            "progress_percent": said_percent(job, reading),
            "current_operation": "Transferring Data",
            "start_time": self.time(job.speaks_from),
            "last_update": self.time(now),
        }

    def time(self, seconds: float) -> str:
        """Return the VMA's time of day at so many of its seconds."""
        return (self._epoch + timedelta(seconds=seconds)).isoformat()

    def _current(self, asked_id: str, job: Job, reading: Reading, listed: list[Document], now: float) -> Document:
        status, phase = words_of(job, reading)
        started, updated = self.time(job.speaks_from), self.time(now)
        document = {
            "job_id": asked_id,
            "status": status,
            "sync_type": job.sync_type,
            "phase": phase,
            "percentage": said_percent(job, reading),
            "current_operation": "Transferring Data",
            "bytes_transferred": reading.bytes_transferred,
            "total_bytes": said_total(job, reading),
            "throughput": {"current_mbps": 100.0, "average_mbps": 100.0, "peak_mbps": 100.0, "last_update": updated},
            # Refreshed by every GET, even when the worker died long ago.
            "timing": {"start_time": started, "last_update": updated, "elapsed_ms": 91984, "eta_seconds": 400},
            "vm_info": {"name": "unknown", "path": "unknown", "disk_size_gb": 40, "cbt_enabled": True},
            "phases": [{"name": phase, "status": status, "start_time": started, "end_time": "", "duration_ms": 91984}],
            "errors": self._errors(job, reading),
            "last_error": None,
        }
        return document | ({"disk_progresses": listed} if listed else {})

    def _oldest(self, asked_id: str, job: Job, reading: Reading, listed: list[Document], now: float) -> Document:
        status, phase = words_of(job, reading)
        return {
            "job_id": asked_id,
            "stage": phase,
            "status": status,
            "started_at": self.time(job.speaks_from),
            "updated_at": self.time(now),
            "aggregate": {
                "total_bytes": said_total(job, reading),
                "bytes_transferred": reading.bytes_transferred,
                "throughput_bps": 100_000_000,
                "percent": said_percent(job, reading),
            },
            "cbt": {"type": job.sync_type},
            "nbd": {"exports": [f"migration-vol-{volume_id}" for volume_id in job.spec.volume_ids]},
            "disks": [{"id": disk["disk_id"], **disk} for disk in listed],
            "errors": self._errors(job, reading),
        }

    def _errors(self, job: Job, reading: Reading) -> list[dict[str, Any]]:
        said = []
        if reading.error is not None:
            said.append(("TRANSFER_ERROR", reading.error, False))
        if job.spec.recoverable_errors:
            said.append(("READ_RETRY", "a read was repeated", True))
        return [
            {
                "timestamp": self.time(job.speaks_from),
                "phase": "Transfer",
                "error_type": kind,
                "message": text,
                "recoverable": recoverable,
            }
            for kind, text, recoverable in said
        ]


def words_of(job: Job, reading: Reading) -> tuple[str, str]:
    """Return status and phase in the job's wording, unless they were set literally."""
    stage = {"completed": Stage.COMPLETED, "failed": Stage.FAILED}.get(reading.truth) or stage_at(reading.percent)
    status, phase = VOCABULARIES[job.wording][stage]
    return reading.status or status, reading.phase or phase


def said_total(job: Job, reading: Reading) -> int:
    """Return the total as documents give it: floored to whole GiB, if the job does that."""
    floored = reading.total_bytes // GIB * GIB
    return floored if job.spec.floors_total and floored else reading.total_bytes


def said_percent(job: Job, reading: Reading) -> float:
    """Return the percentage as documents give it: above 100 near the end, if the total is floored."""
    if reading.truth == "completed" or not reading.total_bytes:
        return reading.percent
    return reading.percent * reading.total_bytes / said_total(job, reading)


def _listed(job: Job, volume_id: str | None, now: float) -> list[Document]:
    """List the disks of a document that speaks for all of them. A shared id lists none: its worker names no disks."""
    if volume_id is not None or job.spec.reports.startswith("shared_") or not job.spec.lists_disks:
        return []
    return [_disk(job, volume, n, now) for n, volume in enumerate(job.spec.volume_ids)]


def _disk(job: Job, volume_id: str, number: int, now: float) -> Document:
    reading = job.disk(volume_id, now)
    status, _ = words_of(job, reading)
    return {
        "disk_id": f"disk-{2000 + number}",
        "label": f"Disk disk-{2000 + number}",
        "bytes_transferred": reading.bytes_transferred,
        "total_bytes": reading.total_bytes,
        "percent": reading.percent,
        "throughput_mbps": 0.1,
        "status": status,
    }
