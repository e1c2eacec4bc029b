"""One parser for the documents of all builds: every generation, every vocabulary, every kind of nonsense.

A field that cannot be read is left out, and the rest of the document counts. Nothing that would complete a job may
rest on such a document.
"""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from adapters.vma.disks import listed, read_disks
from adapters.vma.figures import FieldReader, text
from adapters.vma.words import CANCELLED_WORDS, PHASE_WORDS, STATUS_WORDS, Unintelligible, look_up, plain
from domain.vma_status import ENDS, DiskReport, Document, VMAStatus

STARTED = ("started_at", "start_time")

MOST_ERRORS = 100
"""Errors of a document whose words are read; the text that is kept of them is shorter."""


def read_document(asked_id: str, body: bytes) -> Document:
    """Read a progress document of any generation.

    Raises:
        Unintelligible: it is no such document, contradicts itself, or speaks of something else.

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


def read_fields(fields: Mapping[str, Any], speaker: str = "the VMA") -> Document:
    """Read the fields of a document, or of a worker's report in the same words.

    Raises:
        Unintelligible: they have no status that is known, or a `completed` that cannot be believed.

    """
    reader = FieldReader()
    aggregate, timing, cbt = (reader.mapping(fields.get(name)) for name in ("aggregate", "timing", "cbt"))
    disks = read_disks(fields, reader)
    percent = reader.least_percent(fields, aggregate)
    transferred, total = (
        reader.size(fields.get(name), aggregate.get(name)) for name in ("bytes_transferred", "total_bytes")
    )
    said = _said(fields)
    if said is VMAStatus.COMPLETED:
        _insist_on_no_doubt(fields, reader)
    return Document(
        status=_status(said, disks),
        phase=_first_text(fields, "phase", "stage", "current_operation"),
        progress_percent=percent,
        bytes_transferred=transferred,
        total_bytes=total,
        error=_error(fields, speaker),
        started=_first_text(fields, *STARTED) or _first_text(timing, *STARTED),
        sync_type=_first_text(fields, "sync_type") or _first_text(cbt, "type"),
        disks=disks,
    )


def json_object(body: bytes) -> Mapping[str, Any]:
    """Read a JSON object.

    Raises:
        Unintelligible: it is none.

    """
    try:
        fields = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unintelligible(f"not JSON: {str(error)[:120]}") from error
    if not isinstance(fields, dict):
        raise Unintelligible("JSON, but not an object")
    return fields


def _refuse_repeated_names(body: bytes) -> None:
    """Refuse a document that gives one name two values; only what would end a job is worth the second reading.

    Raises:
        Unintelligible: it does.

    """

    def refuse(pairs: list[tuple[str, Any]]) -> None:
        if len(dict(pairs)) < len(pairs):
            raise Unintelligible("a name is there twice")

    try:
        json.loads(body, object_pairs_hook=refuse, parse_int=str, parse_float=str)
    except RecursionError as error:
        raise Unintelligible("not JSON: too deep") from error


def _status(said: VMAStatus, disks: tuple[DiskReport, ...]) -> VMAStatus:
    """Hold the document's own word against its list of disks.

    One failed disk fails the job whatever the others do; a disk that is listed as unfinished outweighs a
    `completed`, which a worker that shares one id says after its first disk.
    """
    if any(disk.status is VMAStatus.FAILED for disk in disks):
        return VMAStatus.FAILED
    if said is VMAStatus.COMPLETED and any(disk.is_unfinished for disk in disks):
        return VMAStatus.RUNNING
    return said


def _said(fields: Mapping[str, Any]) -> VMAStatus:
    # An empty word is a field that its builder did not fill in.
    word = fields.get("status")
    if word is not None and word != "":
        return look_up(STATUS_WORDS, word, "status")
    phase = fields.get("phase") or fields.get("stage")
    if not phase:
        raise Unintelligible("neither a status nor a phase")
    return look_up(PHASE_WORDS, phase, "phase")


def _insist_on_no_doubt(fields: Mapping[str, Any], reader: FieldReader) -> None:
    """See that a `completed` stands beside nothing unreadable, and no phase and no error that means the opposite.

    Raises:
        Unintelligible: it does.

    """
    phase = fields.get("phase") or fields.get("stage")
    if VMAStatus.FAILED in {PHASE_WORDS.get(plain(phase)), STATUS_WORDS.get(plain(phase))}:
        raise Unintelligible(f"completed, in the phase {str(phase)[:40]!r}")
    if any(isinstance(entry, dict) and entry.get("recoverable") is False for entry in _error_entries(fields)):
        raise Unintelligible("completed, with an error that is not recoverable")
    if reader.left_out:
        raise Unintelligible("completed, with figures that cannot be read")


def _first_text(fields: Mapping[str, Any], *names: str) -> str | None:
    return next((said for name in names if (said := text(fields.get(name)))), None)


def _error(fields: Mapping[str, Any], speaker: str) -> str | None:
    """Collect what is said to have gone wrong; `errors` may hold recoverable ones while the copy goes on."""
    words = [*_cancelled(fields, speaker), *map(_error_word, _error_entries(fields)[:MOST_ERRORS])]
    return text("; ".join(dict.fromkeys(word for word in words if word)))


def _cancelled(fields: Mapping[str, Any], speaker: str) -> list[str]:
    """Return that a job or a disk of it was cancelled, in the words in which it was said."""
    disks = [disk for disk in listed(fields, FieldReader()) if isinstance(disk, dict)]
    words = [part.get("status") for part in (fields, *disks)]
    return [f"{speaker} says {word}" for word in words if plain(word) in CANCELLED_WORDS]


def _error_entries(fields: Mapping[str, Any]) -> list[Any]:
    several = fields.get("errors")
    return [fields.get("last_error"), *(several if isinstance(several, list) else [several])]


def _error_word(entry: object) -> str | None:
    words = (entry.get("message"), entry.get("error_type")) if isinstance(entry, dict) else (entry,)
    return next((word for word in words if isinstance(word, str) and word), None)
