"""A world of jobs on a clock that stands still, and a VMA on the real one."""

from collections.abc import Iterator

import pytest

from adapters.simulated_vma import SimulatedVMA
from adapters.simulated_vma.world import World
from tests.support.clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def world(clock: FakeClock) -> World:
    return World(lambda: clock.elapsed)


@pytest.fixture
def vma() -> Iterator[SimulatedVMA]:
    with SimulatedVMA() as running:
        yield running
