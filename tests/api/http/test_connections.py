"""At the maximum of connections, a new client can connect, and health checks are answered."""

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from api.http import connections
from api.http import limits as bounds
from api.http.connections import BoundedProtocol
from tests.api.http import test_bounds
from tests.api.http.test_bounds import large_answer, listening, serving, until

MAX = 5
GET = b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n"
UNPAUSED = 60_000
"""Bytes that a transport buffers without pausing the application."""
BEGUN = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nab"


class BlockedApp:
    """An application that responds to /held only after `released`, and to other paths at once."""

    def __init__(self) -> None:
        self.released = asyncio.Event()
        self.in_progress = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/large":
            await large_answer(scope, receive, send)
            return
        if scope["path"] == "/held":
            self.in_progress += 1
            await self.released.wait()
        body = b"x" * UNPAUSED if scope["path"] == "/unpaused" else b"ok"
        headers = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


async def refuse(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Refuse a request without reading its body."""
    await send({"type": "http.response.start", "status": 401, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body"})


@pytest.fixture(autouse=True)
def low_maximum(monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow few connections, with timeouts that no test reaches."""
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", MAX)
    for name in ("READ_TIMEOUT", "HEAD_TIMEOUT"):
        monkeypatch.setattr(connections, name, 60)


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> BlockedApp:
    monkeypatch.setitem(bounds.AT_ONCE, bounds.Kind.READ, 3)
    monkeypatch.setattr(bounds, "MAX_WAITING", 2)
    return BlockedApp()


@pytest.fixture
async def server(app: BlockedApp) -> AsyncIterator[uvicorn.Server]:
    async with serving(app) as running:
        yield running
        app.released.set()
        # The server ends after its clients have disconnected.
        while CLIENTS:
            CLIENTS.pop().close()


CLIENTS: list[socket.socket] = []


def connected(server: uvicorn.Server) -> socket.socket:
    CLIENTS.append(test_bounds.connected(server))
    return CLIENTS[-1]


async def exchange(client: socket.socket, sends: bytes = b"") -> bytes:
    """Send bytes; return the response, which is empty if the connection is closed."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(10):
        try:
            await loop.sock_sendall(client, sends)
            return await loop.sock_recv(client, 65536)
        except (ConnectionResetError, BrokenPipeError):
            return b""


async def opened(server: uvicorn.Server, sends: bytes, clients: int = MAX) -> list[socket.socket]:
    """Open connections one after the other, and send the same bytes on each."""
    found = []
    for _ in range(clients):
        before = server.server_state.connections.copy()
        found.append(connected(server))
        await until(lambda before=before: bool(server.server_state.connections - before))  # type: ignore[misc]
        await asyncio.get_running_loop().sock_sendall(found[-1], sends)
    return found


@pytest.mark.parametrize("sends", [b"", b"GET / HTTP/1.1\r\nHost: localhost\r\n", BEGUN])
async def test_a_new_client_can_connect_while_silent_clients_use_all_connections(
    server: uvicorn.Server, sends: bytes
) -> None:
    silent = await opened(server, sends)
    for _ in range(2 * MAX):
        new = connected(server)

        assert (await exchange(new, GET % b"/")).startswith(b"HTTP/1.1 200 ")

        silent.append(new)
    assert len(server.server_state.connections) <= MAX


async def test_a_new_client_can_connect_while_no_client_reads_its_response(server: uvicorn.Server) -> None:
    await opened(server, GET % b"/large")

    def unread() -> int:
        held = server.server_state.connections
        return sum(isinstance(one, BoundedProtocol) and one.flow.write_paused for one in held)

    await until(lambda: unread() == MAX)

    for _ in range(2 * MAX):
        assert (await exchange(connected(server), GET % b"/")).startswith(b"HTTP/1.1 200 ")


async def test_a_new_client_can_connect_while_all_connections_close_with_unread_responses(
    server: uvicorn.Server,
) -> None:
    server.servers[0].sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    await opened(server, b"GET /unpaused HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")

    def closing() -> int:
        held = server.server_state.connections
        return sum(isinstance(one, BoundedProtocol) and one.transport.is_closing() for one in held)

    await until(lambda: closing() == MAX)

    for _ in range(2 * MAX):
        assert (await exchange(connected(server), GET % b"/")).startswith(b"HTTP/1.1 200 ")


async def test_the_connection_that_has_been_idle_for_the_longest_time_is_closed(server: uvicorn.Server) -> None:
    first, second, *others = await opened(server, b"")
    # The first is the oldest, and had a request since.
    assert (await exchange(first, GET % b"/")).startswith(b"HTTP/1.1 200 ")

    new = connected(server)

    assert await exchange(second) == b""
    for client in (first, *others, new):
        assert (await exchange(client, GET % b"/")).startswith(b"HTTP/1.1 200 ")


async def test_a_slow_head_does_not_protect_a_connection(server: uvicorn.Server) -> None:
    slow, *_others = await opened(server, b"")
    await asyncio.get_running_loop().sock_sendall(slow, b"GET / HTTP/1.1\r\nX: ")

    connected(server)

    assert await exchange(slow) == b""


async def test_a_request_in_progress_is_completed_however_many_connections_are_opened(
    server: uvicorn.Server, app: BlockedApp
) -> None:
    (worker,) = await opened(server, GET % b"/held", clients=1)
    await until(lambda: app.in_progress == 1)
    await opened(server, b"", clients=3 * MAX)

    app.released.set()

    assert (await exchange(worker)).startswith(b"HTTP/1.1 200 ")


async def test_while_too_many_requests_wait_only_health_checks_are_answered(
    server: uvicorn.Server, app: BlockedApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 50)
    for _ in range(2):
        app.released.clear()
        app.in_progress = 0
        workers = await opened(server, GET % b"/held", clients=5)
        await until(lambda: app.in_progress == 3)

        for path in (b"/livez", b"/readyz"):
            assert (await exchange(connected(server), GET % path)).startswith(b"HTTP/1.1 200 ")
        refused = (await exchange(connected(server), GET % b"/")).lower()

        assert refused.startswith(b"http/1.1 503 ")
        assert b"retry-after: 1" in refused
        assert b"application/problem+json" in refused
        assert app.in_progress == 3
        app.released.set()
        for worker in workers:
            assert (await exchange(worker)).startswith(b"HTTP/1.1 200 ")
        assert (await exchange(connected(server), GET % b"/")).startswith(b"HTTP/1.1 200 ")


async def test_reads_do_not_delay_writes(server: uvicorn.Server, app: BlockedApp) -> None:
    await opened(server, GET % b"/held", clients=3)
    await until(lambda: app.in_progress == 3)

    answer = await exchange(connected(server), b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 200 ")


async def test_a_response_that_has_begun_does_not_delay_reads(server: uvicorn.Server) -> None:
    await opened(server, GET % b"/large", clients=4)

    assert (await exchange(connected(server), GET % b"/")).startswith(b"HTTP/1.1 200 ")


async def test_a_client_that_disconnects_releases_its_turn(server: uvicorn.Server, app: BlockedApp) -> None:
    for worker in await opened(server, GET % b"/held", clients=3):
        worker.close()
    app.released.set()

    assert (await exchange(connected(server), GET % b"/")).startswith(b"HTTP/1.1 200 ")


async def test_a_head_that_arrives_at_once_is_limited_too(server: uvicorn.Server) -> None:
    for length, status in ((10_000, b"200"), (30_000, b"400")):
        client = connected(server)

        assert (await exchange(client, GET % (b"/" + b"a" * length))).startswith(b"HTTP/1.1 " + status)


async def test_a_malformed_head_is_answered_by_problem_details(server: uvicorn.Server) -> None:
    answer = await exchange(connected(server), b"this is not HTTP\r\n\r\n")

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"content-type: application/problem+json" in head.lower()
    assert json.loads(body)["status"] == 400


async def test_a_malformed_body_after_the_response_closes_the_connection_and_logs_no_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with listening(refuse) as server:
        client = test_bounds.connected(server)
        head = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        assert (await exchange(client, head)).startswith(b"HTTP/1.1 401 ")

        assert await exchange(client, b"no length\r\n\r\n") == b""

        client.close()
        await until(lambda: not server.server_state.connections)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
