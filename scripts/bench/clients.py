"""Many clients of an HTTP server, in a process of their own, each with a connection and one request at a time."""

import asyncio
import multiprocessing
import statistics
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

OK = range(200, 400)


class Load(NamedTuple):
    """What the clients saw: answered requests per second, and the seconds that each took."""

    rate: float
    latencies: list[float]

    @property
    def p99(self) -> float:
        """Return the milliseconds within which 99 % were answered."""
        return 1000 * statistics.quantiles(self.latencies, n=100)[98]


def send(url: str, requests: Sequence[bytes], clients: int) -> Load:
    """Send all requests by so many clients, and return when all are answered.

    Raises:
        AssertionError: one of the answers is an error.

    """
    with multiprocessing.get_context("fork").Pool(1) as process:
        return process.apply(_send, (url, requests, clients))


def request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """Return a request as it is sent."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += ["Content-Type: application/json"] if body else []
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _send(url: str, requests: Sequence[bytes], clients: int) -> Load:
    return asyncio.run(_send_all(url, iter(requests), clients))


async def _send_all(url: str, requests: Iterator[bytes], clients: int) -> Load:
    began = time.perf_counter()
    found = await asyncio.gather(*(_client(url, requests) for _ in range(clients)))
    took = time.perf_counter() - began
    latencies = [latency for one in found for latency in one]
    return Load(len(latencies) / took, latencies)


async def _client(url: str, requests: Iterator[bytes]) -> list[float]:
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    latencies = []
    for sent in requests:
        began = time.perf_counter()
        writer.write(sent)
        await _answer(reader)
        latencies.append(time.perf_counter() - began)
    writer.close()
    return latencies


async def _answer(reader: asyncio.StreamReader) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = int(head.split(b" ", 2)[1])
    length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0] or 0)
    body = await reader.readexactly(length)
    if status not in OK:
        raise AssertionError(f"{status}: {body!r}")
