"""Parses the documents of all builds: every generation and every vocabulary.

An unreadable field is skipped, and the rest of the document is used. But a document with such a field never completes a
job.
"""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from adapters.vma.disks import listed, read_disks
from adapters.vma.figures import FieldReader, text
from adapters.vma.vocabulary import CANCELLED, PHASES, STATUSES, Unintelligible, look_up, normalized
from domain.vma_status import ENDS, DiskReport, Document, VMAStatus

STARTED = ("started_at", "start_time")

MAX_ERRORS = 100
"""Errors that are read of a document; the stored text is shorter."""


def read_document(asked_id: str, body: bytes) -> Document:
    """Return a progress document of any generation.

    Raises:
        Unintelligible: it is no such document, contradicts itself, or is about another id.

    """
    fields = json_object(body)
    echoed = fields.get("job_id")
    if echoed is not None and echoed != asked_id:
        other = str(echoed)[:80] if isinstance(echoed, str | int) else f"a {type(echoed).__name__}"
        raise Unintelligible(f"answers for another id: {other!r}")
    document = read_fields(fields)
    if document.status in ENDS:
        _refuse_repeated_names(body)
    return document


def read_fields(fields: Mapping[str, Any], source: str = "the VMA") -> Document:
    """Return the document with these fields, of the VMA or of a worker's report.

    Raises:
        Unintelligible: they have no known status, or something contradicts a `completed`.

    """
    reader = FieldReader()
    aggregate, timing, cbt = (reader.mapping(fields.get(name)) for name in ("aggregate", "timing", "cbt"))
    disks = read_disks(fields, reader)
    percent = reader.least_percent(fields, aggregate)
    transferred, total = (
        reader.size(fields.get(name), aggregate.get(name)) for name in ("bytes_transferred", "total_bytes")
    )
    stated = _stated(fields)
    if stated is VMAStatus.COMPLETED:
        _refuse_contradictions(fields, reader)
    return Document(
        status=_status(stated, disks),
        stated=stated,
        phase=_first_text(fields, "phase", "stage", "current_operation"),
        progress_percent=percent,
        bytes_transferred=transferred,
        total_bytes=total,
        error=_error(fields, source),
        started=_first_text(fields, *STARTED) or _first_text(timing, *STARTED),
        sync_type=_first_text(fields, "sync_type") or _first_text(cbt, "type"),
        disks=disks,
    )


def json_object(body: bytes) -> Mapping[str, Any]:
    """Return the fields of a JSON object.

    Raises:
        Unintelligible: it is not a JSON object.

    """
    try:
        fields = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unintelligible(f"not JSON: {str(error)[:120]}") from error
    if not isinstance(fields, dict):
        raise Unintelligible("JSON, but not an object")
    return fields


def _refuse_repeated_names(body: bytes) -> None:
    """Refuse a document that gives one name two values; called only for one that would end a job, because it is slow.

    Raises:
        Unintelligible: a name is repeated.

    """

    def refuse(pairs: list[tuple[str, Any]]) -> None:
        if len(dict(pairs)) < len(pairs):
            raise Unintelligible("a name is there twice")

    try:
        json.loads(body, object_pairs_hook=refuse, parse_int=str, parse_float=str)
    except RecursionError as error:
        raise Unintelligible("not JSON: too deep") from error


def _status(stated: VMAStatus, disks: tuple[DiskReport, ...]) -> VMAStatus:
    """Return the status of a document by its stated status and its list of disks.

    One failed disk fails the job. An unfinished disk has priority over a stated `completed`: a worker that uses one id
    for all disks states it after its first disk.
    """
    if any(disk.status is VMAStatus.FAILED for disk in disks):
        return VMAStatus.FAILED
    if stated is VMAStatus.COMPLETED and any(disk.is_unfinished for disk in disks):
        return VMAStatus.RUNNING
    return stated


def _stated(fields: Mapping[str, Any]) -> VMAStatus:
    status = fields.get("status")
    # Some builds send an empty text for a missing status.
    if status is not None and status != "":
        return look_up(STATUSES, status, "status")
    phase = fields.get("phase") or fields.get("stage")
    if not phase:
        raise Unintelligible("neither a status nor a phase")
    return look_up(PHASES, phase, "phase")


def _refuse_contradictions(fields: Mapping[str, Any], reader: FieldReader) -> None:
    """Refuse a `completed` with an unreadable field, or with a phase or an error that contradicts it.

    Raises:
        Unintelligible: it has one.

    """
    phase = fields.get("phase") or fields.get("stage")
    if VMAStatus.FAILED in {PHASES.get(normalized(phase)), STATUSES.get(normalized(phase))}:
        raise Unintelligible(f"completed, in the phase {str(phase)[:40]!r}")
    if any(isinstance(entry, dict) and entry.get("recoverable") is False for entry in _error_entries(fields)):
        raise Unintelligible("completed, with an error that is not recoverable")
    if reader.skipped:
        raise Unintelligible("completed, with figures that cannot be read")


def _first_text(fields: Mapping[str, Any], *names: str) -> str | None:
    return next((found for name in names if (found := text(fields.get(name)))), None)


def _error(fields: Mapping[str, Any], source: str) -> str | None:
    """Return all errors in one text; some may be recoverable while the copy continues."""
    errors = [*_cancelled(fields, source), *map(_error_text, _error_entries(fields)[:MAX_ERRORS])]
    return text("; ".join(dict.fromkeys(error for error in errors if error)))


def _cancelled(fields: Mapping[str, Any], source: str) -> list[str]:
    """Return a text for each status by which the job or one of its disks was cancelled."""
    disks = [disk for disk in listed(fields, FieldReader()) if isinstance(disk, dict)]
    statuses = [part.get("status") for part in (fields, *disks)]
    return [f"{source} says {status}" for status in statuses if normalized(status) in CANCELLED]


def _error_entries(fields: Mapping[str, Any]) -> list[Any]:
    several = fields.get("errors")
    return [fields.get("last_error"), *(several if isinstance(several, list) else [several])]


def _error_text(entry: object) -> str | None:
    texts = (entry.get("message"), entry.get("error_type")) if isinstance(entry, dict) else (entry,)
    return next((one for one in texts if isinstance(one, str) and one), None)
