"""One parser for everything a VMA says: every generation of document, every vocabulary, every kind of nonsense.

Nothing in here raises. What cannot be read with certainty is `unintelligible`, with a bounded excerpt as evidence;
nothing is ever concluded from it.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from domain.vma_status import Answer, DiskReport, Document, VMAStatus

EXCERPT_BYTES = 512
MAX_TEXT = 500
TOLERANCE = 1e-6
OK, NOT_FOUND = 200, 404

TUNNEL_ERRORS = frozenset({502, 503, 504})
"""The tunnel's answers for a VMA that is not there; not a word about the job."""

STATUS_WORDS: dict[str, VMAStatus] = {
    **dict.fromkeys(
        (
            "starting",
            "running",
            "inprogress",
            "pending",
            "queued",
            "preparing",
            "snapshotting",
            "streaming",
            "finalizing",
            "transferring",
        ),
        VMAStatus.RUNNING,
    ),
    **dict.fromkeys(("completed", "succeeded"), VMAStatus.COMPLETED),
    **dict.fromkeys(("failed", "error"), VMAStatus.FAILED),
}
"""`status` as the contract lists it, compared without case, spaces, `_` and `-`."""

PHASE_WORDS: dict[str, VMAStatus] = {
    **dict.fromkeys(
        (
            "initializing",
            "creatingsnapshot",
            "snapshotcreation",
            "settingupnbd",
            "preparingmigration",
            "discover",
            "enablecbt",
            "querycbt",
            "snapshot",
            "preparevolumes",
            "startexports",
            "transfer",
            "copyingdata",
            "finalize",
            "cleanup",
        ),
        VMAStatus.RUNNING,
    ),
    "error": VMAStatus.FAILED,
}
"""`phase` where a document has no status. A phase alone never completes a job."""


MOST = 2**60
"""Beyond it no number means anything, of bytes least of all: that is an exabyte."""


class Unintelligible(ValueError):
    """A reply that cannot be read with certainty; the message says why."""


def read_reply(asked_id: str, http_status: int, body: bytes, latency_ms: float) -> Answer:
    """Read one HTTP reply to the question for `asked_id`."""
    excerpt = body[:EXCERPT_BYTES].decode("utf-8", errors="replace")

    def answer(status: VMAStatus, detail: str, document: Document | None = None) -> Answer:
        return Answer(
            asked_id=asked_id,
            status=status,
            http_status=http_status,
            latency_ms=latency_ms,
            detail=detail,
            excerpt=excerpt,
            document=document,
        )

    if http_status in TUNNEL_ERRORS:
        return answer(VMAStatus.UNREACHABLE, f"HTTP {http_status} from the tunnel")
    if http_status in {OK, NOT_FOUND} and _says_not_found(body):
        return answer(VMAStatus.NOT_FOUND, "job not found")
    if http_status != OK:
        return answer(VMAStatus.UNINTELLIGIBLE, f"HTTP {http_status}, which is no answer about a job")
    try:
        document = read_document(asked_id, body)
    except Unintelligible as reason:
        return answer(VMAStatus.UNINTELLIGIBLE, str(reason))
    return answer(document.status, _describe(document), document)


def read_document(asked_id: str, body: bytes) -> Document:
    """Read a progress document of any generation.

    Raises:
        Unintelligible: it is no such document, contradicts itself, or speaks of something else.

    """
    fields = _json_object(body)
    echoed = fields.get("job_id")
    if echoed is not None and echoed != asked_id:
        raise Unintelligible(f"answers for another id: {str(echoed)[:80]!r}")
    aggregate = _mapping(fields.get("aggregate"))
    disks = _disks(fields)
    percent = _percent(_first(fields, aggregate, "percentage", "progress_percent", "percent"))
    phase = _text(_first(fields, {}, "phase", "stage", "current_operation"))
    errors = _errors(fields)
    return Document(
        status=_status(fields, disks),
        phase=phase,
        progress_percent=percent,
        bytes_transferred=_bytes(_first(fields, aggregate, "bytes_transferred")),
        total_bytes=_bytes(_first(fields, aggregate, "total_bytes")),
        error=errors,
        disks=disks,
    )


def _says_not_found(body: bytes) -> bool:
    """Text on most builds, with status 200 on some; JSON with an `error` on others.

    Only the VMA's own words count: a web server's "404 page not found" says nothing about a job.
    """
    text = body[:EXCERPT_BYTES].decode("utf-8", errors="replace").strip()
    if text.lower().startswith("job not found"):
        return True
    if not text.startswith("{"):
        return False
    try:
        error = _json_object(body).get("error")
    except Unintelligible:
        return False
    return isinstance(error, str) and error.strip().lower().startswith("job not found")


