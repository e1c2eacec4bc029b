"""Whose statement a document is: this job's own worker's only if it cannot be the previous worker's."""

from typing import Any

import msgspec
import pytest

from domain.attribution import (
    Attribution,
    PreviousReading,
    as_previous,
    attribute,
    initial_reading,
    own_figures,
)
from domain.vma_status import DiskReading, VMAStatus
from tests.domain.statements import COMPLETED, FAILED, OTHER_FIGURES, RUNNING, said, was

NOT_FOUND, UNREACHABLE = VMAStatus.NOT_FOUND, VMAStatus.UNREACHABLE


class TestWithoutAPreviousWorker:
    """Nothing is known to have stood there."""

    @pytest.mark.parametrize("status", [RUNNING, COMPLETED, FAILED])
    def test_every_statement_is_the_jobs_own(self, status: VMAStatus) -> None:
        assert attribute(said(status), None) is Attribution.OWN

    @pytest.mark.parametrize(
        ("status", "whose"),
        [(RUNNING, Attribution.OWN), (COMPLETED, Attribution.UNCERTAIN), (FAILED, Attribution.PREVIOUS)],
    )
    def test_an_end_is_not_surely_the_jobs_own_if_nobody_could_be_asked_at_registration(
        self, status: VMAStatus, whose: Attribution
    ) -> None:
        assert attribute(said(status), None, unasked=True) is whose


class TestAfterAnEnd:
    """The previous worker has ended: whatever is written after that is this job's."""

    @pytest.mark.parametrize("ended", [COMPLETED, FAILED])
    def test_a_worker_that_runs_is_the_jobs_own_whatever_its_figures(self, ended: VMAStatus) -> None:
        assert attribute(said(RUNNING), was(ended)) is Attribution.OWN
        assert attribute(said(RUNNING, **OTHER_FIGURES), was(ended)) is Attribution.OWN

    @pytest.mark.parametrize("ended", [COMPLETED, FAILED])
    def test_the_same_end_is_the_previous_workers(self, ended: VMAStatus) -> None:
        assert attribute(said(ended), was(ended)) is Attribution.PREVIOUS

    @pytest.mark.parametrize(("before", "now"), [(COMPLETED, FAILED), (FAILED, COMPLETED)])
    def test_another_end_is_the_jobs_own(self, before: VMAStatus, now: VMAStatus) -> None:
        assert attribute(said(now), was(before)) is Attribution.OWN

    @pytest.mark.parametrize(
        ("now", "whose"),
        [(RUNNING, Attribution.OWN), (COMPLETED, Attribution.UNCERTAIN), (FAILED, Attribution.PREVIOUS)],
    )
    @pytest.mark.parametrize("name", OTHER_FIGURES)
    def test_another_end_may_be_the_previous_workers_if_the_export_could_not_be_asked_at_registration(
        self, name: str, now: VMAStatus, whose: Attribution
    ) -> None:
        """A worker may write its end more than once, and only the first one was seen."""
        other = said(now, **{name: OTHER_FIGURES[name]})

        assert attribute(other, was(COMPLETED), unasked=True) is whose
        assert attribute(other, was(FAILED), unasked=True) is whose
        assert attribute(said(COMPLETED), was(COMPLETED), unasked=True) is Attribution.PREVIOUS

    @pytest.mark.parametrize("ended", [COMPLETED, FAILED])
    @pytest.mark.parametrize(
        "other",
        [
            {"total_bytes": 2000},
            {"progress_percent": 59.0},
            {"bytes_transferred": 599},
            {"progress_percent": 61.0, "bytes_transferred": 599},
            {"progress_percent": 61.0, "started": "11:00"},
            {**OTHER_FIGURES, "sync_type": "incremental"},
        ],
    )
    def test_an_end_with_other_figures_than_the_worker_before_can_have_is_the_jobs_own(
        self, ended: VMAStatus, other: dict[str, Any]
    ) -> None:
        assert attribute(said(ended, **other), was(ended)) is Attribution.OWN

    @pytest.mark.parametrize(("ended", "whose"), [(COMPLETED, Attribution.UNCERTAIN), (FAILED, Attribution.OWN)])
    @pytest.mark.parametrize(
        "more",
        [
            {"progress_percent": 61.0},
            {"bytes_transferred": 601},
            {"progress_percent": 61.0, "bytes_transferred": 610, "phase": "Cleanup"},
            {"progress_percent": 61.0, "bytes_transferred": None, "started": None},
        ],
    )
    def test_a_completion_with_more_progress_and_the_same_start_may_be_the_previous_workers(
        self, ended: VMAStatus, whose: Attribution, more: dict[str, Any]
    ) -> None:
        """A completion counts from 99 % on; then its worker writes 100 %. A worker that has failed writes no more."""
        assert attribute(said(ended, **more), was(ended)) is whose

    @pytest.mark.parametrize(("ended", "whose"), [(COMPLETED, Attribution.UNCERTAIN), (FAILED, Attribution.PREVIOUS)])
    @pytest.mark.parametrize("name", ["phase", "started"])
    def test_an_end_in_another_phase_or_with_another_start_may_be_the_previous_workers(
        self, ended: VMAStatus, name: str, whose: Attribution
    ) -> None:
        """It writes its end more than once, and a VMA that has restarted gives it a new start time."""
        assert attribute(said(ended, **{name: OTHER_FIGURES[name]}), was(ended)) is whose

    @pytest.mark.parametrize("name", OTHER_FIGURES)
    def test_a_figure_that_only_one_of_the_two_tells_proves_nothing(self, name: str) -> None:
        assert attribute(said(COMPLETED, **{name: None}), was(COMPLETED)) is Attribution.PREVIOUS
        unknown: dict[str, Any] = {name: None}
        assert attribute(said(COMPLETED), was(COMPLETED, **unknown)) is Attribution.PREVIOUS

    @pytest.mark.parametrize("other", ["incremental", "initial"])
    def test_a_completion_of_another_sync_type_alone_may_be_the_jobs_own(self, other: str) -> None:
        """A whole sync without changes may have run unseen: it changes nothing but its type."""
        assert attribute(said(COMPLETED, sync_type=other), was(COMPLETED)) is Attribution.UNCERTAIN

    def test_a_failure_of_another_sync_type_alone_is_never_taken_for_the_jobs_own(self) -> None:
        assert attribute(said(FAILED, sync_type="incremental"), was(FAILED)) is Attribution.PREVIOUS

    def test_a_sync_type_that_only_one_of_the_two_tells_proves_nothing(self) -> None:
        assert attribute(said(COMPLETED, sync_type=None), was(COMPLETED)) is Attribution.PREVIOUS
        assert attribute(said(COMPLETED), was(COMPLETED, sync_type=None)) is Attribution.PREVIOUS

    def test_what_was_asked_at_registration_makes_no_difference_where_the_end_is_known(self) -> None:
        assert attribute(said(COMPLETED), was(COMPLETED), unasked=True) is Attribution.PREVIOUS


