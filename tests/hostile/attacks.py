"""Attacks of hostile clients and of a hostile VMA, which `hostile.py` runs."""

import asyncio
import json
import socket
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

JOB = "honest-0"
"""A job that the service watches."""

Attack = Callable[[int], Coroutine[Any, Any, None]]
"""Attacks the service at a local port, or listens there as a VMA, until it is cancelled."""


def request(line: str, body: bytes = b"", more: str = "") -> bytes:
    """Return a request that asks for the connection to be closed."""
    head = f"{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


def post(path: str, body: object) -> bytes:
    """Return a request with a JSON body."""
    return request(
        f"POST {path}", json.dumps(body, separators=(",", ":")).encode(), "Content-Type: application/json\r\n"
    )


async def forever(clients: int, act: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Repeat an action in each of several clients."""

    async def client() -> None:
        while True:
            with suppress(OSError):
                await act()
            await asyncio.sleep(0.1)

    await asyncio.gather(*(client() for _ in range(clients)))


def asking(clients: int, sends: bytes) -> Attack:
    """Return an attack by clients that send a request, read the response, and repeat."""

    async def attack(port: int) -> None:
        async def ask() -> None:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(sends)
            while await reader.read(1_000_000):
                pass
            writer.close()

        await forever(clients, ask)

    return attack


def holding(clients: int, sends: bytes) -> Attack:
    """Return an attack by clients that send bytes, and read nothing of the response."""

    async def attack(port: int) -> None:
        loop = asyncio.get_running_loop()

        async def hold() -> None:
            with socket.socket() as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                client.setblocking(False)  # noqa: FBT003 - the socket's own form
                await loop.sock_connect(client, ("127.0.0.1", port))
                await loop.sock_sendall(client, sends)
                if not sends:
                    await loop.sock_recv(client, 1)
                else:
                    await asyncio.sleep(5)

        await forever(clients, hold)

    return attack


async def vma_of_many_disks(port: int) -> None:
    """Answer every request with 0.9 MB of disks."""
    body = b'{"status":"running","disks":[' + b",".join(b'{"id":"d%05d"}' % n for n in range(45_000)) + b"]}"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)
            await writer.drain()
        writer.close()

    await (await asyncio.start_server(answer, "127.0.0.1", port)).serve_forever()


UNREAD = request("GET /api/v1/audit?limit=1000")
BEGUN = b"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
REPORT = {"status": "in_progress", "disks": [{"disk_index": n} for n in range(5000)]}
ATTACKS: dict[str, Attack] = {
    "vma": vma_of_many_disks,
    "slashes": asking(8, request("GET " + "/" * 60_000)),
    "connections": holding(1500, b""),
    "bodies": holding(1500, BEGUN),
    "unread": holding(300, UNREAD),
    "streams": holding(300, request("GET /api/v1/events/stream?after=0")),
    "exports": asking(16, request("GET /api/v1/audit/export")),
    "what-if": asking(8, request("GET /api/v1/recovery-runs/what-if?complete_above_percent=95")),
    "methods": asking(8, request("DELETE /api/v1/jobs")),
    "document": asking(8, request("GET /openapi.json")),
    "fields": asking(8, post("/api/v1/jobs", {f"f{n}": 1 for n in range(8000)})),
    "fewer fields": asking(8, post("/api/v1/jobs", {f"f{n}": 1 for n in range(1900)})),
    "reports": asking(8, post(f"/api/v1/telemetry/replication/{JOB}", REPORT)),
}
