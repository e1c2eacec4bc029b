"""Reads a worker's own report, by the parser of the VMA's documents."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from adapters.vma.disks import MAX_DISKS
from adapters.vma.documents import read_fields
from adapters.vma.figures import name
from adapters.vma.vocabulary import STATUSES, Unintelligible, look_up
from domain.errors import InvalidInput, Refused
from domain.observing import observe
from domain.ports import ProbeTarget
from domain.vma_status import Answer, Document, Observation, VMAStatus, export_name

FIGURES = ("bytes_transferred", "total_bytes", "progress_percent")


def read_report(
    job_id: str, vma: str, volume_ids: Sequence[str], report: Mapping[str, Any], observed_at: datetime
) -> Observation:
    """Return the observation that a worker's report gives; `observed_at` is our time of its arrival.

    An unreadable field is skipped. A disk that is named by its volume or its export counts as that export's document;
    any other, such as one with an index only, is a disk of the job's list. A report without disks covers one disk, as a
    document under the job's id does.

    Raises:
        InvalidInput: it has no known status, or lists too many disks.
        Refused: it states `completed`, with a field that is unreadable or contradicts it.

    """
    disks = report.get("disks")
    if isinstance(disks, list) and len(disks) > MAX_DISKS:
        raise InvalidInput(f"disks: the report lists {len(disks)} disks; a job has at most {MAX_DISKS}")
    try:
        look_up(STATUSES, report.get("status"), "status")
    except Unintelligible as reason:
        raise InvalidInput(f"the report cannot be read: {reason}") from None
    try:
        own = _read_all(report)
    except Unintelligible as reason:
        raise Refused(f"the report changes nothing: {reason}") from None
    exports = {volume_id: _export(volume_id, report) for volume_id in volume_ids}
    target = ProbeTarget(job_id, vma, tuple(volume_ids))
    return observe(target, exports, (_reported(job_id, own),), observed_at=observed_at)


def _read_all(report: Mapping[str, Any]) -> Document:
    disks = report.get("disks")
    fields = {
        "status": report.get("status"),
        "phase": report.get("current_phase"),
        "last_error": report.get("error"),
        "errors": [disk.get("error_message") for disk in _entries(report)],
        "disk_progresses": [_listed(disk) for disk in disks] if isinstance(disks, list) else disks,
    }
    return read_fields({**fields, **_figures(report)}, "the worker")


def _listed(disk: object) -> object:
    """Return an entry of a worker's list of disks as the VMA lists it."""
    if not isinstance(disk, dict):
        return disk
    disk_id = name(disk.get("disk_id")) or name(disk.get("disk_index"))
    return {"disk_id": disk_id, "status": disk.get("status"), **_figures(disk)}


def _figures(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures of a report or of a disk; none if all are zero, because it reports a status only."""
    figures = {figure: fields.get(figure) for figure in FIGURES}
    return {} if all(value is None or value == 0 for value in figures.values()) else figures


def _export(volume_id: str, report: Mapping[str, Any]) -> Answer:
    """Return the answer of an export by the disk that a report names by its volume or its export."""
    export = export_name(volume_id)
    for disk in _entries(report):
        if disk.get("disk_id") in {volume_id, export} and disk.get("status"):
            try:
                fields = {"status": disk["status"], "last_error": disk.get("error_message"), **_figures(disk)}
                return _reported(export, read_fields(fields, "the worker"))
            except Unintelligible:
                continue
    return Answer(asked_id=export, status=VMAStatus.NOT_FOUND, detail="not asked: the worker reported by itself")


def _entries(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    disks = report.get("disks")
    return [disk for disk in disks if isinstance(disk, dict)] if isinstance(disks, list) else []


def _reported(asked_id: str, document: Document) -> Answer:
    return Answer(asked_id=asked_id, status=document.status, detail="reported by the worker itself", document=document)
