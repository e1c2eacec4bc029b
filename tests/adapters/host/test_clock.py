"""The system's clock returns the machine's time in UTC, and measures with a monotonic clock."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from adapters.host.clock import SystemClock


@pytest.fixture
def in_time_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Return a function that sets the time zone of this process during a test."""

    def move(zone: str) -> None:
        monkeypatch.setenv("TZ", zone)
        time.tzset()

    yield move
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("zone", ["UTC0", "EST5EDT,M3.2.0,M11.1.0", "WIN-14"])
def test_the_clock_shows_the_machines_time_in_utc_in_every_time_zone(
    in_time_zone: Callable[[str], None], zone: str
) -> None:
    in_time_zone(zone)

    shown = SystemClock().now()

    assert shown.tzinfo is UTC
    assert abs(shown - datetime.now(UTC)) < timedelta(seconds=1)


async def test_sleeping_takes_monotonic_time() -> None:
    clock = SystemClock()
    before = clock.monotonic()

    await clock.sleep(0.05)

    assert clock.monotonic() - before >= 0.05
