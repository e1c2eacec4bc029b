"""What a document's figures say of its own word, and what an observation says of itself."""

from typing import Any

import msgspec
import pytest

from domain.vma_status import (
    CONCLUSIVE,
    VMA,
    WORKER,
    Answer,
    DiskReading,
    DiskReport,
    Document,
    Figures,
    Observation,
    VMAStatus,
)
from tests.support.builders import NOON, document, observed

SAYS_DONE: dict[str, Any] = {"status": VMAStatus.COMPLETED}


def test_figures_that_contradict_a_completed_make_it_doubtful() -> None:
    assert observed(document(VMAStatus.COMPLETED, 41.5)).doubtful
    assert observed(document(VMAStatus.COMPLETED, 99.2)).conclusive
    assert observed(document(VMAStatus.COMPLETED, 0.0, total=0)).conclusive
    assert observed(document(VMAStatus.COMPLETED, None)).conclusive


@pytest.mark.parametrize(
    ("said", "contradicting_progress"),
    [
        (document(VMAStatus.COMPLETED, 41.5), 41.5),
        (document(VMAStatus.COMPLETED, 41.5, total=None), 41.5),
        (document(VMAStatus.COMPLETED, 0.0), 0.0),
        (document(VMAStatus.COMPLETED, 0.0, total=None), None),
        (document(VMAStatus.COMPLETED, 41.5, total=0), 41.5),
        (Document(**SAYS_DONE, progress_percent=0.0, bytes_transferred=5), 0.0),
        (document(VMAStatus.COMPLETED, 98.9), 98.9),
        (document(VMAStatus.COMPLETED, 99.0), None),
        (document(VMAStatus.COMPLETED, None), None),
        (document(VMAStatus.COMPLETED, 100.0, disks=(DiskReport(disk_id="d", **SAYS_DONE, progress_percent=7),)), 7),
        (Document(**SAYS_DONE, bytes_transferred=17, total_bytes=40), 42.5),
        (Document(**SAYS_DONE, bytes_transferred=17, total_bytes=40, progress_percent=100.0), None),
        (Document(**SAYS_DONE, bytes_transferred=0, total_bytes=0), None),
        (Document(**SAYS_DONE, bytes_transferred=0), None),
        (Document(**SAYS_DONE, total_bytes=40), None),
        (Document(**SAYS_DONE, bytes_transferred=0, total_bytes=40, progress_percent=100.0), 0.0),
        (Document(**SAYS_DONE, bytes_transferred=0, total_bytes=40), 0.0),
        (Document(**SAYS_DONE, bytes_transferred=0, total_bytes=0, progress_percent=100.0), None),
        (Document(**SAYS_DONE, bytes_transferred=1, total_bytes=40, progress_percent=100.0), None),
        (Document(**SAYS_DONE, bytes_transferred=0, total_bytes=0, progress_percent=50.0), 50.0),
    ],
)
def test_a_completed_is_belied_by_its_own_figures(said: Document, contradicting_progress: float | None) -> None:
    seen = observed(said)

    assert (seen.contradicting_progress, seen.doubtful, seen.covered) == (
        contradicting_progress,
        contradicting_progress is not None,
        int(contradicting_progress is None),
    )


@pytest.mark.parametrize(("percent", "doubtful"), [(98.9, True), (99.0, False), (100.0, False)])
def test_a_completed_may_be_reported_with_ninety_nine_percent(percent: float, *, doubtful: bool) -> None:
    assert observed(document(VMAStatus.COMPLETED, percent)).doubtful is doubtful


@pytest.mark.parametrize(("percent", "finished"), [(100.0, True), (99.5, False), (50.0, False), (None, False)])
def test_a_disk_that_is_listed_as_running_is_finished_at_a_hundred_percent_only(
    percent: float | None, *, finished: bool
) -> None:
    disk = DiskReport(disk_id="disk-0", status=VMAStatus.RUNNING, progress_percent=percent)

    assert disk.is_finished is finished


@pytest.mark.parametrize(("done", "finished"), [(999, False), (1000, True), (1100, True)])
def test_a_running_disk_without_a_percentage_is_finished_when_all_of_its_bytes_are_copied_or_more(
    done: int, *, finished: bool
) -> None:
    """A disk that was written to meanwhile may have copied more than it had."""
    disk = DiskReport(disk_id="disk-0", status=VMAStatus.RUNNING, bytes_transferred=done, total_bytes=1000)

    assert disk.is_finished is finished


@pytest.mark.parametrize(
    ("percent", "total", "finished"),
    [(100.0, 10, True), (41.0, 10, False), (41.0, None, False), (0.0, 0, True), (None, None, True)],
)
def test_a_disk_that_is_listed_as_completed_is_finished_unless_its_figures_belie_it(
    percent: float | None, total: int | None, *, finished: bool
) -> None:
    disk = DiskReport(disk_id="disk-0", **SAYS_DONE, progress_percent=percent, total_bytes=total)

    assert disk.is_finished is finished


def test_a_failed_disk_in_the_list_is_not_finished_however_far_it_came() -> None:
    assert not DiskReport(disk_id="disk-0", status=VMAStatus.FAILED, progress_percent=100.0).is_finished


