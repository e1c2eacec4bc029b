"""One request to a real server: its reply by HTTP status and length, and how long it took."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from aiohttp import web

from adapters.simulated_vma import HeldPort
from adapters.vma.address import VMAAddress
from adapters.vma.reply import Reply
from adapters.vma.requests import MAX_BODY, Requests
from adapters.vma.transport import http_transport, name_server_limit, read_bounded
from adapters.vma.trust import authorities
from domain.vma_status import VMAStatus
from tests.support.clock import FakeClock
from tests.support.probing import answering

RUNNING = '{"job_id": "job-1", "status": "in_progress", "percentage": 41.5}'
Answer = Callable[[web.Request], Awaitable[web.Response]]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def transport() -> AsyncIterator[httpx.AsyncBaseTransport]:
    async with http_transport(authorities(None), 10.0) as opened:
        yield opened


@asynccontextmanager
async def vma(clock: FakeClock, **response: Any) -> AsyncIterator[tuple[str, list[web.Request]]]:
    """Run a VMA that gives one response, in a little more than twenty seconds; yield its address and its requests."""
    requests: list[web.Request] = []

    async def answer(request: web.Request) -> web.Response:
        requests.append(request)
        clock.advance(20.00012)
        return web.Response(**response)

    async with answering(answer) as url:
        yield url, requests


async def reply(
    transport: httpx.AsyncBaseTransport, clock: FakeClock, *, with_body: bool = True, **response: Any
) -> Reply:
    async with vma(clock, **response) as (url, _):
        address = VMAAddress(url)
        sends = Requests(transport, clock)
        return await sends.get("dc2", address, address.of("progress", "job-1"), "job-1", with_body=with_body)


async def test_a_proxy_of_the_environment_gets_no_request_to_a_vma(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens where the proxy would be."""
    for name in ("http_proxy", "all_proxy", "no_proxy"):
        monkeypatch.setenv(name, "" if name == "no_proxy" else "http://127.0.0.1:1")

    async with http_transport(authorities(None), 10.0) as transport:
        found = await reply(transport, clock, text=RUNNING)

    assert found.answer.status is VMAStatus.RUNNING


async def test_a_document_is_read_with_its_latency_in_milliseconds(
    transport: httpx.AsyncBaseTransport, clock: FakeClock
) -> None:
    found = await reply(transport, clock, text=RUNNING)

    assert (found.answer.status, found.answer.asked_id, found.answer.http_status) == (VMAStatus.RUNNING, "job-1", 200)
    assert (found.answer.latency_ms, found.retry_after) == (20_000.1, None)
    assert (found.is_sign_of_life, found.is_too_many) == (True, False)


async def test_of_a_request_without_a_body_only_the_status_is_read(
    transport: httpx.AsyncBaseTransport, clock: FakeClock
) -> None:
    found = await reply(transport, clock, with_body=False, text=RUNNING)

    assert (found.answer.http_status, found.answer.document, found.answer.excerpt or "") == (200, None, "")
    assert found.is_sign_of_life


@pytest.mark.parametrize("status", [401, 403, 407])
async def test_a_refused_login_was_not_asked_and_is_evidence(
    transport: httpx.AsyncBaseTransport, clock: FakeClock, status: int
) -> None:
    found = await reply(transport, clock, status=status, text=RUNNING)

    assert (found.answer.status, found.answer.http_status) == (VMAStatus.NOT_ASKED, status)
    assert (found.answer.document, found.answer.latency_ms) == (None, 20_000.1)
    assert (found.answer.detail or "").startswith(f"VMA dc2: login refused (HTTP {status})")
    assert found.is_sign_of_life is (status != 407)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "30"}, 30.0),
        ({"Retry-After": "Thu, 01 Jan 2026 12:01:00 GMT", "Date": "Thu, 01 Jan 2026 12:00:00 GMT"}, 60.0),
    ],
)
async def test_a_429_is_unanswered_with_the_pause_that_it_asks_for(
    transport: httpx.AsyncBaseTransport, clock: FakeClock, headers: dict[str, str], seconds: float | None
) -> None:
    found = await reply(transport, clock, status=429, headers=headers, text="x" * (MAX_BODY + 1))

    assert (found.answer.status, found.answer.document) == (VMAStatus.UNANSWERED, None)
    assert (found.retry_after, found.is_too_many, found.is_sign_of_life) == (seconds, True, True)


@pytest.mark.parametrize(("size", "status"), [(64_000, VMAStatus.RUNNING), (64_001, VMAStatus.UNINTELLIGIBLE)])
async def test_a_reply_of_the_longest_length_is_read_and_one_byte_more_is_unintelligible(
    transport: httpx.AsyncBaseTransport, clock: FakeClock, size: int, status: VMAStatus
) -> None:
    found = await reply(transport, clock, text=RUNNING.ljust(size))

    assert (found.answer.status, found.answer.http_status) == (status, 200)
    assert (found.answer.document is None) is (status is not VMAStatus.RUNNING)
    if found.answer.document is None:
        assert found.answer.detail == f"more than {MAX_BODY} bytes of body"


