"""What all tests share."""

import gc
import signal
from pathlib import Path

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from api.cli.main import GARBAGE_COLLECTION
from tests.support import logs

TESTS = Path(__file__).parent

# The marker of a test is its cost, and is read off where it is and what it uses: `slow` plays whole lives of the
# service, `process` starts a server or a process, or is as costly; `unit` is everything else. Nobody writes it by hand.
SLOW_FOLDERS = {"console", "database", "faults", "oracle", "restart", "simulation", "soak"}
PROCESS_FOLDERS = {"cli", "hostile", "supply"}
STARTERS = {"ServiceProcess", "SimulatedVMA", "asking", "server", "serving", "subprocess", "vma"}
"""What starts a server or a process: names of fixtures, and names that a module imports."""

SHARING = ("tests/console/", "tests/api/cli/", "tests/api/http/", "tests/hostile/", "tests/supply/test_wheel.py")
"""Where the tests of a module share a service."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer the long form of the tests that have one, and both engines of the event log."""
    parser.addoption("--long", action="store_true", help="kill more often, look at more jobs")
    parser.addoption("--log", choices=logs.ENGINES, default=logs.SQLITE, help="the engine of event logs")


def pytest_configure(config: pytest.Config) -> None:
    """Have hypothesis try the same examples at every run, and other ones in the long form, however long each takes."""
    gc.set_threshold(*GARBAGE_COLLECTION)
    # A shell's background job ignores SIGINT, and so would every process that is to be interrupted by a test.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    settings.register_profile("short", derandomize=True, database=None, deadline=None)
    settings.register_profile("long", print_blob=True, deadline=None)
    settings.load_profile("long" if config.getoption("--long") else "short")
    logs.choose(config.getoption("--log"))


def pytest_unconfigure() -> None:
    """Drop the schemas of the tests."""
    if logs.engine() == logs.POSTGRES:
        logs.drop_all()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test that is about SQLite's files, if logs are not in files."""
    if logs.engine() != logs.SQLITE and (marker := item.get_closest_marker("of_files")) is not None:
        pytest.skip(f"needs its log in a file, because it {marker.args[0]}")


class OneWorkerForAService(LoadScopeScheduling):  # type: ignore[misc]
    """Gives each free worker the next test, or the next module of those whose tests share a service.

    The browser and the service of such a module cost more than its tests. xdist's own groups (`--dist loadgroup`) have
    no effect: version 3.8 writes a group into what pytest has no longer read since version 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0]
        return module if module.startswith(SHARING) else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> OneWorkerForAService:
    """Distribute the tests, if there are workers."""
    return OneWorkerForAService(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by its cost, and put the slow ones between the others, early.

    The slow ones mostly wait, and the others compute. A run ends when its last test does.
    """
    for item in items:
        item.add_marker(cost(item))
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


def pytest_collection_finish() -> None:
    """Keep the collected tests out of what the garbage collector looks through again and again."""
    gc.freeze()