def test_what_is_recorded_keeps_raw_excerpts_only_where_asked() -> None:
    seen = observed(document())

    assert all(a.document is None for a in seen.for_log(raw=True).answers)
    assert all(a.excerpt is None for a in seen.for_log(raw=False).answers)


def test_a_recorded_answer_keeps_its_excerpt_and_says_in_words_what_it_was() -> None:
    raw = Answer(asked_id="v1", status=VMAStatus.UNINTELLIGIBLE, excerpt="<html>", detail="not JSON")
    plain = Answer(asked_id="v2", status=VMAStatus.NOT_FOUND)
    seen = Observation(
        job_id="job-1", vma="default", status=VMAStatus.UNINTELLIGIBLE, observed_at=NOON, answers=(raw, plain)
    )

    assert [a.excerpt for a in seen.for_log(raw=True).answers] == ["<html>", None]
    assert seen.summary() == "v1: not JSON; v2: not_found"
    assert (plain.latency_ms, seen.took_ms, seen.covered, seen.progress_covers) == (0.0, 0.0, 0, 0)
    assert observed(document()).took_ms == 0.0


def test_movement_is_what_changes_while_a_worker_lives() -> None:
    still = observed(document(percent=40.0), seconds=0).movement

    assert observed(document(percent=40.0), seconds=99).movement == still
    for moved in (document(percent=40.1), document(percent=40.0, phase="Cleanup"), document(percent=40.0, total=9)):
        assert observed(moved).movement != still


@pytest.mark.parametrize("status", VMAStatus)
def test_a_disk_states_how_it_is_if_its_answer_is_conclusive(status: VMAStatus) -> None:
    reading = DiskReading(volume_id="v1", status=status, progress_percent=100.0)

    assert reading.is_statement is (status in CONCLUSIVE)


def test_a_disk_that_contradicts_itself_states_nothing() -> None:
    assert not DiskReading(volume_id="v1", **SAYS_DONE, progress_percent=41.5).is_statement


@pytest.mark.parametrize("status", VMAStatus)
def test_a_job_was_heard_of_if_its_own_worker_was(status: VMAStatus) -> None:
    seen = Observation(job_id="job-1", vma="default", status=status, observed_at=NOON)

    assert seen.is_contact is (status in {VMAStatus.RUNNING, VMAStatus.FAILED})
    assert msgspec.structs.replace(seen, covered=1).is_contact is (status in CONCLUSIVE)


@pytest.mark.parametrize(
    ("percent", "done", "total", "stated"),
    [
        (5.0, 1000, 1000, 5.0),
        (None, 250, 1000, 25.0),
        (None, 0, 1000, 0.0),
        (None, 250, 0, None),
        (None, 250, None, None),
        (None, None, 1000, None),
        (0.0, 250, 1000, 0.0),
    ],
)
def test_what_is_said_in_percent_outweighs_the_bytes(
    percent: float | None, done: int | None, total: int | None, stated: float | None
) -> None:
    figures = Figures(status=VMAStatus.RUNNING, progress_percent=percent, bytes_transferred=done, total_bytes=total)

    assert figures.stated_progress == stated


@pytest.mark.parametrize(
    ("percent", "done", "total", "credible"),
    [
        (5.0, 1000, 1000, None),
        (98.9, 1000, 1000, None),
        (99.0, 1000, 1000, 1000),
        (100.0, 1000, 1000, 1000),
        (None, 1000, 1000, 1000),
        (5.0, 999, 1000, 999),
        (5.0, 0, 0, 0),
        (5.0, None, None, None),
    ],
)
def test_all_bytes_beside_a_lower_percentage_are_the_previous_workers(
    percent: float | None, done: int | None, total: int | None, credible: int | None
) -> None:
    figures = Figures(status=VMAStatus.RUNNING, progress_percent=percent, bytes_transferred=done, total_bytes=total)

    assert figures.credible_bytes == credible


def test_ids_that_answered_alike_are_named_once() -> None:
    seen = observed(VMAStatus.NOT_FOUND, VMAStatus.NOT_FOUND, VMAStatus.NOT_FOUND, VMAStatus.UNINTELLIGIBLE)

    assert seen.summary() == "migration-vol-v1 and 2 more: not_found; migration-vol-v4: unintelligible"
    assert observed(VMAStatus.NOT_FOUND, VMAStatus.NOT_FOUND).summary() == "migration-vol-v1 and 1 more: not_found"


@pytest.mark.parametrize(
    ("told", "by", "alone"),
    [
        ({}, WORKER, True),
        ({}, VMA, False),
        ({"progress_percent": 0.0}, WORKER, False),
        ({"bytes_transferred": 0}, WORKER, False),
        ({"total_bytes": 0}, WORKER, False),
    ],
)
def test_a_worker_that_reports_a_status_alone_tells_no_figures(told: dict[str, Any], by: str, *, alone: bool) -> None:
    seen = Observation(job_id="job-1", vma="default", status=VMAStatus.RUNNING, observed_at=NOON, source=by, **told)

    assert seen.has_no_figures is alone
