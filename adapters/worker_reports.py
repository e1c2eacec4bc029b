"""Reading a worker's own report: the same words and figures as in the VMA's documents, read by the same parser."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from adapters.vma_documents import read_document
from adapters.vma_words import Unintelligible
from domain.errors import Refused
from domain.observing import observe
from domain.ports import ProbeTarget
from domain.vma_status import Answer, Document, Observation, VMAStatus, export_name


def read_report(
    job_id: str, vma: str, volume_ids: Sequence[str], report: Mapping[str, Any], sent_at: datetime
) -> Observation:
    """Make an observation of what a worker reported.

    A disk that is named by its volume or its export counts as that export's own document; a report without disks
    vouches for one disk, as a document under the job's id does.

    Raises:
        Refused: it says nothing that can be read with certainty.

    """
    disks: list[dict[str, Any]] = list(report.get("disks") or ())
    exports = {volume_id: _not_asked(export_name(volume_id)) for volume_id in volume_ids}
    for disk in disks:
        volume_id = str(disk["disk_id"]).removeprefix(export_name(""))
        if volume_id in exports and disk.get("status"):
            exports[volume_id] = _reported(export_name(volume_id), _read(disk))
    whole = {"status": report["status"], "phase": report.get("current_phase"), "last_error": report.get("error")}
    figures = {name: report.get(name) for name in ("bytes_transferred", "total_bytes", "progress_percent")}
    own = _read({**whole, **figures, "disk_progresses": [_as_listed(disk) for disk in disks]})
    target = ProbeTarget(job_id, vma, tuple(volume_ids))
    return observe(target, exports, (_reported(job_id, own),), observed_at=sent_at)


def _as_listed(disk: Mapping[str, Any]) -> dict[str, Any]:
    return {"disk_id": disk["disk_id"], "status": disk.get("status"), "percent": disk.get("progress_percent")}


def _read(fields: Mapping[str, Any]) -> Document:
    given = {name: value for name, value in fields.items() if value is not None and name != "disk_id"}
    try:
        return read_document("", msgspec.json.encode(given))
    except Unintelligible as reason:
        raise Refused(f"the report cannot be read: {reason}") from None


def _not_asked(asked_id: str) -> Answer:
    return Answer(asked_id=asked_id, status=VMAStatus.NOT_FOUND, detail="not asked: the worker reported by itself")


def _reported(asked_id: str, document: Document) -> Answer:
    return Answer(asked_id=asked_id, status=document.status, detail="reported by the worker itself", document=document)
