"""The progress and the bytes of a job, from the documents of its disks."""

import msgspec
import pytest

from domain.vma_status import DiskReport, Document, VMAStatus
from tests.support.builders import document, listing, observed

RUNNING = document(VMAStatus.RUNNING, 40.0)
LOST = VMAStatus.NOT_FOUND


def test_progress_is_by_bytes_where_sizes_are_known() -> None:
    big, small = document(percent=10.0, total=9000), document(percent=100.0, total=1000)

    assert observed(big, small).progress_percent == pytest.approx(19.0)
    assert observed(document(percent=10.0, total=None), document(percent=30.0, total=None)).progress_percent == 20.0
    assert observed(document(percent=10.0, total=9), document(percent=30.0, total=None)).progress_percent == 20.0
    assert observed(document(percent=10.0), LOST).progress_percent is None
    assert observed(LOST, LOST, own=document(percent=33.0)).progress_percent == 33.0


def test_progress_says_for_how_many_disks_it_speaks() -> None:
    assert observed(RUNNING, RUNNING).progress_covers == 2
    assert observed(LOST, LOST, own=RUNNING).progress_covers == 1
    assert observed(LOST, LOST, own=document(disks=listing(10, 20))).progress_covers == 2


@pytest.mark.parametrize(
    ("percent", "listed", "least"),
    [
        (55.0, listing(100, 10), 10.0),
        (96.4, (*listing(100), DiskReport(disk_id="disk-9", status=VMAStatus.RUNNING)), 0.0),
        (96.4, listing(100, 100), 96.4),
        (None, listing(30, 20), 20.0),
        (None, listing(100, 100), 100.0),
        (33.0, (), 33.0),
        (None, (), None),
    ],
)
def test_progress_under_the_jobs_own_id_is_as_far_as_its_least_disk(
    percent: float | None, listed: tuple[DiskReport, ...], least: float | None
) -> None:
    assert observed(LOST, LOST, own=document(percent=percent, disks=listed)).least_percent == least


def test_exports_have_their_own_progress_each() -> None:
    assert observed(RUNNING, RUNNING).least_percent is None


def test_an_export_that_lists_disks_is_as_far_as_its_least_disk() -> None:
    listed = document(percent=95.0, disks=listing(100, 20))

    assert observed(listed).least_percent == 20.0
    assert observed(document(percent=10.0), listed).least_percent == 10.0
    assert observed(LOST, own=document(percent=50.0)).least_percent == 50.0
    assert observed(listed, own=document(percent=50.0)).least_percent == 20.0


def test_bytes_are_added_up_over_the_disks_that_say_them() -> None:
    seen = observed(document(percent=10.0, total=1000), document(percent=50.0, total=500), document(total=None))

    assert (seen.bytes_transferred, seen.total_bytes) == (350, 1500)
    assert observed(document(total=None)).bytes_transferred is None
    own = observed(LOST, LOST, own=document(percent=20.0, total=1000))
    assert (own.bytes_transferred, own.total_bytes) == (200, 1000)


def sized(transferred: int, total: int) -> Document:
    return Document(status=VMAStatus.RUNNING, bytes_transferred=transferred, total_bytes=total)


def test_progress_by_bytes_is_exact_and_never_above_a_hundred() -> None:
    assert observed(sized(1, 3), sized(0, 3)).progress_percent == pytest.approx(100 / 6)
    assert observed(sized(0, 1000), sized(0, 1000)).progress_percent == 0.0
    assert observed(sized(1100, 1000)).progress_percent == 100.0
    assert observed(document(percent=10.0, total=None), document(percent=25.0, total=None)).progress_percent == 17.5


def with_bytes(percent: float, done: int | None, total: int | None, status: VMAStatus = VMAStatus.RUNNING) -> Document:
    return msgspec.structs.replace(document(status, percent), bytes_transferred=done, total_bytes=total)


@pytest.mark.parametrize("under_own_id", [False, True])
@pytest.mark.parametrize(
    ("percent", "done", "total", "believed"),
    [
        (100.0, 0, 1000, None),
        (99.0, 0, 1000, None),
        (98.9, 0, 1000, 98.9),
        (100.0, 1, 1000, 100.0),
        (100.0, 1000, 1000, 100.0),
        (100.0, None, 1000, 100.0),
        (100.0, 0, 0, 100.0),
        (100.0, 0, None, 100.0),
    ],
)
def test_a_running_worker_is_not_at_its_end_without_a_byte(
    percent: float, done: int | None, total: int | None, believed: float | None, *, under_own_id: bool
) -> None:
    stated = with_bytes(percent, done, total)

    seen = observed(LOST, own=stated) if under_own_id else observed(stated)

    assert (seen.status, seen.progress_percent) == (VMAStatus.RUNNING, believed)


def test_one_disk_without_a_byte_leaves_the_progress_of_the_other_as_it_is() -> None:
    seen = observed(with_bytes(100.0, 0, 1000), with_bytes(40.0, 400, 1000))

    assert [disk.progress_percent for disk in seen.disks] == [None, 40.0]
    assert (seen.status, seen.progress_percent) == (VMAStatus.RUNNING, None)


def test_a_failed_job_shows_the_progress_that_it_states() -> None:
    assert observed(LOST, own=with_bytes(100.0, 0, 1000, VMAStatus.FAILED)).progress_percent == 100.0
