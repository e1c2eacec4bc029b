"""The HTTP client that the VMAs are asked with."""

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
    """Return a client that takes nothing from the environment, keeps no cookie and follows no redirect.

    It has no time limit of its own, for whoever asks has one. `timeout` (seconds) is how long a name server may take.
    """
    return httpx.AsyncClient(
        transport=AiohttpTransport(verify=trusted, trust_env=False, client=_session(trusted, timeout)),
        trust_env=False,
        follow_redirects=False,
        timeout=None,  # noqa: S113 - whoever asks limits the time, in a way that knows of our own stops
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        headers={"Accept": "application/json", "Accept-Encoding": "identity"},
    )


def _session(trusted: ssl.SSLContext, timeout: float) -> Callable[[], aiohttp.ClientSession]:
    def session() -> aiohttp.ClientSession:
        # No limit of connections: each VMA's questions are limited, and one VMA's must not wait for another's.
        # A name server that is slower than a question may be makes it one that could not be put.
        connector = aiohttp.TCPConnector(
            ssl=trusted, limit=0, keepalive_timeout=KEEP_ALIVE, resolver=Resolver(0.8 * timeout)
        )
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

    return session


async def read_bounded(response: httpx.Response, most: int) -> bytes | None:
    """Return the body as it was sent; None if it has more than `most` bytes."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.aiter_raw():
        size += len(chunk)
        if size > most:
            return None
        chunks.append(chunk)
    return b"".join(chunks)
