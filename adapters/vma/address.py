"""The address of one VMA, with user and password, which are sent but never shown."""

import base64
import html
import re
from urllib.parse import quote

import httpx
import msgspec

from adapters.plain_text import MASK, redacted
from adapters.vma.causes import causes_of
from adapters.vma.dialects import EXCERPT_BYTES, read_reply
from domain.vma_status import Answer

MIN_SECRET = 6
"""Characters of a password that is masked in answers; a shorter one is part of any text."""

MAX_ERROR = 200
"""Characters of an error's description."""

HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "job-recovery"}
"""Of every request. A body is read as it was sent."""


class VMAAddress:
    """The address of a VMA, and the headers of a request to it."""

    def __init__(self, url: str) -> None:
        """`url` is the VMA's base address; its user and password are sent in a header only."""
        parsed = httpx.URL(url)
        self.headers = {**HEADERS, **_login(parsed)}
        self.host = parsed.host
        self.base = str(parsed.copy_with(userinfo=b"")).rstrip("/")
        self.health = f"{self.base}/api/v1/health"
        self._secrets = _secrets(parsed.username, parsed.password) if parsed.userinfo else None

    def of(self, endpoint: str, asked_id: str) -> str:
        """Return the address of a request."""
        return f"{self.base}/api/v1/{endpoint}/{quote(asked_id, safe='')}"

    def read(self, asked_id: str, http_status: int, body: bytes, latency_ms: float) -> Answer:
        """Return the answer that a reply gives, with secrets masked: texts of a VMA become events, which are permanent.

        The status and the figures are read from the unmasked reply, because a password may be a part of any reply.
        """
        answer = read_reply(asked_id, http_status, body, latency_ms)
        masked = self._masked(body)
        if masked != body:
            shown = read_reply(asked_id, http_status, masked, latency_ms)
            answer = shown if _figures(shown) == _figures(answer) else self._without_text(answer, masked)
        return _redacted(answer)

    def describe(self, error: Exception) -> str:
        """Return an error in one line, with secrets masked: it may quote a garbled reply.

        It has the name of its first cause: the transport calls every failed connection a `ConnectTimeout`.
        """
        text = self._masked(f"{type(causes_of(error)[0]).__name__}: {error}".encode("utf-8", "replace"))
        return redacted(text.decode("utf-8", "replace"))[:MAX_ERROR].removesuffix(": ")

    def _without_text(self, answer: Answer, masked: bytes) -> Answer:
        """Return an answer with none of the reply's text but the masked."""
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


def _login(address: httpx.URL) -> dict[str, str]:
    """Return the header with user and password; none without them."""
    if not address.userinfo:
        return {}
    return {"Authorization": f"Basic {_basic(address.username, address.password)}"}


def _basic(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def _secrets(user: str, password: str) -> re.Pattern[bytes]:
    """Return a pattern of a password and of the header with it, plain or escaped."""
    basic = _basic(user, password)
    secrets = [secret for secret in (basic, password) if secret is basic or len(secret) >= MIN_SECRET]
    forms = [form for secret in secrets for form in (re.escape(secret), "".join(map(_escaped, secret)))]
    # Most of a reply is skipped by the first character.
    begins = "".join(re.escape(secret[0]) for secret in secrets)
    return re.compile(rf"(?=[\\%&{begins}])(?:{'|'.join(forms)})".encode())


def _escaped(character: str) -> str:
    """Return a pattern of one character as it is written in JSON, a URL and HTML.

    Counts are bounded and the group is atomic, so that no reply takes long.
    """
    units = character.encode("utf-16-be").hex()
    in_json = "".join(rf"\\{{1,4}}u{units[n : n + 4]}" for n in range(0, len(units), 4))
    in_url = "".join(f"%{byte:02x}" for byte in character.encode())
    in_html = f"&#(?:0{{0,6}}{ord(character)}|x0{{0,6}}{ord(character):x});"
    plain, named = re.escape(character), re.escape(html.escape(character))
    return rf"(?>(?i:{in_json}|{in_url}|{in_html})|\\{plain}|{named}|{plain})"


def _redacted(answer: Answer) -> Answer:
    """Return an answer whose detail and excerpt are redacted; the texts of its document already are."""
    return msgspec.structs.replace(answer, detail=_text(answer.detail), excerpt=_text(answer.excerpt))


def _text(text: str | None) -> str | None:
    return None if text is None else redacted(text)


def _figures(answer: Answer) -> object:
    """Return the parts of an answer that decisions are made from."""
    document = answer.document
    if document is None:
        return answer.status
    disks = [(disk.status, disk.progress_percent) for disk in document.disks]
    return answer.status, document.progress_percent, document.bytes_transferred, document.total_bytes, disks
