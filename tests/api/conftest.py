"""The whole application in this process, on a real data directory and a real simulated VMA, over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from adapters.simulated_vma import SimulatedVMA
from api.http.app import create_app
from api.http.server import run
from api.runtime.bootstrap import build
from api.runtime.settings import Settings
from tests.scenery import KeptLog


@pytest.fixture
def vma() -> Iterator[SimulatedVMA]:
    with SimulatedVMA() as running:
        yield running


@pytest.fixture
async def api(vma: SimulatedVMA, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(vma, tmp_path) as client:
        yield client


@asynccontextmanager
async def serving(vma: SimulatedVMA, folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Run the whole service in this process, and give a client of it."""
    settings = Settings(
        data_dir=folder / "data",
        vma_url=vma.url,
        poll_interval=0.2,
        confirmation_window=0.2,
        retry_backoff_initial=0.2,
        sqlite_synchronous="NORMAL",
    )
    service = build(settings, KeptLog())
    running = asyncio.ensure_future(run(service))
    transport = httpx.ASGITransport(create_app(service), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost/api/v1") as client:
        while (await client.get("http://localhost/readyz")).status_code != httpx.codes.OK:  # noqa: ASYNC110 - over HTTP
            await asyncio.sleep(0.01)
        yield client
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await service.close()
