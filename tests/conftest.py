"""What all tests share."""

import signal

import pytest
from hypothesis import settings

SLOW = {"faults", "restart", "simulation", "soak"}
"""The folders whose tests run real processes, or whole lives of the service."""


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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that take longest: a run ends when its last test does."""
    items.sort(key=lambda item: not SLOW.intersection(item.path.parts))


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run async tests on asyncio, as the service does."""
    return "asyncio"
