"""The HTTP client for all VMAs."""

import ssl
from collections.abc import Callable
from http.cookiejar import CookieJar, DefaultCookiePolicy

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from adapters.vma.resolver import Resolver

KEEP_ALIVE = 15.0
"""Seconds for which a connection without requests stays open."""


def http_client(trusted: ssl.SSLContext, timeout: float) -> httpx.AsyncClient:
    """Return a client that ignores the environment, stores no cookie and follows no redirect.

    It has no time limit of its own, because each caller has one. `timeout` is that limit, in seconds.
    """
    return httpx.AsyncClient(
        transport=AiohttpTransport(verify=trusted, trust_env=False, client=_session(trusted, timeout)),
        trust_env=False,
        follow_redirects=False,
        timeout=None,  # noqa: S113 - the caller limits the time, without the time in which this process was stopped
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        headers={"Accept": "application/json", "Accept-Encoding": "identity"},
    )


def _session(trusted: ssl.SSLContext, timeout: float) -> Callable[[], aiohttp.ClientSession]:
    def session() -> aiohttp.ClientSession:
        # No limit of connections: requests are limited per VMA, and those of one VMA must not wait for another's.
        # The name server's limit ends first: a request without an address was not sent, which is no sign of the VMA.
        connector = aiohttp.TCPConnector(
            ssl=trusted, limit=0, keepalive_timeout=KEEP_ALIVE, resolver=Resolver(0.8 * timeout)
        )
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

    return session


async def read_bounded(response: httpx.Response, limit: int) -> bytes | None:
    """Return the body as it was sent; None if it has more than `limit` bytes."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.aiter_raw():
        size += len(chunk)
        if size > limit:
            return None
        chunks.append(chunk)
    return b"".join(chunks)
