"""The reports that a worker sends by itself (telemetry), in each form that real workers send."""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any, Literal

from adapters.simulated_vma.documents import status_and_phase
from adapters.simulated_vma.jobs import Job

Report = dict[str, Any]
ReportForm = Literal[
    "full",
    "status_only",
    "disks_by_index",
    "disks_by_id",
    "error_object",
    "error_text",
    "no_timestamp",
    "above_100",
    "unknown_fields",
]
JobType = Literal["backup", "replication"]

WORKERS_ZONE = timezone(timedelta(hours=2))
BYTES_PER_SECOND = 100_000_000
ABOVE = 103.9
STATUSES = MappingProxyType({"running": "in_progress", "completed": "completed", "failed": "failed"})
DISK_STATUSES = MappingProxyType({"running": "transferring", "completed": "completed", "failed": "failed"})
FIGURES = ("bytes_transferred", "total_bytes", "transfer_speed_bps", "eta_seconds", "progress_percent")


def report_of(job: Job, form: ReportForm, now: float, sent_at: datetime) -> Report:
    """Return the body of a job's report at `now`, stamped with `sent_at` in whole seconds.

    Raises:
        LookupError: its worker is dead, and reports nothing; or there is no such form.

    """
    if form not in FORMS:
        raise LookupError(f"there is no form {form!r}: {', '.join(FORMS)}")
    if job.truth(now) == "gone":
        raise LookupError(f"the worker of job {job.spec.job_id} is dead, and reports nothing")
    report = _full(job, now) | {"timestamp": _stamp(sent_at)}
    return FORMS[form](report, job, now)


def _full(job: Job, now: float) -> Report:
    disks = [job.disk(volume_id, now) for volume_id in job.spec.volume_ids]
    total, copied = sum(disk.total_bytes for disk in disks), sum(disk.bytes_transferred for disk in disks)
    whole = job.whole(now)
    _, phase = status_and_phase(job, whole)
    return {
        "status": STATUSES[job.truth(now)],
        "current_phase": phase,
        "bytes_transferred": copied,
        "total_bytes": total,
        "transfer_speed_bps": BYTES_PER_SECOND,
        "eta_seconds": (total - copied) // BYTES_PER_SECOND,
        "progress_percent": whole.percent,
        "error": whole.error,
        "disks": [],
    }


def _disks(job: Job, now: float, name: Callable[[int], dict[str, object]]) -> list[Report]:
    return [_disk(job, volume_id, now) | name(number) for number, volume_id in enumerate(job.spec.volume_ids)]


def _disk(job: Job, volume_id: str, now: float) -> Report:
    state = job.disk(volume_id, now)
    fields = {
        "bytes_transferred": state.bytes_transferred,
        "total_bytes": state.total_bytes,
        "status": DISK_STATUSES[state.truth],
        "progress_percent": state.percent,
    }
    return fields if state.error is None else fields | {"error_message": state.error}


def _status_only(report: Report, _job: Job, _now: float) -> Report:
    return report | dict.fromkeys(FIGURES, 0)


def _disks_by_index(report: Report, job: Job, now: float) -> Report:
    return report | {"disks": _disks(job, now, lambda number: {"disk_index": number})}


def _disks_by_id(report: Report, job: Job, now: float) -> Report:
    return report | {"disks": _disks(job, now, lambda number: {"disk_id": f"disk-{2000 + number}"})}


def _error_object(report: Report, _job: Job, _now: float) -> Report:
    return report | {"error": {"message": _message(report), "timestamp": report["timestamp"]}}


def _error_text(report: Report, _job: Job, _now: float) -> Report:
    return report | {"error": _message(report)}


def _no_timestamp(report: Report, _job: Job, _now: float) -> Report:
    return {name: value for name, value in report.items() if name != "timestamp"}


def _above_100(report: Report, _job: Job, _now: float) -> Report:
    return report | {"progress_percent": ABOVE}


def _unknown_fields(report: Report, _job: Job, _now: float) -> Report:
    return report | {"new_in_v3": {"deep": [1, {"er": None}]}, "x": None}


FORMS: MappingProxyType[str, Callable[[Report, Job, float], Report]] = MappingProxyType(
    {
        "full": lambda report, _job, _now: report,
        "status_only": _status_only,
        "disks_by_index": _disks_by_index,
        "disks_by_id": _disks_by_id,
        "error_object": _error_object,
        "error_text": _error_text,
        "no_timestamp": _no_timestamp,
        "above_100": _above_100,
        "unknown_fields": _unknown_fields,
    }
)
"""Each form by its name, made from a full report."""


def _message(report: Report) -> str:
    return report["error"] or "a read was repeated"


def _stamp(sent_at: datetime) -> str:
    return sent_at.astimezone(WORKERS_ZONE).isoformat(timespec="seconds")
