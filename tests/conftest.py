"""What all tests share."""

import signal
from pathlib import Path

import pytest
from hypothesis import settings

TESTS = Path(__file__).parent

# The marker of a test is its cost, and is read off where it is and what it uses: `slow` plays whole lives of the
# service, `process` starts a server or a process, or is as costly; `unit` is everything else. Nobody writes it by hand.
SLOW_FOLDERS = {"console", "faults", "oracle", "restart", "simulation", "soak"}
PROCESS_FOLDERS = {"cli", "hostile", "supply"}
STARTERS = {"ServiceProcess", "SimulatedVMA", "asking", "server", "serving", "subprocess", "vma"}
"""What starts a server or a process: names of fixtures, and names that a module imports."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer the long form of the tests that have one."""
    parser.addoption("--long", action="store_true", help="kill more often, look at more jobs")


def pytest_configure(config: pytest.Config) -> None:
    """Have hypothesis try the same examples at every run, and other ones in the long form."""
    # A shell's background job ignores SIGINT, and so would every process that is to be interrupted by a test.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    settings.register_profile("short", derandomize=True, database=None)
    settings.register_profile("long", print_blob=True)
    settings.load_profile("long" if config.getoption("--long") else "short")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by its cost, and put the slow ones between the others, early.

    The slow ones mostly wait, and the others compute. A run ends when its last test does.
    """
    for item in items:
        item.add_marker(cost(item))
        if item.path.parent == TESTS / "console":
            # One worker for each module: its browser and its service cost more than its tests.
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
    slow = [item for item in items if item.get_closest_marker("slow")]
    others = [item for item in items if not item.get_closest_marker("slow")]
    step = max(1, len(others) * 2 // (3 * len(slow) + 1))
    items[:] = [item for n, item in enumerate(slow) for item in (item, *others[n * step : (n + 1) * step])]
    items += others[len(slow) * step :]


def cost(item: pytest.Item) -> str:
    """Return the marker of a test."""
    folders = set(item.path.relative_to(TESTS).parts[:-1])
    if folders & SLOW_FOLDERS:
        return "slow"
    assert isinstance(item, pytest.Function)
    uses = {*item.fixturenames, *vars(item.module)}
    return "process" if folders & PROCESS_FOLDERS or uses & STARTERS else "unit"


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run async tests on asyncio, as the service does."""
    return "asyncio"
