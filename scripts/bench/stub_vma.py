"""A VMA that is too fast to be measured: a raw asyncio protocol in a process of its own.

Every id is a running job, whose figures are never the same twice. Each answer comes after LATENCY.
"""

import asyncio
import multiprocessing
import time
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Self, cast

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized

LATENCY = 0.02
"""Seconds."""

BODY = (
    '{"job_id":"%s","status":"replicating","sync_type":"full","phase":"Transfer","percentage":%.4f,'
    '"current_operation":"Transferring Data","bytes_transferred":%d,"total_bytes":42949672960,'
    '"throughput":{"current_mbps":100.0,"average_mbps":100.0,"peak_mbps":100.0,"last_update":"2026-01-01T00:00:00Z"},'
    '"timing":{"start_time":"2026-01-01T00:00:00Z","last_update":"2026-01-01T00:00:00Z","elapsed_ms":91984,'
    '"eta_seconds":400},"vm_info":{"name":"unknown","path":"unknown","disk_size_gb":40,"cbt_enabled":true},'
    '"phases":[{"name":"Transfer","status":"replicating","start_time":"2026-01-01T00:00:00Z","end_time":"",'
    '"duration_ms":91984}],"errors":[],"last_error":null}'
)
HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


class StubVMA:
    """The VMA's process."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("fork")
        ours, theirs = context.Pipe()
        self._first: Synchronized[float] = context.Value("d", 0.0)
        self._answered: Synchronized[int] = context.Value("q", 0)
        self._process = context.Process(target=_serve, args=(theirs, self._first, self._answered), daemon=True)
        self._process.start()
        self.url = f"http://127.0.0.1:{ours.recv()}"

    @property
    def answered(self) -> int:
        """Return the number of requests so far."""
        return self._answered.value

    def forget(self) -> None:
        """Let the next request be the first."""
        self._first.value = 0.0

    @property
    def first(self) -> float:
        """Return when the first request came, in monotonic seconds."""
        return self._first.value

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()


class _Connection(asyncio.Protocol):
    def __init__(self, first: "Synchronized[float]", answered: "Synchronized[int]") -> None:
        self._first, self._answered = first, answered
        self._received = b""
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            path = self._received[: self._received.index(b"\r\n")].split(b" ")[1]
            self._received = self._received[end + 4 :]
            self._first.value = self._first.value or time.monotonic()
            self._loop.call_later(LATENCY, self._answer, path.rpartition(b"/")[2].decode())

    def _answer(self, asked_id: str) -> None:
        self._answered.value += 1
        done = self._answered.value % 10_000_000
        body = BODY % (asked_id, 20 + done / 1_000_000, 8_589_934_592 + done)
        self._transport.write((HEAD % len(body) + body).encode())


def _serve(ready: Connection, first: "Synchronized[float]", answered: "Synchronized[int]") -> None:
    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(lambda: _Connection(first, answered), "127.0.0.1", 0)
        ready.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())