class TestWhileThePreviousWorkerMayStillWrite:
    """An operator ended the previous job; its worker copies on, and its document goes on as well."""

    @pytest.mark.parametrize("status", [RUNNING, COMPLETED, FAILED])
    def test_every_statement_is_the_previous_workers(self, status: VMAStatus) -> None:
        assert attribute(said(status), was()) is Attribution.PREVIOUS
        assert attribute(said(status, progress_percent=95.0, bytes_transferred=950), was()) is Attribution.PREVIOUS

    @pytest.mark.parametrize("status", [RUNNING, COMPLETED, FAILED])
    @pytest.mark.parametrize("started", ["09:00", "11:00"])
    def test_another_start_time_proves_no_other_worker(self, status: VMAStatus, started: str) -> None:
        """A VMA that has restarted gives the same worker's document a new one."""
        assert attribute(said(status, started=started), was()) is Attribution.PREVIOUS

    @pytest.mark.parametrize("status", [RUNNING, COMPLETED, FAILED])
    def test_one_that_may_go_on_after_an_end_is_believed_in_nothing(self, status: VMAStatus) -> None:
        """It shares the export: its next disk follows the end of one."""
        assert attribute(said(status), was(FAILED, alive=True)) is Attribution.PREVIOUS
        assert attribute(said(status, progress_percent=61.0), was(COMPLETED, alive=True)) is Attribution.PREVIOUS

    def test_progress_that_went_down_on_an_export_of_one_disk_is_the_jobs_own(self) -> None:
        assert attribute(said(progress_percent=59.9), was(one_disk=True)) is Attribution.OWN
        assert attribute(said(progress_percent=60.0), was(one_disk=True)) is Attribution.PREVIOUS
        assert attribute(said(progress_percent=60.1), was(one_disk=True)) is Attribution.PREVIOUS

    def test_progress_goes_down_with_each_disk_where_an_export_speaks_for_several(self) -> None:
        assert attribute(said(progress_percent=0.0), was()) is Attribution.PREVIOUS

    @pytest.mark.parametrize("ended", [COMPLETED, FAILED])
    def test_an_end_below_the_last_progress_is_no_new_worker(self, ended: VMAStatus) -> None:
        assert attribute(said(ended, progress_percent=5.0), was(one_disk=True)) is Attribution.PREVIOUS

    def test_progress_that_is_not_told_has_not_gone_down(self) -> None:
        unknown: dict[str, Any] = {"progress_percent": None, "bytes_transferred": None}

        assert attribute(said(**unknown), was(one_disk=True)) is Attribution.PREVIOUS
        assert attribute(said(progress_percent=0.0), was(one_disk=True, **unknown)) is Attribution.PREVIOUS

    def test_a_worker_is_alive_if_it_was_last_seen_running_or_if_it_is_known_to_be(self) -> None:
        assert was(RUNNING).may_still_write
        assert was(COMPLETED, alive=True).may_still_write
        for gone in (was(COMPLETED), was(FAILED), was(NOT_FOUND), was(RUNNING, alive=False)):
            assert not gone.may_still_write


