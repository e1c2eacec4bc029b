"""What a worker's own report says, read without a service."""

from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.vma.worker_reports import read_report
from domain.errors import InvalidInput, Refused
from domain.vma_status import Observation, VMAStatus

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
FIGURES: dict[str, Any] = {"bytes_transferred": 415, "total_bytes": 1000, "progress_percent": 41.5}
NO_FIGURES: dict[str, Any] = dict.fromkeys(FIGURES, 0)


def reported(*volume_ids: str, **fields: Any) -> Observation:
    """Return what a report says about a job of these volumes, by default of one."""
    return read_report("job-1", "default", volume_ids or ("disk-1",), {"status": "in_progress", **fields}, NOON)


def figures(observation: Observation) -> tuple[object, ...]:
    return observation.bytes_transferred, observation.total_bytes, observation.progress_percent


def test_a_report_is_an_observation_of_the_job_at_the_time_of_its_arrival() -> None:
    seen = reported(current_phase="Transfer", **FIGURES)

    assert (seen.job_id, seen.vma, seen.observed_at, seen.status) == ("job-1", "default", NOON, VMAStatus.RUNNING)
    assert (seen.phase, figures(seen)) == ("Transfer", (415, 1000, 41.5))
    assert [answer.asked_id for answer in seen.answers] == ["migration-vol-disk-1", "job-1"]


@pytest.mark.parametrize("name", FIGURES)
def test_figures_that_are_all_zero_are_none_and_one_that_is_not_gives_all_of_them(name: str) -> None:
    one = {**NO_FIGURES, name: FIGURES[name]}

    assert figures(reported(**NO_FIGURES)) == (None, None, None)
    assert figures(reported(**{**NO_FIGURES, name: None})) == (None, None, None)
    assert figures(reported(**one)) == tuple(one.values())


def test_a_report_lists_at_most_64_disks() -> None:
    for entry in ({"disk_index": 0}, 0):
        assert reported(disks=[entry] * 64).status is VMAStatus.RUNNING
        for _ in range(2):
            with pytest.raises(InvalidInput, match="the report lists 65 disks; a job has at most 64"):
                reported(disks=[entry] * 65)
    assert reported(disks="x" * 100).status is VMAStatus.RUNNING


@pytest.mark.parametrize("status", ["dreaming", "", None, 7])
def test_a_report_without_a_known_status_is_invalid(status: object) -> None:
    with pytest.raises(InvalidInput, match="the report cannot be read"):
        reported(status=status)


def test_a_completed_with_a_figure_that_cannot_be_read_is_refused_and_a_running_one_is_not() -> None:
    with pytest.raises(Refused, match="the report changes nothing"):
        reported(status="completed", progress_percent="much")

    assert reported(progress_percent="much", bytes_transferred=5).bytes_transferred == 5


@pytest.mark.parametrize("disk_id", ["disk-2", "migration-vol-disk-2"])
def test_a_disk_that_is_named_by_its_volume_or_export_is_the_reading_of_that_disk_alone(disk_id: str) -> None:
    one, other = reported("disk-1", "disk-2", disks=[{"disk_id": disk_id, "status": "in_progress", **FIGURES}]).disks

    assert (one.volume_id, one.status, one.progress_percent) == ("disk-1", VMAStatus.NOT_FOUND, None)
    assert (other.volume_id, other.status, other.progress_percent) == ("disk-2", VMAStatus.RUNNING, 41.5)


@pytest.mark.parametrize(
    "unreadable", [{"disk_id": "disk-1"}, {"disk_id": "disk-1", "status": ""}, {"disk_id": "disk-1", "status": "?"}, 7]
)
def test_a_disk_that_cannot_be_read_hides_no_later_entry_about_it(unreadable: object) -> None:
    seen = reported(disks=[unreadable, {"disk_id": "disk-1", "status": "failed", "error_message": "full"}])

    assert [disk.status for disk in seen.disks] == [VMAStatus.FAILED]
    assert seen.status is VMAStatus.FAILED


def test_of_two_entries_about_a_disk_the_first_counts() -> None:
    entries = [{"disk_id": "disk-1", "status": status} for status in ("in_progress", "failed")]

    assert reported(disks=entries).disks[0].status is VMAStatus.RUNNING


def test_a_failed_disk_that_has_an_index_only_fails_the_job_with_its_message() -> None:
    seen = reported(disks=[{"disk_index": 0, "status": "failed", "error_message": "no space left"}, {"disk_index": 1}])

    assert (seen.status, seen.error) == (VMAStatus.FAILED, "no space left")


def test_completed_is_of_one_disk_and_of_all_that_are_listed() -> None:
    listed = [{"disk_index": n, "status": "completed", "progress_percent": 100} for n in range(2)]

    assert reported(status="completed").status is VMAStatus.COMPLETED
    assert reported("disk-1", "disk-2", status="completed").covered == 1
    assert reported("disk-1", "disk-2", status="completed", disks=listed).covered == 2


@pytest.mark.parametrize("name", [{"disk_id": "disk-1"}, {"disk_id": "migration-vol-disk-1"}, {"disk_index": 0}])
def test_the_error_of_a_disk_is_told_once_however_the_report_names_the_disk(name: dict[str, Any]) -> None:
    failed = {**name, "status": "failed", "error_message": "full"}

    assert reported(status="failed", disks=[failed]).error == "full"
    both = reported("disk-1", "disk-2", status="failed", error="late", disks=[failed]).error or ""
    assert sorted(both.split("; ")) == ["full", "late"]
