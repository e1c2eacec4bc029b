"""A client of VMAs over HTTP, for tests with real servers."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from aiohttp import web
from aiohttp.test_utils import TestServer

from adapters.host.clock import SystemClock
from adapters.vma.client import HttpVMA
from domain import observing
from domain.ports import ProbeTarget
from domain.vma_status import Observation, VMAStatus

JOB = ProbeTarget("job-1", "default", ("disk-1",))


class Bounds(msgspec.Struct):
    """The limits of the requests; `probe_timeout` in seconds."""

    probe_timeout: float
    probe_concurrency: int = 8


@asynccontextmanager
async def asking(
    vmas: str | Mapping[str, str],
    *,
    probe_timeout: float = 2.5,
    probe_concurrency: int = 8,
    circuit_rest: float = 0.2,
    ca_file: Path | None = None,
) -> AsyncIterator[HttpVMA]:
    """Yield a client of one VMA by its URL, or of several by name."""
    urls = {"default": vmas} if isinstance(vmas, str) else vmas
    bounds = Bounds(probe_timeout=probe_timeout, probe_concurrency=probe_concurrency)
    client = HttpVMA(urls, SystemClock(), bounds, circuit_rest=circuit_rest, ca_file=ca_file)
    try:
        yield client
    finally:
        await client.close()


async def probe(client: HttpVMA, target: ProbeTarget = JOB) -> Observation:
    """Return the observation of a job, probed as the service does."""
    return await observing.probe(client, SystemClock(), target)


def last_status(seen: Observation) -> VMAStatus:
    """Return the status of the last answer of a probe."""
    return seen.answers[-1].status


@asynccontextmanager
async def answering(answer: Callable[[web.Request], Awaitable[web.Response]]) -> AsyncIterator[str]:
    """Run a VMA that answers every request in one way; yield its URL."""
    application = web.Application()
    application.router.add_get("/{path:.*}", answer)
    async with TestServer(application) as server:
        yield str(server.make_url(""))
