"""Return one answer for everything that a VMA, or the tunnel before it, may send.

Nothing in here raises. What cannot be read with certainty is `unintelligible`, with a bounded excerpt as evidence.
"""

from adapters.vma.documents import json_object, read_document
from adapters.vma.words import STATUS_WORDS, Unintelligible, is_not_found, plain
from domain.vma_status import Answer, Document, VMAStatus

EXCERPT_BYTES = 512
MOST_WORDS = 2048
"""Bytes of a text that may say "not found": the longest id has 800."""

OK, NOT_FOUND, TOO_MANY = 200, 404, 429

TUNNEL_ERRORS = frozenset({502, 503, 504})
"""The tunnel's answers for a VMA that is not there; not a word about the job."""

LOGIN_REFUSED = frozenset({401, 403, 407})


def read_reply(asked_id: str, http_status: int, body: bytes, latency_ms: float) -> Answer:
    """Read one HTTP reply to the question for `asked_id`."""
    document: Document | None = None
    try:
        status, detail = _without_document(asked_id, http_status, body)
        if status is None:
            document = read_document(asked_id, body)
            status, detail = document.status, _describe(document)
    except Unintelligible as reason:
        status, detail = VMAStatus.UNINTELLIGIBLE, str(reason)
    return Answer(
        asked_id=asked_id,
        status=status,
        http_status=http_status,
        latency_ms=latency_ms,
        detail=detail,
        excerpt=body[:EXCERPT_BYTES].decode("utf-8", errors="replace"),
        document=document,
    )


def _without_document(asked_id: str, http_status: int, body: bytes) -> tuple[VMAStatus | None, str]:
    """Return what a reply says that is no document, with a detail; no status if it may be one."""
    if http_status in TUNNEL_ERRORS:
        return VMAStatus.UNREACHABLE, f"HTTP {http_status} from the tunnel"
    if http_status in LOGIN_REFUSED:
        remedy = "check user and password in the VMA's address in the settings"
        return VMAStatus.NOT_ASKED, f"login refused (HTTP {http_status}): {remedy}"
    if http_status == TOO_MANY:
        return VMAStatus.UNANSWERED, f"too many requests (HTTP {http_status})"
    if http_status in {OK, NOT_FOUND} and _says_not_found(asked_id, body):
        return VMAStatus.NOT_FOUND, "job not found"
    if http_status != OK:
        return VMAStatus.UNINTELLIGIBLE, f"HTTP {http_status}, which is no answer about a job"
    return None, ""


def _says_not_found(asked_id: str, body: bytes) -> bool:
    """Text on most builds, with status 200 on some; JSON with an `error` on others.

    Only the VMA's own words about the id that was asked for count: a web server's "404 page not found" says nothing
    about a job, and a job that runs or is completed is known, whatever else its document holds.
    """
    if not body.lstrip().startswith(b"{"):
        return len(body) <= MOST_WORDS and is_not_found(asked_id, body.decode("utf-8", errors="replace"))
    try:
        fields = json_object(body)
    except Unintelligible:
        return False
    error, about = fields.get("error"), fields.get("job_id", asked_id)
    if about != asked_id or not isinstance(error, str) or not is_not_found(asked_id, error):
        return False
    return STATUS_WORDS.get(plain(fields.get("status"))) not in {VMAStatus.RUNNING, VMAStatus.COMPLETED}


def _describe(document: Document) -> str:
    percent = document.progress_percent
    return document.status.value if percent is None else f"{document.status.value} at {percent:.4g} %"
