"""The reports that workers send by themselves, in every form."""

from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.simulated_vma.reports import FORMS
from adapters.simulated_vma.spec import GIB
from adapters.simulated_vma.world import World
from tests.support.clock import FakeClock


@pytest.fixture
def job(world: World, clock: FakeClock) -> None:
    """Two disks, of which one is at 40 % and the other is finished."""
    world.add_job("job-1", ["a", "b"], duration=100, wording="plain")
    clock.advance(40.25)
    world.finish("job-1", "b")


def body(world: World, form: Any = "full", **how: Any) -> dict[str, Any]:
    return world.report_of("job-1", form, **how)[1]


def test_a_full_report_has_all_figures_and_whole_seconds_with_an_offset(world: World, job: None) -> None:
    job_type, report = world.report_of("job-1")

    assert job_type == "backup", "as workers call replication jobs, too"
    assert report == {
        "status": "in_progress",
        "current_phase": "Transfer",
        "bytes_transferred": pytest.approx(56.1 * GIB),
        "total_bytes": 80 * GIB,
        "transfer_speed_bps": 100_000_000,
        "eta_seconds": pytest.approx(256, abs=1),
        "progress_percent": pytest.approx(70.125),
        "error": None,
        "disks": [],
        "timestamp": "2025-10-03T16:00:40+02:00",
    }


def test_it_is_sent_when_it_is_asked_to_be(world: World, job: None) -> None:
    noon = datetime(2026, 1, 1, 12, 0, 0, 987_654, tzinfo=UTC)

    assert body(world, at=noon)["timestamp"] == "2026-01-01T14:00:00+02:00"
    assert world.report_of("job-1", job_type="replication")[0] == "replication"


def test_several_in_one_second_have_one_timestamp(world: World, clock: FakeClock, job: None) -> None:
    before = body(world)
    clock.advance(0.5)
    after = body(world)

    assert before["timestamp"] == after["timestamp"]
    assert before["progress_percent"] < after["progress_percent"]


def test_a_report_of_a_status_alone_has_no_figures(world: World, job: None) -> None:
    report = body(world, "status_only")

    figures = {report[name] for name in ("bytes_transferred", "total_bytes", "progress_percent", "eta_seconds")}
    assert (report["status"], figures) == ("in_progress", {0})


def test_disks_are_named_by_index_or_by_the_workers_own_id(world: World, job: None) -> None:
    by_index, by_id = (body(world, form)["disks"] for form in ("disks_by_index", "disks_by_id"))

    assert [disk["disk_index"] for disk in by_index] == [0, 1]
    assert [disk["disk_id"] for disk in by_id] == ["disk-2000", "disk-2001"]
    assert [disk["status"] for disk in by_index] == ["transferring", "completed"]
    assert not any("error_message" in disk for disk in by_index)


def test_an_error_is_a_text_or_an_object(world: World, job: None) -> None:
    world.fail("job-1", "datastore is full", disk="a")

    report = body(world, "error_object")

    assert (report["status"], report["error"]) == (
        "failed",
        {"message": "datastore is full", "timestamp": report["timestamp"]},
    )
    assert body(world, "error_text")["error"] == "datastore is full"
    assert body(world, "disks_by_index")["disks"][0]["error_message"] == "datastore is full"


def test_an_error_may_come_while_the_copy_continues(world: World, job: None) -> None:
    report = body(world, "error_object")

    assert (report["status"], report["error"]["message"]) == ("in_progress", "a read was repeated")


def test_a_timestamp_may_be_absent_and_a_percentage_above_100(world: World, job: None) -> None:
    assert "timestamp" not in body(world, "no_timestamp")
    assert body(world, "above_100")["progress_percent"] == 103.9
    assert set(body(world, "unknown_fields")) > set(body(world))


@pytest.mark.parametrize("form", FORMS)
def test_the_last_report_has_the_final_status(world: World, job: None, form: str) -> None:
    world.finish("job-1")

    assert body(world, form)["status"] == "completed"


def test_a_dead_worker_reports_nothing(world: World, job: None) -> None:
    world.kill("job-1")

    with pytest.raises(LookupError, match="job-1 is dead"):
        world.report_of("job-1")


def test_an_unknown_form_is_refused(world: World, job: None) -> None:
    with pytest.raises(LookupError, match="there is no form 'smoke'"):
        body(world, "smoke")
