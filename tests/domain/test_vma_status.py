"""What a document's figures say of its own word, and what an observation says of itself."""

from typing import Any

import pytest

from domain.vma_status import (
    CONCLUSIVE,
    ENDS,
    Answer,
    DiskReading,
    DiskReport,
    Document,
    Observation,
    VMAStatus,
)
from tests.builders import NOON, document, observed

SAYS_DONE: dict[str, Any] = {"status": VMAStatus.COMPLETED}


def test_figures_that_contradict_a_completed_make_it_doubtful() -> None:
    assert observed(document(VMAStatus.COMPLETED, 41.5)).doubtful
    assert observed(document(VMAStatus.COMPLETED, 99.2)).conclusive
    assert observed(document(VMAStatus.COMPLETED, 0.0, total=0)).conclusive
    assert observed(document(VMAStatus.COMPLETED, None)).conclusive


@pytest.mark.parametrize(
    ("said", "belied_at"),
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
    ],
)
def test_a_completed_is_belied_by_its_own_figures(said: Document, belied_at: float | None) -> None:
    seen = observed(said)

    assert (seen.belied_at, seen.doubtful, seen.covered) == (belied_at, belied_at is not None, int(belied_at is None))


@pytest.mark.parametrize(("percent", "doubtful"), [(98.9, True), (99.0, False), (100.0, False)])
def test_a_completed_may_be_reported_with_ninety_nine_percent(percent: float, *, doubtful: bool) -> None:
    assert observed(document(VMAStatus.COMPLETED, percent)).doubtful is doubtful


@pytest.mark.parametrize(("percent", "finished"), [(100.0, True), (99.5, False), (50.0, False), (None, False)])
def test_a_disk_that_is_listed_as_running_is_finished_at_a_hundred_percent_only(
    percent: float | None, *, finished: bool
) -> None:
    disk = DiskReport(disk_id="disk-0", status=VMAStatus.RUNNING, progress_percent=percent)

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
    assert (plain.latency_ms, seen.took_ms, seen.covered, seen.speaks_for) == (0.0, 0.0, 0, 0)
    assert observed(document()).took_ms == 0.0


def test_movement_is_what_changes_while_a_worker_lives() -> None:
    still = observed(document(percent=40.0), seconds=0).movement

    assert observed(document(percent=40.0), seconds=99).movement == still
    for moved in (document(percent=40.1), document(percent=40.0, phase="Cleanup"), document(percent=40.0, total=9)):
        assert observed(moved).movement != still


class TestWhoseWord:
    """An export is named by its volume: what tells one worker's words from another's is when it began."""

    def reading(self, status: VMAStatus = VMAStatus.RUNNING, started: str | None = "10:00") -> DiskReading:
        return DiskReading(volume_id="v1", status=status, progress_percent=100.0, started=started)

    @pytest.mark.parametrize("status", VMAStatus)
    def test_a_word_is_what_the_vma_itself_says_and_does_not_contradict(self, status: VMAStatus) -> None:
        assert self.reading(status).is_word is (status in CONCLUSIVE)
        assert not DiskReading(volume_id="v1", status=VMAStatus.COMPLETED, progress_percent=41.5).is_word

    @pytest.mark.parametrize("other", ["09:00", "11:00", None])
    def test_an_end_is_that_of_the_worker_that_began_when_it_did(self, other: str | None) -> None:
        ended = self.reading(VMAStatus.COMPLETED)

        assert ended.is_end_of(self.reading())
        assert not ended.is_end_of(self.reading(started=other))
        assert not self.reading(VMAStatus.COMPLETED, started=other).is_end_of(self.reading())
        assert not self.reading().is_end_of(self.reading())

    @pytest.mark.parametrize("other", ["09:00", "11:00", None])
    def test_another_worker_came_after_one_that_ended_or_that_had_begun_at_another_time(
        self, other: str | None
    ) -> None:
        assert self.reading(started=other).is_after(self.reading())
        assert not self.reading().is_after(self.reading())
        for ended in ENDS:
            assert self.reading().is_after(self.reading(ended))
            assert not self.reading(ended, started=other).is_after(self.reading())
            assert not self.reading(ended, started=other).is_after(self.reading(ended))

    @pytest.mark.parametrize(
        ("said", "earlier", "known"),
        [(None, "10:00", "10:00"), ("11:00", "10:00", "11:00"), ("11:00", None, "11:00"), (None, None, None)],
    )
    def test_a_start_that_is_not_said_again_is_still_known(
        self, said: str | None, earlier: str | None, known: str | None
    ) -> None:
        now = self.reading(VMAStatus.COMPLETED, said)

        assert now.with_start_of(self.reading(started=earlier)) == self.reading(VMAStatus.COMPLETED, known)
        assert now.with_start_of(None) == now
