"""The HTTP transport for all VMAs."""

import ssl
from collections.abc import Callable

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from adapters.vma.resolver import Resolver

KEEP_ALIVE = 15.0
"""Seconds for which a connection without requests stays open."""


def http_transport(trusted: ssl.SSLContext, timeout: float) -> httpx.AsyncBaseTransport:
    """Return a transport that ignores the environment, stores no cookie and follows no redirect.

    It has no time limit of its own, because each caller has one, which does not count the time in which this process
    was stopped. `timeout` is that limit, in seconds.

    An `httpx.AsyncClient` before it would take as long as the request itself: it merges addresses, headers, cookies and
    logins that are the same for every request to a VMA.
    """
    return AiohttpTransport(verify=trusted, trust_env=False, client=_session(trusted, timeout))


def _session(trusted: ssl.SSLContext, timeout: float) -> Callable[[], aiohttp.ClientSession]:
    def session() -> aiohttp.ClientSession:
        # No limit of connections: requests are limited per VMA, and those of one VMA must not wait for another's.
        resolver = Resolver(name_server_limit(timeout))
        connector = aiohttp.TCPConnector(ssl=trusted, limit=0, keepalive_timeout=KEEP_ALIVE, resolver=resolver)
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

    return session


def name_server_limit(timeout: float) -> float:
    """Return for how long a name server is waited for, in seconds, if a request has `timeout`.

    It ends first: a request without an address was not sent, which is no sign of the VMA.
    """
    return 0.8 * timeout


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
