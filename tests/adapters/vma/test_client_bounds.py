"""A reply has bounded costs, in memory and in requests to others."""

import asyncio
import gzip
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from adapters.simulated_vma import SimulatedVMA
from adapters.vma.requests import MAX_BODY
from domain.vma_status import Observation, VMAStatus
from tests.support.probing import answering, asking, probe

DONE = json.dumps({"job_id": "migration-vol-disk-1", "status": "completed", "percentage": 100.0}).encode()
ROOT = Path(__file__).parents[3]
MAX_MEMORY = 150_000
"""Kilobytes, of a process that imports the client and sends requests."""

ASK = """
import asyncio, pathlib, sys
from tests.support.probing import asking, probe

async def main():
    async with asking(sys.argv[1], probe_timeout=30.0) as client:
        for _ in range(3):
            seen = await probe(client)
    print(seen.status.value, seen.answers[0].detail, sep="|")
    # Not by getrusage, which begins with the memory of the parent process.
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    print(next(line.split()[1] for line in lines if line.startswith("VmHWM")))

asyncio.run(main())
"""


async def seen_of(answer: Callable[[web.Request], Awaitable[web.Response]]) -> Observation:
    """Probe a VMA that answers everything in one way."""
    async with answering(answer) as url, asking(url) as client:
        return await probe(client)


@pytest.fixture
async def other_server() -> AsyncIterator[tuple[str, list[str]]]:
    """Return another server's address, and the requests that it gets."""
    received: list[str] = []

    async def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append((await reader.readline()).decode())
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(DONE) + DONE)
        writer.close()

    server = await asyncio.start_server(welcome, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", received
    server.close()


@pytest.mark.parametrize(
    ("fault", "how", "detail"),
    [
        ("huge", {"megabytes": 200}, f"more than {MAX_BODY} bytes of body"),
        ("gzip_bomb", {}, "not JSON"),
        ("deep", {"depth": 10_000}, "not JSON"),
    ],
)
def test_a_reply_is_neither_stored_whole_nor_decompressed(
    vma: SimulatedVMA, fault: str, how: dict[str, Any], detail: str
) -> None:
    vma.faults.set(fault, **how)

    run = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", ASK, vma.url], cwd=ROOT, capture_output=True, text=True, check=True
    )

    result, kilobytes = run.stdout.splitlines()
    assert result.startswith(f"unintelligible|{detail}")
    assert int(kilobytes) < MAX_MEMORY


NAMES = {"disk_progresses": "disk_id", "disks": "id"}
"""The lists of disks of all builds, and each one's field of a disk's name."""


def listing(disks: int, in_list: str, status: str = "running") -> dict[str, Any]:
    """Return a document that lists disks with all fields of all builds, and the longest names."""
    return {
        "job_id": "migration-vol-disk-1",
        "status": status,
        "percentage": 100.0,
        in_list: [
            {
                NAMES[in_list]: f"{n:05}" + "n" * 195,
                "status": status,
                "percent": 100.0,
                "bytes_transferred": 2**50,
                "total_bytes": 2**50,
                "planned_bytes": 2**50,
                "throughput": {"current_mbps": 100.0, "average_mbps": 100.0, "last_update": "2025-10-03T14:00:00.000Z"},
            }
            for n in range(disks)
        ],
    }


def answers_with(body: bytes) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    return answer


@pytest.mark.parametrize("in_list", NAMES)
async def test_a_document_of_64_disks_with_the_longest_names_is_read(in_list: str) -> None:
    seen = await seen_of(answers_with(json.dumps(listing(64, in_list)).encode()))

    document = seen.answers[0].document
    assert seen.status is VMAStatus.RUNNING
    assert document is not None
    assert len(document.disks) == 64


@pytest.mark.parametrize("status", ["running", "completed", "failed"])
@pytest.mark.parametrize("in_list", NAMES)
async def test_a_list_of_more_disks_than_a_job_has_is_refused_with_a_reason(in_list: str, status: str) -> None:
    seen = await seen_of(answers_with(json.dumps(listing(65, in_list, status)).encode()))

    assert seen.status is VMAStatus.UNINTELLIGIBLE
    assert seen.answers[0].detail == f"{in_list} lists 65 disks; a job has at most 64"
    assert seen.answers[0].document is None


@pytest.mark.parametrize("size", [MAX_BODY, 900_000])
async def test_a_reply_full_of_disks_does_not_block_the_event_loop(size: int) -> None:
    body = b'{"status":"completed","percentage":100,"disks":[' + b"{}," * (size // 3 - 20) + b"{}]}"
    assert len(body) <= size
    async with answering(answers_with(body)) as url, asking(url, probe_timeout=30.0) as client:
        probes = [await beside(probe(client)) for _ in range(3)]

    assert {seen.status for seen, _ in probes} == {VMAStatus.UNINTELLIGIBLE}
    # Times of this thread's CPU, and the least of several, so that the ratio holds on a busy machine, too.
    assert min(longest for _, longest in probes) < 20 * min(decoding(body) for _ in range(3))


def decoding(body: bytes) -> float:
    """Return the seconds of CPU that the decoding of a body takes."""
    began = time.thread_time()
    json.loads(body)
    return time.thread_time() - began


async def beside(work: Awaitable[Observation]) -> tuple[Observation, float]:
    """Return the result of some work, and the longest time in seconds for which it blocked the event loop."""
    task = asyncio.ensure_future(work)
    longest, before = 0.0, time.thread_time()
    while not task.done():
        await asyncio.sleep(0)
        now = time.thread_time()
        longest, before = max(longest, now - before), now
    return task.result(), longest


async def test_only_as_many_errors_are_read_as_are_stored() -> None:
    errors = [{"message": f"read error {n}"} for n in range(1500)]
    body = json.dumps({"job_id": "migration-vol-disk-1", "status": "failed", "errors": errors}).encode()

    seen = await seen_of(answers_with(body))

    assert seen.status is VMAStatus.FAILED
    assert (seen.error or "").startswith("read error 0; read error 1;")


async def test_a_text_is_not_cut_within_a_secret() -> None:
    text = "x" * 480 + " http://oma:hunter2-canary@vma:9081/"
    body = json.dumps({"job_id": "migration-vol-disk-1", "status": "failed", "last_error": text}).encode()

    seen = await seen_of(answers_with(body))

    assert "hunter2" not in (seen.error or "hunter2")


async def test_a_compressed_reply_is_not_decompressed_even_if_it_is_small() -> None:
    async def packed(_request: web.Request) -> web.Response:
        return web.Response(body=gzip.compress(DONE), headers={"Content-Encoding": "gzip"})

    seen = await seen_of(packed)

    assert seen.status is VMAStatus.UNINTELLIGIBLE
    assert (seen.answers[0].detail or "").startswith("not JSON")


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(code: int, other_server: tuple[str, list[str]]) -> None:
    elsewhere, received = other_server

    async def redirect(_request: web.Request) -> web.Response:
        return web.Response(status=code, headers={"Location": elsewhere})

    seen = await seen_of(redirect)

    assert seen.answers[0].detail == f"HTTP {code}, which is no answer about a job"
    assert received == []
