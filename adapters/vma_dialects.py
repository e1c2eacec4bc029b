"""One parser for everything a VMA says: every generation of document, every vocabulary, every kind of nonsense.

Nothing in here raises. What cannot be read with certainty is `unintelligible`, with a bounded excerpt as evidence;
nothing is ever concluded from it.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from adapters.vma_words import PHASE_WORDS, STATUS_WORDS, Unintelligible, is_not_found, look_up, plain
from domain.vma_status import ENDS, Answer, DiskReport, Document, VMAStatus

EXCERPT_BYTES = 512
MAX_TEXT = 500
TOLERANCE = 1e-6
OK, NOT_FOUND = 200, 404

TUNNEL_ERRORS = frozenset({502, 503, 504})
"""The tunnel's answers for a VMA that is not there; not a word about the job."""

MOST = 2**60
"""Beyond it no number means anything, of bytes least of all: that is an exabyte."""


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
    if http_status in {OK, NOT_FOUND} and _says_not_found(asked_id, body):
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
    phase = _text(_first(fields, {}, "phase", "stage", "current_operation"))
    status = _status(fields, disks)
    if status in ENDS:
        _refuse_repeated_names(body)
    errors = _errors(fields)
    return Document(
        status=status,
        phase=phase,
        progress_percent=_least_percent(fields, aggregate),
        bytes_transferred=_bytes(_first(fields, aggregate, "bytes_transferred")),
        total_bytes=_bytes(_first(fields, aggregate, "total_bytes")),
        error=errors,
        started=_text(_first(fields, _timing(fields), "started_at", "start_time")),
        disks=disks,
    )


def _says_not_found(asked_id: str, body: bytes) -> bool:
    """Text on most builds, with status 200 on some; JSON with an `error` on others.

    Only the VMA's own words about the id that was asked for count: a web server's "404 page not found" says nothing
    about a job, and a job that runs or is completed is known, whatever else its document holds.
    """
    text = body[:EXCERPT_BYTES].decode("utf-8", errors="replace").strip()
    if not text.startswith("{"):
        return is_not_found(asked_id, text)
    try:
        fields = _json_object(body)
    except Unintelligible:
        return False
    error, about = fields.get("error"), fields.get("job_id", asked_id)
    if about != asked_id or not isinstance(error, str) or not is_not_found(asked_id, error):
        return False
    return STATUS_WORDS.get(plain(fields.get("status"))) not in {VMAStatus.RUNNING, VMAStatus.COMPLETED}


def _json_object(body: bytes) -> Mapping[str, Any]:
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
        names = [name for name, _ in pairs]
        if len(set(names)) < len(names):
            raise Unintelligible("a name is there twice")

    try:
        json.loads(body, object_pairs_hook=refuse, parse_int=str, parse_float=str)
    except RecursionError as error:
        raise Unintelligible("not JSON: too deep") from error


def _status(fields: Mapping[str, Any], disks: tuple[DiskReport, ...]) -> VMAStatus:
    """Read the document's own word, held against its list of disks.

    One failed disk fails the job whatever the others do; a disk that is listed as unfinished outweighs a
    `completed`, which a worker that shares one id says after its first disk.
    """
    said = _said(fields)
    if said is VMAStatus.COMPLETED:
        _insist_on_no_failure(fields)
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


def _insist_on_no_failure(fields: Mapping[str, Any]) -> None:
    """See that a `completed` stands beside no phase and no error that means the opposite.

    Raises:
        Unintelligible: it does.

    """
    phase = fields.get("phase") or fields.get("stage")
    if PHASE_WORDS.get(plain(phase)) is VMAStatus.FAILED:
        raise Unintelligible(f"completed, in the phase {str(phase)[:40]!r}")
    if any(isinstance(entry, dict) and entry.get("recoverable") is False for entry in _error_entries(fields)):
        raise Unintelligible("completed, with an error that is not recoverable")


def _disks(fields: Mapping[str, Any]) -> tuple[DiskReport, ...]:
    lists = [fields.get(name) or () for name in ("disk_progresses", "disks")]
    if not all(isinstance(listed, list | tuple) for listed in lists):
        raise Unintelligible("the list of disks is not a list")
    return _one_each(_disk(_mapping(disk)) for listed in lists for disk in listed)


def _one_each(listed: Iterable[DiskReport]) -> tuple[DiskReport, ...]:
    """Take a disk that is listed twice once, by its worst entry; those without a name may all be the same."""
    worst: dict[str, DiskReport] = {}
    for disk in listed:
        known = worst.get(disk.disk_id)
        if known is None or _badness(disk) > _badness(known):
            worst[disk.disk_id] = disk
    return tuple(worst.values())


def _badness(disk: DiskReport) -> tuple[bool, bool]:
    return disk.status is VMAStatus.FAILED, not disk.is_finished


def _disk(fields: Mapping[str, Any]) -> DiskReport:
    word = fields.get("status")
    status = VMAStatus.RUNNING if word is None or word == "" else look_up(STATUS_WORDS, word, "disk status")
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


def _timing(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    timing = fields.get("timing")
    return timing if isinstance(timing, dict) else {}


def _least_percent(*sources: Mapping[str, Any]) -> float | None:
    """Read the document's progress; where builds say it twice, the lesser counts."""
    names = ("percentage", "progress_percent", "percent")
    said = [percent for source in sources for name in names if (percent := _percent(source.get(name))) is not None]
    return min(said, default=None)


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
    words = [word for word in map(_error_text, _error_entries(fields)) if word]
    return "; ".join(dict.fromkeys(words))[:MAX_TEXT] or None


def _error_entries(fields: Mapping[str, Any]) -> list[Any]:
    several = fields.get("errors")
    return [fields.get("last_error"), *(several if isinstance(several, list) else [])]


def _error_text(entry: object) -> str | None:
    if isinstance(entry, dict):
        return _text(entry.get("message")) or _text(entry.get("error_type"))
    return _text(entry)


def _describe(document: Document) -> str:
    percent = document.progress_percent
    return document.status.value if percent is None else f"{document.status.value} at {percent:.4g} %"
