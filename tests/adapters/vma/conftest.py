"""A simulated VMA with one job that runs."""

from collections.abc import AsyncIterator, Iterator

import pytest

from adapters.simulated_vma import SimulatedVMA
from adapters.vma.client import HttpVMA
from tests.support.probing import asking


@pytest.fixture
def vma() -> Iterator[SimulatedVMA]:
    with SimulatedVMA() as running:
        running.world.add_job("job-1", ["disk-1"], progress=41.0, duration=3600)
        yield running


@pytest.fixture
async def client(vma: SimulatedVMA) -> AsyncIterator[HttpVMA]:
    async with asking(vma.url) as opened:
        yield opened