async def test_an_error_of_the_vma_is_no_pause(transport: httpx.AsyncBaseTransport, clock: FakeClock) -> None:
    found = await reply(transport, clock, status=500, headers={"Retry-After": "30"}, text=RUNNING)

    assert (found.answer.status, found.retry_after, found.is_too_many) == (VMAStatus.UNINTELLIGIBLE, None, False)


async def test_a_server_that_is_not_there_is_unreachable_and_an_address_that_is_none_was_not_sent(
    transport: httpx.AsyncBaseTransport, clock: FakeClock
) -> None:
    with HeldPort() as unused:
        gone = VMAAddress(f"http://127.0.0.1:{unused.number}")
        found = await Requests(transport, clock).get("dc2", gone, gone.health, "health")

    assert (found.answer.status, found.answer.http_status, found.is_sign_of_life) == (
        VMAStatus.UNREACHABLE, None, False
    )  # fmt: skip
    assert found.answer.latency_ms == 0.0
    assert (found.answer.detail or "").startswith("ConnectionRefusedError: Cannot connect to host 127.0.0.1")


async def test_a_connection_that_is_closed_without_a_reply_is_no_connection_that_timed_out(
    transport: httpx.AsyncBaseTransport, clock: FakeClock
) -> None:
    async with asyncio.timeout(10), await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        closing = VMAAddress("http://127.0.0.1:{1}".format(*server.sockets[0].getsockname()))
        found = await Requests(transport, clock).get("dc2", closing, closing.health, "health")

    assert (found.answer.status, found.answer.detail) == (
        VMAStatus.UNREACHABLE, "ServerDisconnectedError: Server disconnected"
    )  # fmt: skip


async def hang_up(request: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
    await request.readuntil(b"\r\n\r\n")
    client.close()


async def test_no_redirect_is_followed_no_cookie_returned_and_nothing_is_compressed(
    transport: httpx.AsyncBaseTransport, clock: FakeClock
) -> None:
    headers = {"Location": "/elsewhere", "Set-Cookie": "session=1; Path=/"}
    async with vma(clock, status=302, headers=headers) as (url, requests):
        by_name = VMAAddress(url.replace("127.0.0.1", "localhost"))
        for _ in range(2):
            found = await Requests(transport, clock).get("dc2", by_name, by_name.health, "health")
            assert found.answer.http_status == 302

    assert [request.path for request in requests] == ["/api/v1/health"] * 2
    assert all("Cookie" not in request.headers for request in requests)
    assert {request.headers["Accept-Encoding"] for request in requests} == {"identity"}


async def test_the_login_is_sent_to_the_vma_whose_it_is_and_to_no_other(
    transport: httpx.AsyncBaseTransport, clock: FakeClock
) -> None:
    async with vma(clock, text=RUNNING) as (url, requests):
        with_login = VMAAddress(url.replace("//", "//oma:geheim%3A%C3%BC@"))
        for address in (with_login, VMAAddress(url), with_login):
            await Requests(transport, clock).get("dc2", address, address.health, "health")

    login = f"Basic {b64encode('oma:geheim:ü'.encode()).decode()}"
    assert [request.headers.get("Authorization") for request in requests] == [login, None, login]
    assert {request.headers["Host"] for request in requests} == {httpx.URL(url).netloc.decode()}


async def test_a_request_does_not_wait_for_another_ones_connection(transport: httpx.AsyncBaseTransport) -> None:
    both = asyncio.Barrier(2)

    async def answer(_request: web.Request) -> web.Response:
        async with asyncio.timeout(10), both:
            return web.Response()

    async with answering(answer) as url:
        replies = await asyncio.gather(*(transport.handle_async_request(httpx.Request("GET", url)) for _ in range(2)))

    assert [one.status_code for one in replies] == [200, 200]


@pytest.mark.parametrize(("size", "is_read"), [(0, True), (3000, True), (3001, False), (100_000, False)])
async def test_a_body_is_read_up_to_its_limit(transport: httpx.AsyncBaseTransport, size: int, *, is_read: bool) -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=b"x" * size)

    async with answering(answer) as url:
        response = await transport.handle_async_request(httpx.Request("GET", url))
        assert await read_bounded(response, 3000) == (b"x" * size if is_read else None)


def test_a_name_server_is_given_up_before_the_request_is() -> None:
    assert [name_server_limit(timeout) for timeout in (1.0, 5.0, 10.0)] == [0.8, 4.0, 8.0]
