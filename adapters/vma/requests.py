"""Sends one HTTP request to a VMA, and reads the reply."""

from contextlib import aclosing
from functools import lru_cache

import aiohttp
import httpx
import msgspec

from adapters.vma.address import VMAAddress
from adapters.vma.dialects import LOGIN_REFUSED, TOO_MANY
from adapters.vma.reply import Reply, failed, not_asked
from adapters.vma.retry_after import seconds_to_wait
from adapters.vma.send_failures import login_refused, send_failure
from adapters.vma.transport import read_bounded
from domain.ports import Clock
from domain.vma_status import Answer, VMAStatus

MAX_BODY = 64_000
"""Bytes of a reply that are read: twice those of a document of 64 disks with the longest names."""

PREPARED = 5_000
"""Requests that are kept for the next poll, of 2.5 kB each. Preparing one again is a twentieth of a poll's CPU."""


class Requests:
    """Sends requests, each of which ends in a reply. They have no time limit of their own."""

    def __init__(self, transport: httpx.AsyncBaseTransport, clock: Clock) -> None:
        """`clock` measures the requests."""
        self.transport = transport
        self._clock = clock
        self._prepared = lru_cache(PREPARED)(_prepare)

    async def get(self, vma: str, address: VMAAddress, url: str, asked_id: str, *, with_body: bool = True) -> Reply:
        """Return the reply to a request for `asked_id`; without its body, only the HTTP status is read."""
        began = self._clock.monotonic()
        try:
            response = await self.transport.handle_async_request(self._prepared(address, url))
            async with aclosing(response):
                body = await read_bounded(response, MAX_BODY) if with_body else b""
        except (httpx.HTTPError, aiohttp.ClientError, httpx.InvalidURL, ValueError) as error:
            # The transport does not translate aiohttp's errors for malformed HTTP.
            not_sent = send_failure(vma, address, error)
            if not_sent is not None:
                return Reply(not_asked(asked_id, not_sent))
            return Reply(failed(asked_id, self._since(began), address.describe(error)))
        answer = address.read(asked_id, response.status_code, body or b"", self._since(began))
        return self._by_http(vma, answer, response, is_too_long=body is None)

    def _by_http(self, vma: str, answer: Answer, response: httpx.Response, *, is_too_long: bool) -> Reply:
        """Return the reply with the status that its HTTP status or length gives, or else that of the answer."""
        if response.status_code in LOGIN_REFUSED:
            return Reply(_as(answer, VMAStatus.NOT_ASKED, login_refused(vma, response.status_code)))
        if response.status_code == TOO_MANY:
            headers = response.headers
            seconds = seconds_to_wait(headers.get("Retry-After"), headers.get("Date"), self._clock.now())
            return Reply(_as(answer, VMAStatus.UNANSWERED, "the VMA asked to be left alone (HTTP 429)"), seconds)
        if is_too_long:
            return Reply(_as(answer, VMAStatus.UNINTELLIGIBLE, f"more than {MAX_BODY} bytes of body"))
        return Reply(answer)

    def _since(self, began: float) -> float:
        return round((self._clock.monotonic() - began) * 1000, 1)


def _prepare(address: VMAAddress, url: str) -> httpx.Request:
    return httpx.Request("GET", url, headers=address.headers)


def _as(answer: Answer, status: VMAStatus, detail: str) -> Answer:
    """Return an answer with another status; the HTTP reply stays in it as evidence."""
    return msgspec.structs.replace(answer, status=status, detail=detail, document=None)
