"""The address of one VMA, which may hold a user and a password: what of it is sent, and what is never shown."""

import base64
import html
import re
from urllib.parse import quote

import httpx
import msgspec

from adapters.plain_text import MASK, redacted
from adapters.vma.dialects import EXCERPT_BYTES, read_reply
from domain.vma_status import Answer

LEAST_SECRET = 6
"""Characters of a password that can be looked for in an answer; a shorter one is part of any text."""


MOST_WORDS = 200


class VMAAddress:
    """Where a VMA is, and how one logs in there."""

    def __init__(self, url: str) -> None:
        """`url` is the VMA's base address; user and password go into a header, and into nothing else."""
        known = httpx.URL(url)
        self.login = httpx.BasicAuth(known.username, known.password) if known.userinfo else None
        self.host = known.host
        self.base = str(known.copy_with(userinfo=b"")).rstrip("/")
        self.health = f"{self.base}/api/v1/health"
        self._secrets = _secrets(known.username, known.password) if known.userinfo else None

    def of(self, endpoint: str, asked_id: str) -> str:
        """Return the address of a question."""
        return f"{self.base}/api/v1/{endpoint}/{quote(asked_id, safe='')}"

    def read(self, asked_id: str, http_status: int, body: bytes, latency_ms: float) -> Answer:
        """Read a reply. What it tells of secrets is masked, for a VMA's words become events, and are kept for ever.

        What it means is read from the reply as it came: a password may well be a word that stands in every reply.
        """
        answer = read_reply(asked_id, http_status, body, latency_ms)
        masked = self._masked(body)
        if masked != body:
            shown = read_reply(asked_id, http_status, masked, latency_ms)
            answer = shown if _figures(shown) == _figures(answer) else self._without_words(answer, masked)
        return _redacted(answer)

    def in_words(self, error: Exception) -> str:
        """Say what went wrong on the way, in one line; a garbled reply may be quoted in it."""
        said = self._masked(f"{type(error).__name__}: {error}".encode("utf-8", "replace"))
        return redacted(said.decode("utf-8", "replace"))[:MOST_WORDS].removesuffix(": ")

    def _without_words(self, answer: Answer, masked: bytes) -> Answer:
        """Return an answer without any text of the reply but what is masked."""
        document = answer.document
        if document is not None:
            document = msgspec.structs.replace(
                document,
                phase=None,
                error=None,
                started=self._masked_text(document.started),
                sync_type=self._masked_text(document.sync_type),
                disks=tuple(msgspec.structs.replace(disk, disk_id="") for disk in document.disks),
            )
        excerpt = masked[:EXCERPT_BYTES].decode("utf-8", errors="replace")
        return msgspec.structs.replace(answer, detail=answer.status.value, excerpt=excerpt, document=document)

    def _masked_text(self, text: str | None) -> str | None:
        return None if text is None else self._masked(text.encode()).decode("utf-8", errors="replace")

    def _masked(self, body: bytes) -> bytes:
        return body if self._secrets is None else self._secrets.sub(MASK.encode(), body)


def _secrets(user: str, password: str) -> re.Pattern[bytes]:
    """Return what finds a password and the header with it, as they are or escaped, in a VMA's words."""
    basic = base64.b64encode(f"{user}:{password}".encode()).decode()
    secrets = [secret for secret in (basic, password) if secret is basic or len(secret) >= LEAST_SECRET]
    forms = [form for secret in secrets for form in (re.escape(secret), "".join(map(_escaped, secret)))]
    # Most of a reply is passed over by its first character.
    begins = "".join(re.escape(secret[0]) for secret in secrets)
    return re.compile(rf"(?=[\\%&{begins}])(?:{'|'.join(forms)})".encode())


def _escaped(character: str) -> str:
    """Return a pattern of one character as JSON, a URL and HTML write it.

    Counts are bounded and what was matched is not tried again, so that no reply takes long.
    """
    units = character.encode("utf-16-be").hex()
    in_json = "".join(rf"\\{{1,4}}u{units[n : n + 4]}" for n in range(0, len(units), 4))
    in_url = "".join(f"%{byte:02x}" for byte in character.encode())
    in_html = f"&#(?:0{{0,6}}{ord(character)}|x0{{0,6}}{ord(character):x});"
    plain, named = re.escape(character), re.escape(html.escape(character))
    return rf"(?>(?i:{in_json}|{in_url}|{in_html})|\\{plain}|{named}|{plain})"


def _redacted(answer: Answer) -> Answer:
    """Take out of an answer's own texts what is known to be secret by its form; its document's were read without."""
    return msgspec.structs.replace(answer, detail=_text(answer.detail), excerpt=_text(answer.excerpt))


def _text(text: str | None) -> str | None:
    return None if text is None else redacted(text)


def _figures(answer: Answer) -> object:
    """Return what of an answer decides anything."""
    document = answer.document
    if document is None:
        return answer.status
    disks = [(disk.status, disk.progress_percent) for disk in document.disks]
    return answer.status, document.progress_percent, document.bytes_transferred, document.total_bytes, disks