@pytest.mark.parametrize("status", [VMAStatus.UNANSWERED, NOT_FOUND])
class TestAfterAJobOfWhichNothingWasHeard:
    """An earlier job of the volume is known here, but not what its worker did."""

    @pytest.mark.parametrize("ended", [COMPLETED, FAILED])
    def test_an_end_is_its_workers(self, status: VMAStatus, ended: VMAStatus) -> None:
        assert attribute(said(ended), PreviousReading(volume_id="v1", status=status)) is Attribution.PREVIOUS

    def test_a_worker_that_runs_may_be_its_own_too(self, status: VMAStatus) -> None:
        unheard = PreviousReading(volume_id="v1", status=status)
        assert attribute(said(RUNNING), unheard) is Attribution.PREVIOUS

        standing_there = initial_reading(said(RUNNING), unheard)

        assert standing_there == as_previous(said(RUNNING), unheard)
        assert attribute(said(COMPLETED), standing_there) is Attribution.PREVIOUS

    def test_an_export_without_a_document_holds_nothing_of_it(self, status: VMAStatus) -> None:
        assert initial_reading(said(NOT_FOUND), PreviousReading(volume_id="v1", status=status)) is None


class TestOvertaken:
    """The job's own worker has begun, beside figures that the previous one left."""

    @pytest.mark.parametrize("status", [RUNNING, COMPLETED, FAILED])
    def test_every_statement_is_the_jobs_own_from_then_on(self, status: VMAStatus) -> None:
        assert attribute(said(status), was().superseded()) is Attribution.OWN
        assert attribute(said(status), was(COMPLETED).superseded()) is Attribution.OWN

    def test_what_stands_keeps_its_figures(self) -> None:
        overtaken = was(COMPLETED, one_disk=True).superseded()

        assert overtaken == was(RUNNING, alive=False, one_disk=True)


class TestOwnFigures:
    """A worker may begin with the figures of the one before."""

    def test_a_running_worker_does_not_own_the_figures_that_stood_there(self) -> None:
        own = own_figures(said(), was(COMPLETED))

        assert own == said(progress_percent=None, bytes_transferred=None)

    def test_each_figure_is_its_own_as_soon_as_it_changes(self) -> None:
        percent = said(progress_percent=5.0)
        done = said(bytes_transferred=50)

        assert own_figures(percent, was()) == said(progress_percent=5.0, bytes_transferred=None)
        assert own_figures(done, was()) == said(progress_percent=None, bytes_transferred=50)
        for both in (
            said(progress_percent=99.0, bytes_transferred=990),
            said(progress_percent=1.0, bytes_transferred=9),
        ):
            assert own_figures(both, was()) == both

    def test_without_a_previous_worker_all_figures_are_its_own(self) -> None:
        assert own_figures(said(), None) == said()

    @pytest.mark.parametrize("percent", [100.0, 103.9])
    def test_all_of_it_may_be_the_figures_of_one_whose_figures_are_not_known(self, percent: float) -> None:
        unknown = PreviousReading(volume_id="v1", status=COMPLETED)
        whole = said(progress_percent=percent, bytes_transferred=1000)

        assert own_figures(whole, unknown) == said(progress_percent=None, bytes_transferred=None)
        assert own_figures(said(progress_percent=99.9, bytes_transferred=999), unknown) == said(
            progress_percent=99.9, bytes_transferred=999
        )
        untold = said(progress_percent=None, bytes_transferred=5, total_bytes=None)
        assert own_figures(untold, unknown) == untold

    @pytest.mark.parametrize("ended", [COMPLETED, FAILED])
    def test_an_end_that_is_the_jobs_own_is_so_with_its_figures(self, ended: VMAStatus) -> None:
        assert own_figures(said(ended), was()) == said(ended)


def test_a_document_of_others_is_kept_with_all_that_it_says() -> None:
    assert as_previous(said(COMPLETED), None) == was(COMPLETED)
    assert as_previous(said(COMPLETED), was()) == was(COMPLETED)
    assert as_previous(said(RUNNING), was(COMPLETED, alive=False, one_disk=True)) == was(RUNNING, one_disk=True)


def test_documents_are_compared_by_what_they_say_each_time_that_they_are_read() -> None:
    read = msgspec.json.decode(msgspec.json.encode(said()), type=DiskReading)
    end = msgspec.json.decode(msgspec.json.encode(said(COMPLETED)), type=DiskReading)

    assert own_figures(read, was()) == said(progress_percent=None, bytes_transferred=None)
    assert attribute(end, was(COMPLETED)) is Attribution.PREVIOUS
