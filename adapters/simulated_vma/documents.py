"""The documents in which the generations of the VMA say what they know."""

from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.simulated_vma.jobs import Job, Reading
from adapters.simulated_vma.words import VOCABULARIES, Stage, stage_at

EPOCH = datetime(2025, 10, 3, 14, tzinfo=UTC)
"""When the VMA's seconds began to count."""


def progress_document(asked_id: str, job: Job, volume_id: str | None, now: float) -> dict[str, Any]:
    """Return the document of `GET /progress/{id}`, in the job's dialect."""
    reading = job.reading(volume_id, now)
    listed = _listed(job, volume_id, now)
    if job.spec.dialect == "oldest":
        return _oldest(asked_id, job, reading, listed)
    return _current(asked_id, job, reading, listed)


def status_document(job: Job, now: float) -> dict[str, Any]:
    """Return the document of `GET /status/{job_id}`, which knows three words only."""
    reading = job.reading(None, now)
    plain = {"running": "running", "completed": "completed", "failed": "failed", "gone": "running"}
    return {
        "job_id": job.spec.job_id,
        "status": plain[reading.truth],
        "progress_percent": reading.percent,
        "current_operation": "Transferring Data",
        "start_time": _started(job),
        "last_update": _just_now(),
    }


def _current(asked_id: str, job: Job, reading: Reading, listed: list[dict[str, Any]]) -> dict[str, Any]:
    status, phase = _words(job, reading)
    started = _started(job)
    document = {
        "job_id": asked_id,
        "status": status,
        "sync_type": job.spec.sync_type,
        "phase": phase,
        "percentage": reading.percent,
        "current_operation": "Transferring Data",
        "bytes_transferred": _bytes(reading),
        "total_bytes": reading.total_bytes,
        "throughput": {"current_mbps": 100.0, "average_mbps": 100.0, "peak_mbps": 100.0, "last_update": _just_now()},
        # Refreshed by every GET, even when the worker died long ago.
        "timing": {"start_time": started, "last_update": _just_now(), "elapsed_ms": 91984, "eta_seconds": 400},
        "vm_info": {"name": "unknown", "path": "unknown", "disk_size_gb": 40, "cbt_enabled": True},
        "phases": [{"name": phase, "status": status, "start_time": started, "end_time": "", "duration_ms": 91984}],
        "errors": _errors(job, reading),
        "last_error": None,
    }
    return document | ({"disk_progresses": listed} if listed else {})


def _oldest(asked_id: str, job: Job, reading: Reading, listed: list[dict[str, Any]]) -> dict[str, Any]:
    status, phase = _words(job, reading)
    return {
        "job_id": asked_id,
        "stage": phase,
        "status": status,
        "started_at": _started(job),
        "updated_at": _just_now(),
        "aggregate": {
            "total_bytes": reading.total_bytes,
            "bytes_transferred": _bytes(reading),
            "throughput_bps": 100_000_000,
            "percent": reading.percent,
        },
        "cbt": {"type": job.spec.sync_type},
        "nbd": {"exports": [f"migration-vol-{volume_id}" for volume_id in job.spec.volume_ids]},
        "disks": [{"id": disk["disk_id"], **disk} for disk in listed],
        "errors": _errors(job, reading),
    }


def _listed(job: Job, volume_id: str | None, now: float) -> list[dict[str, Any]]:
    """List the disks under the job's own id. A shared id lists none: its worker reports no disk ids."""
    if volume_id is not None or job.spec.reports.startswith("shared_"):
        return []
    return [_disk(job, volume, n, now) for n, volume in enumerate(job.spec.volume_ids)]


def _disk(job: Job, volume_id: str, number: int, now: float) -> dict[str, Any]:
    reading = job.disk(volume_id, now)
    status, _ = _words(job, reading)
    return {
        "disk_id": f"disk-{2000 + number}",
        "label": f"Disk disk-{2000 + number}",
        "bytes_transferred": _bytes(reading),
        "total_bytes": reading.total_bytes,
        "percent": reading.percent,
        "throughput_mbps": 0.1,
        "status": status,
    }


def _words(job: Job, reading: Reading) -> tuple[str, str]:
    """Return status and phase in the job's wording, unless they were set literally."""
    stage = {"completed": Stage.COMPLETED, "failed": Stage.FAILED}.get(reading.truth) or stage_at(reading.percent)
    status, phase = VOCABULARIES[job.wording][stage]
    return reading.status or status, reading.phase or phase


def _bytes(reading: Reading) -> int:
    return int(reading.total_bytes * reading.percent / 100.0)


def _errors(job: Job, reading: Reading) -> list[dict[str, Any]]:
    said = []
    if reading.error is not None:
        said.append(("TRANSFER_ERROR", reading.error, False))
    if job.spec.recoverable_errors:
        said.append(("READ_RETRY", "a read was repeated", True))
    return [
        {
            "timestamp": _started(job),
            "phase": "Transfer",
            "error_type": kind,
            "message": text,
            "recoverable": recoverable,
        }
        for kind, text, recoverable in said
    ]


def _started(job: Job) -> str:
    return (EPOCH + timedelta(seconds=job.speaks_from)).isoformat()


def _just_now() -> str:
    return datetime.now(UTC).isoformat()