def _json_object(body: bytes) -> Mapping[str, Any]:
    try:
        fields = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unintelligible(f"not JSON: {str(error)[:120]}") from error
    if not isinstance(fields, dict):
        raise Unintelligible("JSON, but not an object")
    return fields


def _status(fields: Mapping[str, Any], disks: tuple[DiskReport, ...]) -> VMAStatus:
    """Read the document's own word, held against its list of disks.

    One failed disk fails the job whatever the others do; a disk that is listed as unfinished outweighs a
    `completed`, which a worker that shares one id says after its first disk.
    """
    said = _said(fields)
    if any(disk.status is VMAStatus.FAILED for disk in disks):
        return VMAStatus.FAILED
    if said is VMAStatus.COMPLETED and any(disk.is_unfinished for disk in disks):
        return VMAStatus.RUNNING
    return said


def _said(fields: Mapping[str, Any]) -> VMAStatus:
    # An empty word is a field that its builder did not fill in.
    word = fields.get("status")
    if word is not None and word != "":
        return _look_up(STATUS_WORDS, word, "status")
    phase = fields.get("phase") or fields.get("stage")
    if not phase:
        raise Unintelligible("neither a status nor a phase")
    return _look_up(PHASE_WORDS, phase, "phase")


def _look_up(words: Mapping[str, VMAStatus], word: object, name: str) -> VMAStatus:
    if not isinstance(word, str):
        raise Unintelligible(f"{name} is not a word")
    plain = word.lower().replace(" ", "").replace("_", "").replace("-", "")
    if plain not in words:
        raise Unintelligible(f"unknown {name} {word[:40]!r}")
    return words[plain]


def _disks(fields: Mapping[str, Any]) -> tuple[DiskReport, ...]:
    listed = fields.get("disk_progresses") or fields.get("disks") or ()
    if not isinstance(listed, list | tuple):
        raise Unintelligible("the list of disks is not a list")
    return tuple(_disk(_mapping(disk)) for disk in listed)


def _disk(fields: Mapping[str, Any]) -> DiskReport:
    word = fields.get("status")
    status = VMAStatus.RUNNING if word is None or word == "" else _look_up(STATUS_WORDS, word, "disk status")
    return DiskReport(
        disk_id=str(fields.get("disk_id", fields.get("id", "")))[:80],
        status=status,
        progress_percent=_percent(fields.get("percent")),
        bytes_transferred=_bytes(fields.get("bytes_transferred")),
        total_bytes=_bytes(_first(fields, {}, "total_bytes", "planned_bytes")),
    )


def _first(fields: Mapping[str, Any], nested: Mapping[str, Any], *names: str) -> object:
    """Return the first of these fields that is there, in the document or in its older nested form."""
    for source in (fields, nested):
        for name in names:
            if source.get(name) is not None:
                return source[name]
    return None


def _mapping(value: object) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Unintelligible("a nested part is not an object")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unintelligible(f"not a number: {str(value)[:40]!r}")
    # Compared, not converted: a whole number may have hundreds of digits. NaN is in no range.
    if not -MOST <= value <= MOST:
        raise Unintelligible("a number beyond all measure")
    return float(value)


def _percent(value: object) -> float | None:
    if value is None:
        return None
    percent = _number(value)
    if not -TOLERANCE <= percent <= 100.0 + TOLERANCE:
        raise Unintelligible(f"a progress of {percent:g} %")
    return min(100.0, max(0.0, percent))


def _bytes(value: object) -> int | None:
    if value is None:
        return None
    number = _number(value)
    if number < 0:
        raise Unintelligible(f"{number:g} bytes")
    return int(number)


def _text(value: object) -> str | None:
    return value[:MAX_TEXT] if isinstance(value, str) and value else None


def _errors(fields: Mapping[str, Any]) -> str | None:
    """Collect what the VMA says went wrong; `errors` may hold recoverable ones while the copy goes on."""
    last, several = fields.get("last_error"), fields.get("errors")
    entries = [last, *(several if isinstance(several, list) else [])]
    words = [word for word in map(_error_text, entries) if word]
    return "; ".join(dict.fromkeys(words))[:MAX_TEXT] or None


def _error_text(entry: object) -> str | None:
    if isinstance(entry, dict):
        return _text(entry.get("message")) or _text(entry.get("error_type"))
    return _text(entry)


def _describe(document: Document) -> str:
    percent = document.progress_percent
    return document.status.value if percent is None else f"{document.status.value} at {percent:.4g} %"
