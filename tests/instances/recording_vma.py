"""A VMA that knows every job as running, and records when it was asked about each: a process of its own, and fast."""

import asyncio
import multiprocessing
import time
from multiprocessing.connection import Connection
from typing import Self, cast

BODY = (
    '{"job_id":"%s","status":"replicating","phase":"Transfer","percentage":%.4f,"bytes_transferred":%d,'
    '"total_bytes":42949672960,"timing":{"start_time":"2026-01-01T00:00:00Z"}}'
)
HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


class RecordingVMA:
    """The VMA's process. It measures, of each id that it was asked about, the longest time without a question."""

    def __init__(self, address: str = "127.0.0.1") -> None:
        context = multiprocessing.get_context("fork")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, address), daemon=True)
        self._process.start()
        self.url = f"http://{address}:{self._ours.recv()}"

    def gaps(self) -> dict[str, float]:
        """Return the longest time, in seconds, without a question about each id since the last call, until now."""
        self._ours.send("gaps")
        found: dict[str, float] = self._ours.recv()
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()


class _Asked:
    """When each id was asked about."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}
        self._gaps: dict[str, float] = {}
        self.count = 0

    def record(self, asked_id: str) -> None:
        now = time.monotonic()
        self._gaps[asked_id] = max(self._gaps.get(asked_id, 0.0), now - self._last.get(asked_id, now))
        self._last[asked_id] = now
        self.count += 1

    def take(self) -> dict[str, float]:
        now = time.monotonic()
        found = {asked_id: max(self._gaps.get(asked_id, 0.0), now - last) for asked_id, last in self._last.items()}
        self._gaps = {}
        return found


class _Connection(asyncio.Protocol):
    def __init__(self, asked: _Asked) -> None:
        self._asked = asked
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            path = self._received[: self._received.index(b"\r\n")].split(b" ")[1]
            self._received = self._received[end + 4 :]
            asked_id = path.rpartition(b"/")[2].decode()
            self._asked.record(asked_id)
            count = self._asked.count
            body = BODY % (asked_id, 20 + count % 10_000_000 / 1_000_000, 8_589_934_592 + count)
            self._transport.write((HEAD % len(body) + body).encode())


def _serve(control: Connection, address: str) -> None:
    async def serve() -> None:
        asked, loop = _Asked(), asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Connection(asked), address, 0)
        control.send(server.sockets[0].getsockname()[1])

        def answer() -> None:
            control.recv()
            control.send(asked.take())

        loop.add_reader(control.fileno(), answer)
        await server.serve_forever()

    asyncio.run(serve())
