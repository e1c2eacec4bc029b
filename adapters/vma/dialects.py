"""Reads every reply that a VMA, or the tunnel before it, may send, into one answer.

Nothing here raises. What cannot be read with certainty is `unintelligible`, with a bounded excerpt as evidence.
"""

from adapters.vma.documents import json_object, read_document
from adapters.vma.vocabulary import STATUSES, Unintelligible, is_not_found, normalized
from domain.vma_status import Answer, Document, VMAStatus

EXCERPT_BYTES = 512
MAX_NOT_FOUND = 2048
"""Bytes of a text that states "not found": the longest id has 800."""

OK, NOT_FOUND, TOO_MANY = 200, 404, 429

TUNNEL_ERRORS = frozenset({502, 503, 504})
"""The tunnel's answers for a VMA that it cannot reach; they tell nothing about the job."""

LOGIN_REFUSED = frozenset({401, 403, 407})


def read_reply(asked_id: str, http_status: int, body: bytes, latency_ms: float) -> Answer:
    """Return the answer that an HTTP reply to a request for `asked_id` gives."""
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
    """Return the status and detail of a reply that is not a document; None as the status if it may be one."""
    if http_status in TUNNEL_ERRORS:
        return VMAStatus.UNREACHABLE, f"HTTP {http_status} from the tunnel"
    if http_status in LOGIN_REFUSED:
        remedy = "check user and password in the VMA's address in the settings"
        return VMAStatus.NOT_ASKED, f"login refused (HTTP {http_status}): {remedy}"
    if http_status == TOO_MANY:
        return VMAStatus.UNANSWERED, f"too many requests (HTTP {http_status})"
    if http_status in {OK, NOT_FOUND} and _states_not_found(asked_id, body):
        return VMAStatus.NOT_FOUND, "job not found"
    if http_status != OK:
        return VMAStatus.UNINTELLIGIBLE, f"HTTP {http_status}, which is no answer about a job"
    return None, ""


def _states_not_found(asked_id: str, body: bytes) -> bool:
    """Return whether the VMA states that it does not know this id.

    Most builds send text, some of them with status 200; others send JSON with an `error`. A web server's "404 page not
    found" tells nothing about a job. A job that runs or is completed is known, whatever `error` its document has.
    """
    if not body.lstrip().startswith(b"{"):
        return len(body) <= MAX_NOT_FOUND and is_not_found(asked_id, body.decode("utf-8", errors="replace"))
    try:
        fields = json_object(body)
    except Unintelligible:
        return False
    error, about = fields.get("error"), fields.get("job_id", asked_id)
    if about != asked_id or not isinstance(error, str) or not is_not_found(asked_id, error):
        return False
    return STATUSES.get(normalized(fields.get("status"))) not in {VMAStatus.RUNNING, VMAStatus.COMPLETED}


def _describe(document: Document) -> str:
    percent = document.progress_percent
    return document.status.value if percent is None else f"{document.status.value} at {percent:.4g} %"
