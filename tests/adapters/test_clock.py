"""Time goes on steadily, whatever is done to the machine's clock."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.clock import Anchor, AnchorFile, SteadyClock, SystemClock
from tests.builders import NOON

JUMPS = [timedelta(hours=2), timedelta(hours=-2), timedelta(days=3650), timedelta(days=-3650)]


class Machine:
    """A machine whose clock can be set, and that can be started anew."""

    def __init__(self) -> None:
        self.set_off = timedelta()
        self.uptime = 10_000.0
        self.boot = "boot-1"

    def wall(self) -> datetime:
        return NOON + timedelta(seconds=self.uptime) + self.set_off

    def clock(self, last: Anchor | None = None) -> SteadyClock:
        return SteadyClock(self.wall, lambda: self.uptime, self.boot, last)


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_a_jump_of_the_machines_clock_is_no_time_that_passed(machine: Machine, jump: timedelta) -> None:
    clock = machine.clock()
    before = clock.now()

    machine.set_off = jump
    machine.uptime += 10

    assert (clock.now() - before).total_seconds() == pytest.approx(10, rel=0.011)
    assert clock.machine_is_ahead() == pytest.approx(jump.total_seconds(), abs=0.2)


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_a_jump_while_the_service_was_down_is_none_either(machine: Machine, jump: timedelta) -> None:
    last = machine.clock().anchor()

    machine.set_off = jump
    machine.uptime += 10
    clock = machine.clock(last)

    assert (clock.now() - last.time).total_seconds() == pytest.approx(10, rel=0.011)


def test_after_a_jump_time_meets_the_machines_clock_again_slowly_and_never_goes_back(machine: Machine) -> None:
    clock, seen = machine.clock(), []
    machine.set_off = timedelta(seconds=-30)
    for _ in range(40):
        machine.uptime += 100
        seen.append(clock.now())

    assert seen == sorted(seen)
    assert clock.machine_is_ahead() == 0
    assert clock.now() == machine.wall()


def test_ordinary_corrections_are_followed_at_once(machine: Machine) -> None:
    clock = machine.clock()
    for _ in range(10):
        machine.uptime += 1
        machine.set_off += timedelta(microseconds=500)

        assert clock.now() == machine.wall()


@pytest.mark.parametrize("change", ["boot", "uptime"])
def test_the_anchor_of_another_start_of_the_machine_says_nothing(machine: Machine, change: str) -> None:
    last = machine.clock().anchor()

    if change == "boot":
        machine.boot = "boot-2"
    machine.uptime, machine.set_off = 5.0, timedelta(hours=3)

    assert machine.clock(last).now() == machine.wall()


def test_a_machine_that_does_not_name_its_starts_goes_by_its_clock(machine: Machine) -> None:
    machine.boot = ""
    last = machine.clock().anchor()
    machine.set_off = timedelta(hours=3)

    assert machine.clock(last).now() == machine.wall()


def test_a_machine_that_has_just_been_started_may_still_set_its_clock(machine: Machine) -> None:
    machine.uptime, machine.set_off = 20.0, timedelta(days=1)
    clock = machine.clock()
    assert clock.now() == machine.wall()

    machine.uptime, machine.set_off = 60.0, timedelta()

    assert clock.now() == machine.wall()


@pytest.fixture
def in_time_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Return what puts this process into a time zone, for the time of a test."""

    def move(zone: str) -> None:
        monkeypatch.setenv("TZ", zone)
        time.tzset()

    yield move
    monkeypatch.undo()
    time.tzset()


def summer_begins_at(moment: float) -> str:
    """Return a zone that is an hour ahead of UTC, and two from a moment on, by the rule for `TZ` in POSIX."""
    local = time.gmtime(moment + 3600)
    day, at = local.tm_yday - 1, f"{local.tm_hour}:{local.tm_min}:{local.tm_sec}"
    return f"WIN-1SUM-2,{day}/{at},{(day + 180) % 365}/{at}"


def test_summer_time_changes_nothing(in_time_zone: Callable[[str], None]) -> None:
    in_time_zone(summer_begins_at(time.time() + 3))
    clock = SystemClock()
    before, local_before = clock.now(), datetime.now()  # noqa: DTZ005 - what a clock on local time would show
    assert not time.localtime().tm_isdst

    while not time.localtime().tm_isdst:
        time.sleep(0.02)

    after, local_after = clock.now(), datetime.now()  # noqa: DTZ005
    assert local_after - local_before > timedelta(hours=1)
    assert after - before < timedelta(minutes=1)
    for shown in (clock.now(), SystemClock().now(), SystemClock(clock.anchor()).now()):
        assert abs(shown.timestamp() - time.time()) < 1
    assert abs(clock.machine_is_ahead()) < 1


def test_the_real_clock_shows_the_machines_time() -> None:
    clock = SystemClock()

    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=1)
    assert clock.now().tzinfo is UTC


def test_an_anchor_outlives_its_process(tmp_path: Path, machine: Machine) -> None:
    file, anchor = AnchorFile(tmp_path), machine.clock().anchor()
    assert file.read() is None

    file.write(anchor)

    assert AnchorFile(tmp_path).read() == anchor


ANCHOR = b'{"boot":"b","uptime":1.0,"time":"%s"}'


@pytest.mark.parametrize(
    "nonsense",
    [
        b'{"boot": ',
        b"[]",
        b"[" * 100_000,
        ANCHOR.replace(b'"b"', b'"\xff"') % b"2026-01-01T00:00:00Z",
        ANCHOR % b"2026-01-01T00:00:00",
        ANCHOR % b"0001-01-01T00:00:00+14:00",
        ANCHOR % b"9999-12-31T23:59:59Z",
    ],
    ids=lambda text: text[-40:].decode("latin-1"),
)
def test_an_anchor_that_cannot_be_read_is_none(tmp_path: Path, nonsense: bytes) -> None:
    (tmp_path / "clock.json").write_bytes(nonsense)

    assert AnchorFile(tmp_path).read() is None


def test_an_anchor_that_was_written_by_another_clock_is_gone_on_from_in_utc(tmp_path: Path) -> None:
    (tmp_path / "clock.json").write_bytes(ANCHOR % b"2026-01-01T02:00:00+02:00")

    found = AnchorFile(tmp_path).read()

    assert found is not None
    assert found.time.isoformat() == "2026-01-01T00:00:00+00:00"


@pytest.mark.parametrize("uptime", [-1e30, 1e30])
def test_an_anchor_of_an_impossible_uptime_is_not_gone_on_from(machine: Machine, uptime: float) -> None:
    last = Anchor(boot=machine.boot, uptime=uptime, time=NOON)

    assert machine.clock(last).now() == machine.wall()
