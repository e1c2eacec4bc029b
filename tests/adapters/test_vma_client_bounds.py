"""What a VMA sends costs no more than its bound: not in memory, not in requests to others."""

import asyncio
import gzip
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from adapters.simulated_vma import SimulatedVMA
from adapters.vma_requests import MAX_BODY
from domain.vma_status import Observation, VMAStatus
from tests.probing import JOB, answering, asking

DONE = json.dumps({"job_id": "migration-vol-disk-1", "status": "completed", "percentage": 100.0}).encode()
ROOT = Path(__file__).parents[2]
MOST_MEMORY = 150_000
"""Kilobytes, for a process that has imported the client and asks with it."""

ASK = """
import asyncio, pathlib, sys
from tests.probing import JOB, asking

async def main():
    async with asking(sys.argv[1], probe_timeout=30.0) as client:
        for _ in range(3):
            seen = await client.probe(JOB)
    print(seen.status.value, seen.answers[0].detail, sep="|")
    # Not what getrusage says: that begins with the memory of the process that started this one.
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    print(next(line.split()[1] for line in lines if line.startswith("VmHWM")))

asyncio.run(main())
"""


async def seen_of(answer: Callable[[web.Request], Awaitable[web.Response]]) -> Observation:
    """Probe a VMA that answers everything in one way."""
    async with answering(answer) as url, asking(url) as client:
        return await client.probe(JOB)


@pytest.fixture
async def visitors() -> AsyncIterator[tuple[str, list[str]]]:
    """Somebody else's server, and who came there."""
    came: list[str] = []

    async def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append((await reader.readline()).decode())
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(DONE) + DONE)
        writer.close()

    server = await asyncio.start_server(welcome, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", came
    server.close()


@pytest.mark.parametrize(
    ("fault", "how", "detail"),
    [
        ("huge", {"megabytes": 200}, f"more than {MAX_BODY} bytes of body"),
        ("gzip_bomb", {}, "not JSON"),
        ("deep", {}, "not JSON"),
    ],
)
def test_what_it_sends_is_neither_kept_nor_unpacked(
    vma: SimulatedVMA, fault: str, how: dict[str, Any], detail: str
) -> None:
    vma.faults.set(fault, **how)

    run = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", ASK, vma.url], cwd=ROOT, capture_output=True, text=True, check=True
    )

    said, kilobytes = run.stdout.splitlines()
    assert said.startswith(f"unintelligible|{detail}")
    assert int(kilobytes) < MOST_MEMORY


async def test_a_packed_reply_is_not_unpacked_even_if_it_is_small_and_says_completed() -> None:
    async def packed(_request: web.Request) -> web.Response:
        return web.Response(body=gzip.compress(DONE), headers={"Content-Encoding": "gzip"})

    seen = await seen_of(packed)

    assert seen.status is VMAStatus.UNINTELLIGIBLE
    assert (seen.answers[0].detail or "").startswith("not JSON")


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_nobody_is_visited_because_a_vma_redirects_there(code: int, visitors: tuple[str, list[str]]) -> None:
    elsewhere, came = visitors

    async def redirect(_request: web.Request) -> web.Response:
        return web.Response(status=code, headers={"Location": elsewhere})

    seen = await seen_of(redirect)

    assert seen.answers[0].detail == f"HTTP {code}, which is no answer about a job"
    assert came == []
