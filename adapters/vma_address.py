"""The address of one VMA, which may hold a user and a password: what of it is sent, and what is never shown."""

import base64
from urllib.parse import quote

import httpx
import msgspec

from adapters.vma_dialects import EXCERPT_BYTES, read_reply
from domain.plain_text import MASK, redacted
from domain.vma_status import Answer

LEAST_SECRET = 6
"""Characters of a password that can be looked for in an answer; a shorter one is part of any text."""


class VMAAddress:
    """Where a VMA is, and how one logs in there."""

    def __init__(self, url: str) -> None:
        """`url` is the VMA's base address; user and password go into a header, and into nothing else."""
        known = httpx.URL(url)
        self.login = httpx.BasicAuth(known.username, known.password) if known.userinfo else None
        self._base = str(known.copy_with(userinfo=b"")).rstrip("/")
        self._secrets = _forms_of(known.username, known.password)

    def of(self, endpoint: str, asked_id: str) -> str:
        """Return the address of a question."""
        return f"{self._base}/api/v1/{endpoint}/{quote(asked_id, safe='')}"

    def read(self, asked_id: str, http_status: int, body: bytes, latency_ms: float) -> Answer:
        """Read a reply. What it tells of secrets is masked, for a VMA's words become events, and are kept for ever.

        What it means is read from the reply as it came: a password may well be a word that stands in every reply.
        """
        answer = read_reply(asked_id, http_status, body, latency_ms)
        masked = self._masked(body)
        if masked == body:
            return answer
        shown = read_reply(asked_id, http_status, masked, latency_ms)
        return shown if _figures(shown) == _figures(answer) else _without_words(answer, masked)

    def _masked(self, body: bytes) -> bytes:
        for secret in self._secrets:
            body = body.replace(secret, MASK.encode())
        # What is no UTF-8 stays as it is, and unintelligible.
        return redacted(body.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def _forms_of(user: str, password: str) -> list[bytes]:
    """Return the forms in which a password goes over the wire."""
    if len(password) < LEAST_SECRET:
        return []
    basic = base64.b64encode(f"{user}:{password}".encode())
    return [password.encode(), quote(password).encode(), basic]


def _figures(answer: Answer) -> object:
    """Return what of an answer decides anything."""
    document = answer.document
    if document is None:
        return answer.status
    disks = [(disk.status, disk.progress_percent) for disk in document.disks]
    return answer.status, document.progress_percent, document.bytes_transferred, document.total_bytes, disks


def _without_words(answer: Answer, masked: bytes) -> Answer:
    """Return an answer without any text of the reply but what is masked."""
    document = answer.document
    if document is not None:
        disks = tuple(msgspec.structs.replace(disk, disk_id="") for disk in document.disks)
        document = msgspec.structs.replace(document, phase=None, error=None, disks=disks)
    excerpt = masked[:EXCERPT_BYTES].decode("utf-8", errors="replace")
    return msgspec.structs.replace(answer, detail=answer.status.value, excerpt=excerpt, document=document)
