"""A VMA behind TLS that cannot be trusted says nothing: not by its answers, and not to a job's harm."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable

import pytest
import trustme

from domain.vma_status import VMAStatus
from tests.probing import JOB, asking

LIE = b'{"job_id":"migration-vol-disk-1","status":"completed","percentage":100.0}'
REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(LIE) + LIE


def signed_by_nobody() -> ssl.SSLContext:
    """Show a certificate of an authority that nobody knows."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("localhost", "127.0.0.1").configure_cert(context)
    return context


def no_tls_at_all() -> None:
    """Speak plain HTTP."""


@pytest.fixture(params=[signed_by_nobody, no_tls_at_all])
async def url(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    context: Callable[[], ssl.SSLContext | None] = request.param

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read(1024)
            writer.write(REPLY)
            await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context()) as server:
        yield f"https://localhost:{server.sockets[0].getsockname()[1]}"


async def test_what_cannot_be_trusted_is_unreachable_and_its_word_is_not_heard(url: str) -> None:
    async with asking(url) as client:
        seen = await client.probe(JOB)

    assert seen.status is VMAStatus.UNREACHABLE
    assert "SSL" in seen.summary()
