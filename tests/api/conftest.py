"""The whole application in this process, on a real data directory and a real simulated VMA, over HTTP."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from adapters.simulated_vma import SimulatedVMA
from tests.support.http_api import serving


@pytest.fixture
def vma() -> Iterator[SimulatedVMA]:
    with SimulatedVMA() as running:
        yield running


@pytest.fixture
async def api(vma: SimulatedVMA, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(vma, tmp_path) as client:
        yield client
