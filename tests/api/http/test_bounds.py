"""Slow clients: one that does not send or does not read is disconnected, and one that does is served."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from api.http import connections
from api.http import limits as bounds
from api.http.connections import BoundedProtocol
from api.http.limits import BoundedBodies

LARGE = b"x" * 8_000_000


async def large_answer(_scope: Scope, receive: Receive, send: Send) -> None:
    """Send more than all buffers can store."""
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"8000000")]})
    await send({"type": "http.response.body", "body": LARGE})


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a state of the server that no event signals."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - it has no event for this
            await asyncio.sleep(0.01)


def live_stream() -> FastAPI:
    """Return an application with an endless event stream."""
    app = FastAPI()

    @app.get("/", response_class=EventSourceResponse)
    async def follow() -> AsyncIterator[ServerSentEvent]:
        while True:
            yield ServerSentEvent(data="x" * 100_000)

    return app


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[uvicorn.Server]:
    async with listening(BoundedBodies(app)) as running:
        yield running


@asynccontextmanager
async def listening(app: ASGIApp) -> AsyncIterator[uvicorn.Server]:
    config = uvicorn.Config(app, port=0, http=BoundedProtocol, lifespan="off", log_config=None, timeout_keep_alive=60)
    running = uvicorn.Server(config)
    task = asyncio.ensure_future(running.serve())
    await until(lambda: running.started)
    yield running
    running.should_exit = True
    await task


@pytest.fixture(autouse=True)
def quick_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "BODY_TIMEOUT", 0.3)
    monkeypatch.setattr(connections, "CHECK_INTERVAL", 0.05)


Shorten = Callable[[], None]


@pytest.fixture
def shorten(monkeypatch: pytest.MonkeyPatch) -> Shorten:
    """Return what makes the timeouts short. A test calls it when everything that they limit is there."""

    def shorten_them() -> None:
        for name in ("READ_TIMEOUT", "HEAD_TIMEOUT"):
            monkeypatch.setattr(connections, name, 0.3)

    return shorten_them


@pytest.fixture
async def server() -> AsyncIterator[uvicorn.Server]:
    async with serving(large_answer) as running:
        yield running


def connected(server: uvicorn.Server, buffer: int = 4096) -> socket.socket:
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    client.connect(server.servers[0].sockets[0].getsockname())
    client.setblocking(False)  # noqa: FBT003 - the socket's own form
    return client


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 3])
async def test_a_client_that_sends_or_reads_nothing_is_disconnected(
    server: uvicorn.Server, sent: bytes, shorten: Shorten
) -> None:
    clients = [connected(server) for _ in range(5)]
    await until(lambda: len(server.server_state.connections) == 5)
    for client in clients:
        client.send(sent)

    shorten()
    await until(lambda: not server.server_state.connections)

    for client in clients:
        client.close()


HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"


async def answered(client: socket.socket) -> None:
    client.send(HEAD + b"\r\n")
    assert (await asyncio.get_running_loop().sock_recv(client, 4096)).startswith(b"HTTP/1.1 200")


async def test_an_idle_connection_is_kept_longer_than_one_with_half_a_request(shorten: Shorten) -> None:
    async with serving(PlainTextResponse("small")) as server:
        idle, half = connected(server), connected(server)
        await answered(idle)
        await answered(half)

        half.send(HEAD)
        shorten()
        await until(lambda: len(server.server_state.connections) == 1)

        await answered(idle)
        idle.close()
        half.close()


async def test_an_idle_connection_is_closed_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "KEEP_ALIVE", 0.3)
    async with serving(PlainTextResponse("small")) as server:
        idle = connected(server)
        await answered(idle)

        await until(lambda: not server.server_state.connections)

        idle.close()


async def test_a_client_that_reads_no_live_stream_is_disconnected_silently(
    caplog: pytest.LogCaptureFixture, shorten: Shorten
) -> None:
    async with serving(live_stream()) as server:
        client = connected(server)
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await until(lambda: bool(server.server_state.tasks))

        shorten()
        await until(lambda: not server.server_state.tasks)

        client.close()
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_slow_reader_gets_the_whole_response(server: uvicorn.Server, monkeypatch: pytest.MonkeyPatch) -> None:
    loop, client = asyncio.get_running_loop(), connected(server, buffer=200_000)
    monkeypatch.setattr(connections, "READ_TIMEOUT", 1.5)
    client.send(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    received, began = 0, loop.time()
    with suppress(ConnectionResetError):
        while chunk := await loop.sock_recv(client, 400_000):
            received += len(chunk)
            await asyncio.sleep(0.1)
    client.close()

    assert received > len(LARGE)
    assert loop.time() - began > connections.READ_TIMEOUT


async def test_a_body_that_does_not_arrive_gets_408(server: uvicorn.Server) -> None:
    loop, client = asyncio.get_running_loop(), connected(server)
    client.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab")

    answer = await loop.sock_recv(client, 4096)
    client.close()

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in answer.lower()
    await until(lambda: not server.server_state.connections)
