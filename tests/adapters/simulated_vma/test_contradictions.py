"""Documents that contradict themselves, exceed their bounds, or cover more disks than their id names."""

import pytest

from adapters.simulated_vma.spec import GIB
from adapters.simulated_vma.vocabulary import truth_of_status
from adapters.simulated_vma.world import World
from tests.adapters.simulated_vma.documents import EXPORT, document_of, percent, stated
from tests.support.clock import FakeClock


def test_a_total_floored_to_whole_gib_makes_percentages_above_100(world: World, clock: FakeClock) -> None:
    world.add_job("job-1", ["a"], total_bytes=int(1.04 * GIB), floors_total=True, duration=100)
    clock.advance(99.9)

    assert (percent(world), stated(world).total_bytes) == (103.9, GIB)
    assert truth_of_status(stated(world).status or "") == "running"

    clock.advance(1)
    assert stated(world).percent == 100.0


def test_a_total_of_less_than_a_gib_is_not_floored_to_nothing(world: World, clock: FakeClock) -> None:
    world.add_job("job-1", ["a"], total_bytes=1000, floors_total=True, duration=100)
    clock.advance(50)

    assert (percent(world), stated(world).total_bytes) == (50.0, 1000)


@pytest.mark.parametrize("dialect", ["current", "oldest"])
def test_a_contradicting_document_is_completed_with_no_bytes_while_the_job_copies(
    world: World, clock: FakeClock, dialect: str
) -> None:
    world.add_job("job-1", ["a"], duration=100, dialect=dialect)
    world.add_job("job-2", ["b"], duration=100, dialect=dialect)
    clock.advance(40)

    world.contradict("job-1")

    claimed = stated(world)
    assert (claimed.status, claimed.phase, claimed.percent) == ("completed", "Copying Data", 100.0)
    assert (claimed.bytes_transferred, claimed.total_bytes) == (0, 40 * GIB)
    assert world.truth("job-1") == "running"
    assert world.progress("job-1") == pytest.approx(40.0)
    assert percent(world, "migration-vol-b") == 40.0, "the other job's document is true"

    world.say("job-1")
    assert percent(world) == 40.0


def test_an_old_vma_contradicts_itself_too(world: World) -> None:
    world.add_job("job-1", ["a"], dialect="status_only")

    world.contradict("job-1")

    document = world.status_of("job-1")
    assert document is not None
    assert (document["status"], document["progress_percent"]) == ("completed", 100.0)


def test_an_unknown_field_is_refused(world: World) -> None:
    world.add_job("job-1", ["a"])

    with pytest.raises(ValueError, match="unknown field `colour`"):
        world.say("job-1", colour="red")


def test_a_shared_id_is_completed_for_27_seconds_between_two_disks(world: World, clock: FakeClock) -> None:
    world.add_job("job-1", ["a", "b"], reports="shared_export", duration=40, disk_gap=27, wording="plain")
    clock.advance(41)
    statuses = []
    for _ in range(9):
        statuses.append(stated(world).status)
        clock.advance(3.25)

    assert statuses == ["completed"] * 8 + ["in_progress"]
    assert "disk_progresses" not in document_of(world)
    assert world.progress_of("migration-vol-b") is None


@pytest.mark.parametrize("lists_disks", [True, False])
def test_all_disks_may_be_reported_under_the_first_export(world: World, clock: FakeClock, lists_disks: bool) -> None:  # noqa: FBT001 - a parameter of the test
    world.add_job("job-1", ["a", "b"], reports="first_export", lists_disks=lists_disks, duration=100)
    clock.advance(40)
    world.finish("job-1", "a")

    document = document_of(world)

    assert (percent(world), stated(world).total_bytes) == (70.0, 80 * GIB)
    assert [round(disk["percent"]) for disk in document.get("disk_progresses", [])] == (
        [100, 40] if lists_disks else []
    )
    assert [world.progress_of(asked_id) for asked_id in ("migration-vol-b", "job-1")] == [None, None]


def test_all_times_come_from_its_own_clock(world: World, clock: FakeClock) -> None:
    clock.advance(60)
    world.add_job("job-1", ["a"])
    clock.advance(30)

    assert (stated(world, EXPORT).started, stated(world).updated) == (
        "2025-10-03T14:01:00+00:00",
        "2025-10-03T14:01:30+00:00",
    )
