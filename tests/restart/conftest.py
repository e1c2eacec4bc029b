"""A simulated VMA and a real service for each test."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adapters.simulated_vma import SimulatedVMA
from tests.support.service import ServiceProcess

# These tests need Linux: mounts in a namespace, and limits of another process.
collect_ignore = [] if sys.platform == "linux" else ["test_machine.py"]

StartService = Callable[..., ServiceProcess]


@pytest.fixture
def kills(request: pytest.FixtureRequest) -> int:
    """How often the service is killed in the middle of a recovery."""
    return 20 if request.config.getoption("--long") else 4


@pytest.fixture
def fleet(request: pytest.FixtureRequest) -> list[str]:
    """Return the names of the jobs that are recovered while the service is killed again and again."""
    return [f"job-{n:04}" for n in range(1000 if request.config.getoption("--long") else 60)]


@pytest.fixture
def vma() -> Iterator[SimulatedVMA]:
    with SimulatedVMA() as running:
        yield running


@pytest.fixture
def start_service(vma: SimulatedVMA, tmp_path: Path) -> Iterator[StartService]:
    """Return a function that starts services, which end with the test."""
    started: list[ServiceProcess] = []

    def start(**settings: str) -> ServiceProcess:
        service = ServiceProcess(tmp_path / f"data{len(started)}", vma.url, **settings)
        started.append(service)
        service.start()
        return service

    yield start
    for service in started:
        service.close()
