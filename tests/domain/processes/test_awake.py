"""Awake time counts while this process runs, and stands still while it does not."""

import pytest

from domain.processes.awake import ABSENT, HEARTBEAT, AwakeTime
from tests.support.clock import FakeClock
from tests.support.harness import while_running


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def awake(clock: FakeClock) -> AwakeTime:
    return AwakeTime(clock)


def test_it_begins_at_nothing_whenever_that_is(clock: FakeClock) -> None:
    clock.advance(1000)

    assert AwakeTime(clock)() == 0.0


def test_short_gaps_count_in_full(clock: FakeClock, awake: AwakeTime) -> None:
    for _ in range(10):
        clock.advance(0.5)
        awake()

    assert awake() == 5.0
    assert awake() == 5.0


@pytest.mark.parametrize(("gap", "counted"), [(1.0, 1.0), (2.0, 2.0), (2.1, 2.0), (3600.0, 2.0), (86_400.0, 2.0)])
def test_a_gap_of_any_length_counts_for_two_seconds_at_most(
    clock: FakeClock, awake: AwakeTime, gap: float, counted: float
) -> None:
    clock.advance(gap)

    assert awake() == counted


@pytest.mark.parametrize(("gap", "absences"), [(0.2, 0), (2.0, 0), (2.1, 1), (86_400.0, 1)])
def test_a_long_gap_is_an_absence(clock: FakeClock, awake: AwakeTime, gap: float, absences: int) -> None:
    assert awake.count_absences() == 0
    clock.advance(gap)

    assert (awake.count_absences(), awake.count_absences(), awake.absences) == (absences, absences, absences)


def test_each_absence_counts_whoever_notices_it_first(clock: FakeClock, awake: AwakeTime) -> None:
    clock.advance(60.0)
    awake()
    clock.advance(60.0)
    awake()

    assert awake.count_absences() == 2


def test_after_a_gap_it_goes_on_and_the_next_one_counts_again(clock: FakeClock, awake: AwakeTime) -> None:
    counted = []
    for gap in (3600.0, 0.25, 3600.0, 0.25):
        clock.advance(gap)
        counted.append(awake())

    assert counted == [2.0, 2.25, 4.25, 4.5]


@pytest.mark.parametrize("step", [86_400.0, -86_400.0])
def test_a_step_of_the_machines_clock_is_no_gap(clock: FakeClock, awake: AwakeTime, step: float) -> None:
    clock.advance(0.5)
    clock.step(step)

    assert awake() == 0.5


async def test_it_beats_by_itself_so_that_time_without_questions_counts(clock: FakeClock, awake: AwakeTime) -> None:
    await while_running(awake.run(), lambda: clock.elapsed >= 60)

    assert awake() == pytest.approx(clock.elapsed)
    assert (awake.absences, HEARTBEAT < ABSENT) == (0, True)
