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


@pytest.fixture(scope="module")
def shared_vma() -> Iterator[SimulatedVMA]:
    with SimulatedVMA() as running:
        yield running


@pytest.fixture(scope="module")
async def shared_api(
    shared_vma: SimulatedVMA, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[httpx.AsyncClient]:
    """Serve one history to all tests of a module."""
    async with serving(shared_vma, tmp_path_factory.mktemp("shared")) as client:
        yield client
