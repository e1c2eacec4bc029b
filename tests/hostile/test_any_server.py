"""Probes of a server that sends any bytes, and closes, hangs or resets: one status in time, never from garbage."""

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.host.clock import SystemClock
from adapters.vma.client import HttpVMA
from domain.vma_status import CONCLUSIVE, Observation
from tests.hostile.replies import BODIES, is_garbage
from tests.support.probing import Bounds, probe

SPEAKS = (b"status", b"phase", b"stage")


class AnyServer:
    """Sends the same bytes on every connection, and then closes, hangs, or resets."""

    def __init__(self) -> None:
        self.sends = b""
        self.ends = "close"
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None] | None, asyncio.StreamWriter] = {}

    async def start(self) -> str:
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        """End all connections, also those that hang: a client that has given up is noticed late on a busy machine."""
        assert self._server is not None
        self._server.close()
        for writer in self._connections.values():
            writer.transport.abort()
        await asyncio.gather(*filter(None, self._connections))

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections[asyncio.current_task()] = writer
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(self.sends)
            await writer.drain()
            if self.ends == "hang":
                await reader.read()
            if self.ends == "reset":
                writer.transport.abort()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()
            del self._connections[asyncio.current_task()]


class Prober:
    """A client and a server on one event loop, for many examples."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.server = AnyServer()
        url = self.loop.run_until_complete(self.server.start())
        self._client = self.loop.run_until_complete(self._open(url))

    async def _open(self, url: str) -> HttpVMA:
        # Short, because many hang.
        return HttpVMA({"default": url}, SystemClock(), Bounds(probe_timeout=0.2), circuit_rest=0.0)

    def probe(self, sends: bytes, ends: str) -> Observation:
        """Return the observation of a server that sends these bytes."""
        self.server.sends, self.server.ends = sends, ends
        # A circuit that is open would answer by itself.
        self._client.circuits["default"].close()
        return self.loop.run_until_complete(asyncio.wait_for(probe(self._client), 20.0))

    def close(self) -> None:
        self.loop.run_until_complete(self._client.close())
        self.loop.run_until_complete(self.server.stop())
        self.loop.close()


@pytest.fixture(scope="module")
def prober() -> Iterator[Prober]:
    ready = Prober()
    yield ready
    ready.close()


HEADERS = st.sampled_from(
    [
        b"Content-Length: %d\r\n",
        b"Content-Length: 5\r\n",
        b"Content-Length: 99999999999\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: %d\r\nContent-Encoding: gzip\r\n",
        b"Content-Length: %d\r\nContent-Type: text/html\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n",
        b"Location: http://169.254.169.254/latest/meta-data\r\nContent-Length: %d\r\n",
        b"X: \x00\xff\r\nContent-Length: %d\r\n",
        b"",
    ]
)
ENDS = st.sampled_from([*["close"] * 30, "reset", "hang"])
MUTE_BODIES = BODIES.filter(lambda body: not any(word in body.lower() for word in SPEAKS))


def reply(status: int, headers: bytes, body: bytes) -> bytes:
    """Return the bytes of a reply."""
    counted = headers % len(body) if b"%d" in headers else headers
    return b"HTTP/1.1 %d Any\r\n" % status + counted + b"Connection: close\r\n\r\n" + body


def examples(long: int, short: int) -> settings:
    """Return the number of examples, which depends on the profile."""
    many = long if settings.get_current_profile_name() == "long" else short
    return settings(max_examples=many, deadline=None, suppress_health_check=list(HealthCheck))


@examples(500, 150)
@given(status=st.sampled_from([200, 200, 200, 404, 302, 307, 500, 503]), body=BODIES, ends=ENDS)
def test_a_complete_reply_of_garbage_is_not_conclusive(prober: Prober, status: int, body: bytes, ends: str) -> None:
    seen = prober.probe(reply(status, b"Content-Length: %d\r\n", body), ends)

    if is_garbage(status, body):
        assert seen.status not in CONCLUSIVE, seen


@examples(500, 150)
@given(
    sends=st.one_of(
        st.binary(max_size=200),
        st.builds(reply, st.integers(0, 1000), HEADERS, MUTE_BODIES),
        st.tuples(st.builds(reply, st.just(200), HEADERS, MUTE_BODIES), st.integers(0, 200)).map(
            lambda p: p[0][: p[1]]
        ),
    ),
    ends=ENDS,
)
def test_any_other_bytes_are_not_conclusive(prober: Prober, sends: bytes, ends: str) -> None:
    seen = prober.probe(sends, ends)

    assert seen.status not in CONCLUSIVE, (sends, seen)
