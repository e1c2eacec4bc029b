"""The time is kept for the next process, and a jump of the machine's clock is told once."""

from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from adapters.clock import AnchorFile, SteadyClock, SystemClock
from api.timekeeping import Timekeeper
from tests.builders import NOON


class Told:
    """A log that remembers its warnings."""

    def __init__(self) -> None:
        self.warnings: list[tuple[str, dict[str, Any]]] = []

    def warning(self, event: str, /, **fields: object) -> None:
        self.warnings.append((event, fields))

    info = error = warning


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def wall() -> dict[str, float]:
    return {"set": 0.0, "up": 10_000.0}


@pytest.fixture
def clock(wall: dict[str, float]) -> SystemClock:
    steady = SteadyClock(lambda: NOON + timedelta(seconds=wall["up"] + wall["set"]), lambda: wall["up"], "boot-1")
    return cast("SystemClock", steady)


async def test_a_jump_is_told_once_and_not_again_while_it_melts_away(
    clock: SystemClock, wall: dict[str, float], told: Told, tmp_path: Path
) -> None:
    keeper = Timekeeper(clock, AnchorFile(tmp_path), told)
    await keeper.keep()
    wall["set"] = 3600.0
    for _ in range(5):
        wall["up"] += 60
        await keeper.keep()

    assert [event for event, _ in told.warnings] == ["machine_clock_jumped"]
    assert told.warnings[0][1]["machine_is_ahead_seconds"] == pytest.approx(3600, abs=1)
    assert AnchorFile(tmp_path).read() == clock.anchor()


async def test_an_anchor_that_cannot_be_kept_is_told_and_ends_nothing(
    clock: SystemClock, told: Told, tmp_path: Path
) -> None:
    await Timekeeper(clock, AnchorFile(tmp_path / "nowhere"), told).keep()

    assert [event for event, _ in told.warnings] == ["time_not_kept"]
