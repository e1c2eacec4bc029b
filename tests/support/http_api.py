"""The whole service in this process, and common calls of its HTTP API."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import httpx

from adapters.simulated_vma import SimulatedVMA
from api.http import dependencies
from api.http.app import create_app
from api.http.console import DIST
from api.runtime.bootstrap import build
from api.runtime.running import run
from api.runtime.settings import Settings
from tests.support import logs
from tests.support.harness import RecordingLog
from tests.support.service import PATIENCE

ROOT = Path(__file__).parents[2]

PUBLISHED_PATHS: dict[str, dict[str, Any]] = json.loads((ROOT / "docs/openapi.json").read_text())["paths"]
"""The routes of the published document, read from its file: it takes a second to build, and every worker would."""

JOB: dict[str, Any] = {"job_id": "job-1", "vm_name": "pgtest1", "vm_context_id": "ctx-1", "volume_ids": ["disk-1"]}


@asynccontextmanager
async def serving(vma: SimulatedVMA, folder: Path, dist: Path = DIST, **other: Any) -> AsyncIterator[httpx.AsyncClient]:
    """Run the whole service in this process, with the console of a build and `other` settings; yield a client of it.

    A client reads its own writes, however slow the machine is.
    """
    usual: dict[str, Any] = {
        "data_dir": folder / "data",
        **logs.settings_of(folder / "data"),
        "vma_url": vma.url,
        "poll_interval": 0.2,
        "confirmation_window": 0.2,
        "retry_backoff_initial": 0.2,
        "sqlite_synchronous": "NORMAL",
    }
    settings = Settings(**usual | other)
    service = build(settings, RecordingLog())
    running = asyncio.ensure_future(run(service))
    transport = httpx.ASGITransport(create_app(service, dist), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost/api/v1") as client:
        while (await client.get("http://localhost/readyz")).status_code != httpx.codes.OK:  # noqa: ASYNC110 - over HTTP
            await asyncio.sleep(0.01)
        with mock.patch.object(dependencies, "READ_YOUR_WRITES", PATIENCE):
            yield client
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await service.close()


async def registered(api: httpx.AsyncClient, **other: Any) -> httpx.Response:
    return await api.post("/jobs", json={**JOB, **other})


async def items(api: httpx.AsyncClient, path: str, **query: Any) -> list[dict[str, Any]]:
    """Return the items of a list's first page."""
    response = await api.get(path, params=query)
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.json()["items"]
    return found


async def eventually(api: httpx.AsyncClient, path: str, **expected: Any) -> dict[str, Any]:
    """Repeat a GET until these fields have these values; return the response."""
    found: dict[str, Any] = {}
    for _ in range(500):
        found = (await api.get(path)).json()
        if all(found.get(name) == value for name, value in expected.items()):
            return found
        await asyncio.sleep(0.02)
    raise AssertionError(f"{path} does not have {expected}: {found}")
