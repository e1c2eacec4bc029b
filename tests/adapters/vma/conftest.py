"""A simulated VMA with one job that runs."""

from collections.abc import Iterator

import pytest

from adapters.simulated_vma import SimulatedVMA


@pytest.fixture
def vma() -> Iterator[SimulatedVMA]:
    with SimulatedVMA() as running:
        running.world.add_job("job-1", ["disk-1"], progress=41.0, duration=3600)
        yield running
