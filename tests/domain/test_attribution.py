"""Whose statement a document is: this job's own worker's only if it cannot be the previous worker's."""

from typing import Any

import msgspec
import pytest

from domain.attribution import (
    Former,
    Standing,
    Whose,
    after,
    as_former,
    attribute,
    own_figures,
    standing,
    standing_at_registration,
)
from domain.vma_status import DiskReading, VMAStatus
from tests.support.builders import document, observed

RUNNING, COMPLETED, FAILED = VMAStatus.RUNNING, VMAStatus.COMPLETED, VMAStatus.FAILED
NOT_FOUND, UNREACHABLE = VMAStatus.NOT_FOUND, VMAStatus.UNREACHABLE

FIGURES: dict[str, Any] = {
    "phase": "Transfer",
    "progress_percent": 60.0,
    "bytes_transferred": 600,
    "total_bytes": 1000,
    "started": "10:00",
    "sync_type": "full",
}
OTHER_FIGURES: dict[str, Any] = {
    "phase": "Cleanup",
    "progress_percent": 61.0,
    "bytes_transferred": 610,
    "total_bytes": 2000,
    "started": "11:00",
}


def said(status: VMAStatus = RUNNING, **figures: Any) -> DiskReading:
    """Say 60 % of disk v1, or as given."""
    return DiskReading(volume_id="v1", status=status, **{**FIGURES, **figures})


def was(status: VMAStatus = RUNNING, *, alive: bool | None = None, one_disk: bool = False, **figures: Any) -> Former:
    """Have disk v1 have said 60 % before, or as given."""
    known = {**FIGURES, **figures}
    return Former(volume_id="v1", status=status, alive=alive, one_disk=one_disk, **known)


class TestWithoutAPreviousWorker:
    """Nothing is known to have stood there."""

    @pytest.mark.parametrize("status", [RUNNING, COMPLETED, FAILED])
    def test_every_statement_is_the_jobs_own(self, status: VMAStatus) -> None:
        assert attribute(said(status), None) is Whose.OWN

    @pytest.mark.parametrize(
        ("status", "whose"), [(RUNNING, Whose.OWN), (COMPLETED, Whose.UNSURE), (FAILED, Whose.PREVIOUS)]
    )
    def test_an_end_is_not_surely_the_jobs_own_if_nobody_could_be_asked_at_registration(
        self, status: VMAStatus, whose: Whose
    ) -> None:
        assert attribute(said(status), None, unasked=True) is whose


class TestAfterAnEnd:
    """The previous worker has ended: whatever is written after that is this job's."""

    @pytest.mark.parametrize("ended", [COMPLETED, FAILED])
    def test_a_worker_that_runs_is_the_jobs_own_whatever_its_figures(self, ended: VMAStatus) -> None:
        assert attribute(said(RUNNING), was(ended)) is Whose.OWN
        assert attribute(said(RUNNING, **OTHER_FIGURES), was(ended)) is Whose.OWN

    @pytest.mark.parametrize("ended", [COMPLETED, FAILED])
    def test_the_same_end_is_the_previous_workers(self, ended: VMAStatus) -> None:
        assert attribute(said(ended), was(ended)) is Whose.PREVIOUS

    @pytest.mark.parametrize(("before", "now"), [(COMPLETED, FAILED), (FAILED, COMPLETED)])
    def test_another_end_is_the_jobs_own(self, before: VMAStatus, now: VMAStatus) -> None:
        assert attribute(said(now), was(before)) is Whose.OWN

    @pytest.mark.parametrize("ended", [COMPLETED, FAILED])
    @pytest.mark.parametrize("name", OTHER_FIGURES)
    def test_an_end_with_another_figure_is_the_jobs_own(self, ended: VMAStatus, name: str) -> None:
        assert attribute(said(ended, **{name: OTHER_FIGURES[name]}), was(ended)) is Whose.OWN

    @pytest.mark.parametrize("name", OTHER_FIGURES)
    def test_a_figure_that_only_one_of_the_two_tells_proves_nothing(self, name: str) -> None:
        assert attribute(said(COMPLETED, **{name: None}), was(COMPLETED)) is Whose.PREVIOUS
        unknown: dict[str, Any] = {name: None}
        assert attribute(said(COMPLETED), was(COMPLETED, **unknown)) is Whose.PREVIOUS

    @pytest.mark.parametrize("other", ["incremental", "initial"])
    def test_a_completion_of_another_sync_type_alone_may_be_the_jobs_own(self, other: str) -> None:
        """A whole sync without changes may have run unseen: it changes nothing but its type."""
        assert attribute(said(COMPLETED, sync_type=other), was(COMPLETED)) is Whose.UNSURE

    def test_a_failure_of_another_sync_type_alone_is_never_taken_for_the_jobs_own(self) -> None:
        assert attribute(said(FAILED, sync_type="incremental"), was(FAILED)) is Whose.PREVIOUS

    def test_a_sync_type_that_only_one_of_the_two_tells_proves_nothing(self) -> None:
        assert attribute(said(COMPLETED, sync_type=None), was(COMPLETED)) is Whose.PREVIOUS
        assert attribute(said(COMPLETED), was(COMPLETED, sync_type=None)) is Whose.PREVIOUS

    def test_what_was_asked_at_registration_makes_no_difference_where_the_end_is_known(self) -> None:
        assert attribute(said(COMPLETED), was(COMPLETED), unasked=True) is Whose.PREVIOUS


class TestWhileThePreviousWorkerMayStillWrite:
    """An operator ended the previous job; its worker copies on, and its document goes on as well."""

    @pytest.mark.parametrize("status", [RUNNING, COMPLETED, FAILED])
    def test_every_statement_is_the_previous_workers(self, status: VMAStatus) -> None:
        assert attribute(said(status), was()) is Whose.PREVIOUS
        assert attribute(said(status, progress_percent=95.0, bytes_transferred=950), was()) is Whose.PREVIOUS

    @pytest.mark.parametrize("status", [RUNNING, COMPLETED, FAILED])
    @pytest.mark.parametrize("started", ["09:00", "11:00"])
    def test_another_start_time_proves_no_other_worker(self, status: VMAStatus, started: str) -> None:
        """A VMA that has restarted gives the same worker's document a new one."""
        assert attribute(said(status, started=started), was()) is Whose.PREVIOUS

    @pytest.mark.parametrize("status", [RUNNING, COMPLETED, FAILED])
    def test_one_that_may_go_on_after_an_end_is_believed_in_nothing(self, status: VMAStatus) -> None:
        """It shares the export: its next disk follows the end of one."""
        assert attribute(said(status), was(FAILED, alive=True)) is Whose.PREVIOUS
        assert attribute(said(status, progress_percent=61.0), was(COMPLETED, alive=True)) is Whose.PREVIOUS

    def test_progress_that_went_down_on_an_export_of_one_disk_is_the_jobs_own(self) -> None:
        assert attribute(said(progress_percent=59.9), was(one_disk=True)) is Whose.OWN
        assert attribute(said(progress_percent=60.0), was(one_disk=True)) is Whose.PREVIOUS
        assert attribute(said(progress_percent=60.1), was(one_disk=True)) is Whose.PREVIOUS

    def test_progress_goes_down_with_each_disk_where_an_export_speaks_for_several(self) -> None:
        assert attribute(said(progress_percent=0.0), was()) is Whose.PREVIOUS

    @pytest.mark.parametrize("ended", [COMPLETED, FAILED])
    def test_an_end_below_the_last_progress_is_no_new_worker(self, ended: VMAStatus) -> None:
        assert attribute(said(ended, progress_percent=5.0), was(one_disk=True)) is Whose.PREVIOUS

    def test_progress_that_is_not_told_has_not_gone_down(self) -> None:
        unknown: dict[str, Any] = {"progress_percent": None, "bytes_transferred": None}

        assert attribute(said(**unknown), was(one_disk=True)) is Whose.PREVIOUS
        assert attribute(said(progress_percent=0.0), was(one_disk=True, **unknown)) is Whose.PREVIOUS

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
        assert attribute(said(ended), Former(volume_id="v1", status=status)) is Whose.PREVIOUS

    def test_a_worker_that_runs_may_be_its_own_too(self, status: VMAStatus) -> None:
        unheard = Former(volume_id="v1", status=status)
        assert attribute(said(RUNNING), unheard) is Whose.PREVIOUS

        standing_there = standing_at_registration(said(RUNNING), unheard)

        assert standing_there == as_former(said(RUNNING), unheard)
        assert attribute(said(COMPLETED), standing_there) is Whose.PREVIOUS

    def test_an_export_without_a_document_holds_nothing_of_it(self, status: VMAStatus) -> None:
        assert standing_at_registration(said(NOT_FOUND), Former(volume_id="v1", status=status)) is None


class TestOvertaken:
    """The job's own worker has begun, beside figures that the previous one left."""

    @pytest.mark.parametrize("status", [RUNNING, COMPLETED, FAILED])
    def test_every_statement_is_the_jobs_own_from_then_on(self, status: VMAStatus) -> None:
        assert attribute(said(status), was().overtaken()) is Whose.OWN
        assert attribute(said(status), was(COMPLETED).overtaken()) is Whose.OWN

    def test_what_stands_keeps_its_figures(self) -> None:
        overtaken = was(COMPLETED, one_disk=True).overtaken()

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
        unknown = Former(volume_id="v1", status=COMPLETED)
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


class TestStandingAtRegistration:
    """What a new job's export holds of others."""

    def test_where_nobody_could_be_asked_what_is_known_here_stands(self) -> None:
        assert standing_at_registration(None, was(COMPLETED)) == was(COMPLETED)
        assert standing_at_registration(None, None) is None

    @pytest.mark.parametrize("ended", [COMPLETED, FAILED])
    def test_an_end_stands_whether_its_job_was_known_here_or_not(self, ended: VMAStatus) -> None:
        assert standing_at_registration(said(ended), None) == was(ended)
        assert standing_at_registration(said(ended), was()) == was(ended)

    def test_that_an_export_speaks_for_one_disk_stays_known(self) -> None:
        assert standing_at_registration(said(COMPLETED), was(one_disk=True)) == was(COMPLETED, one_disk=True)
        assert standing_at_registration(said(RUNNING), was(one_disk=True)) == was(one_disk=True)

    def test_an_export_without_a_document_holds_nothing_of_a_worker_that_ended(self) -> None:
        assert standing_at_registration(said(NOT_FOUND), None) is None
        assert standing_at_registration(said(NOT_FOUND), was(COMPLETED)) is None

    def test_an_export_without_a_document_may_get_one_again_of_a_worker_that_is_alive(self) -> None:
        """The VMA may have restarted: the worker writes again within seconds."""
        assert standing_at_registration(said(NOT_FOUND), was()) == was()

    def test_the_worker_of_the_volumes_last_job_goes_on(self) -> None:
        on = said(progress_percent=70.0, bytes_transferred=700)

        assert standing_at_registration(on, was()) == was(progress_percent=70.0, bytes_transferred=700)

    def test_the_new_jobs_worker_may_have_begun_before_the_job_was_registered(self) -> None:
        assert standing_at_registration(said(), was(COMPLETED)) == was(COMPLETED).overtaken()
        below = standing_at_registration(said(progress_percent=1.0), was(one_disk=True))
        assert below == was(one_disk=True).overtaken()

    @pytest.mark.parametrize("status", [RUNNING, COMPLETED, FAILED])
    def test_a_worker_that_may_go_on_after_an_end_stays_known_as_such(self, status: VMAStatus) -> None:
        assert standing_at_registration(said(status), was(FAILED, alive=True)) == was(status, alive=True)

    def test_after_a_failure_on_a_shared_export_the_same_worker_may_run_on(self) -> None:
        """It goes on to its next disk; on an export of one disk nobody but the new job's worker runs."""
        assert standing_at_registration(said(), was(FAILED)) == was()
        assert standing_at_registration(said(), was(FAILED, one_disk=True)) == was(one_disk=True).overtaken()

    def test_a_worker_that_nobody_knows_is_taken_for_the_new_jobs(self) -> None:
        assert standing_at_registration(said(progress_percent=99.9), None) is None
        unknown = said(progress_percent=None, bytes_transferred=None)
        assert standing_at_registration(unknown, None) is None

    @pytest.mark.parametrize("percent", [100.0, 103.9])
    def test_one_at_a_hundred_percent_may_show_the_figures_of_another(self, percent: float) -> None:
        found = said(progress_percent=percent)

        assert standing_at_registration(found, None) == was(progress_percent=percent).overtaken()

    def test_so_may_one_that_has_all_bytes_and_tells_no_percentage(self) -> None:
        found = said(progress_percent=None, bytes_transferred=1000)

        stands = standing_at_registration(found, None)

        assert stands is not None
        assert own_figures(found, stands).stated_progress is None


class TestStanding:
    """What stands on the VMA when a job is registered, over all its disks."""

    def test_each_volume_is_judged_by_its_own_export(self) -> None:
        found = observed(document(COMPLETED, 100.0), NOT_FOUND, document(RUNNING, 3.0), document(FAILED, 7.0))

        stands = standing(found, dict.fromkeys(("v1", "v2", "v3", "v4")))

        assert [(one.volume_id, one.status) for one in stands.left_over] == [("v1", COMPLETED), ("v4", FAILED)]
        assert stands.unasked == ()

    def test_that_nothing_stands_at_another_address_says_nothing_of_the_last_job(self) -> None:
        last = {"v1": was(COMPLETED), "v2": was(COMPLETED)}
        found = observed(NOT_FOUND, NOT_FOUND)

        assert standing(found, last, elsewhere=["v1"]).left_over == (was(COMPLETED),)
        assert standing(found, last).left_over == ()

    def test_what_stands_at_another_address_stands(self) -> None:
        stands = standing(observed(document(FAILED, 7.0)), {"v1": was(COMPLETED)}, elsewhere=["v1"])

        assert [one.status for one in stands.left_over] == [FAILED]

    def test_where_nobody_answered_nobody_knows(self) -> None:
        assert standing(None, dict.fromkeys(("v1", "v2"))) == Standing(unasked=("v1", "v2"))

    @pytest.mark.parametrize(
        "silence",
        [VMAStatus.UNREACHABLE, VMAStatus.UNANSWERED, VMAStatus.UNINTELLIGIBLE, VMAStatus.NOT_ASKED],
    )
    def test_a_volume_that_was_not_answered_for_is_not_known_and_the_others_are(self, silence: VMAStatus) -> None:
        stands = standing(observed(silence, NOT_FOUND), dict.fromkeys(("v1", "v2")))

        assert stands.unasked == ("v1",)

    def test_of_a_volume_that_was_not_answered_for_the_last_job_here_is_known(self) -> None:
        stands = standing(observed(UNREACHABLE, UNREACHABLE), {"v1": was(COMPLETED), "v2": None})

        assert stands == Standing(left_over=(was(COMPLETED),), unasked=("v2",))

    @pytest.mark.parametrize("answered", [document(RUNNING), document(COMPLETED, 100.0), document(FAILED), NOT_FOUND])
    def test_where_a_vma_answered_it_is(self, answered: Any) -> None:
        found = observed(answered, UNREACHABLE, address="http://vma")

        assert standing(found, {"v1": None, "v2": None}).address == "http://vma"

    def test_a_document_that_contradicts_itself_does_not_tell_what_stands_there(self) -> None:
        found = observed(document(COMPLETED, 41.5), NOT_FOUND)

        assert standing(found, dict.fromkeys(("v1", "v2"))).unasked == ("v1",)
        assert standing(found, {"v1": was(COMPLETED), "v2": None}) == Standing(left_over=(was(COMPLETED),))

    def test_where_none_of_its_exports_answered_it_may_not_be(self) -> None:
        found = observed(UNREACHABLE, VMAStatus.UNINTELLIGIBLE, address="http://vma")

        assert standing(found, {"v1": None, "v2": None}).address is None


class TestAfter:
    """What still stands of the previous worker, after this job's own worker was heard."""

    def test_while_a_running_worker_shows_no_figures_of_its_own_the_others_stand(self) -> None:
        own = own_figures(said(), was(COMPLETED))

        assert after(was(COMPLETED), own) == was(COMPLETED).overtaken()
        assert after(was().overtaken(), own) == was().overtaken()

    def test_its_first_own_figure_ends_that(self) -> None:
        assert after(was(COMPLETED), own_figures(said(progress_percent=1.0), was(COMPLETED))) is None

    @pytest.mark.parametrize("ended", [COMPLETED, FAILED])
    def test_so_does_its_end_with_or_without_figures(self, ended: VMAStatus) -> None:
        assert after(was(COMPLETED), said(ended)) is None
        assert after(was(COMPLETED), said(ended, progress_percent=None, bytes_transferred=None)) is None


def test_a_document_of_others_is_kept_with_all_that_it_says() -> None:
    assert as_former(said(COMPLETED), None) == was(COMPLETED)
    assert as_former(said(COMPLETED), was()) == was(COMPLETED)
    assert as_former(said(RUNNING), was(COMPLETED, alive=False, one_disk=True)) == was(RUNNING, one_disk=True)


def test_documents_are_compared_by_what_they_say_each_time_that_they_are_read() -> None:
    read = msgspec.json.decode(msgspec.json.encode(said()), type=DiskReading)
    end = msgspec.json.decode(msgspec.json.encode(said(COMPLETED)), type=DiskReading)

    assert own_figures(read, was()) == said(progress_percent=None, bytes_transferred=None)
    assert attribute(end, was(COMPLETED)) is Whose.PREVIOUS


def test_nothing_stands_by_default() -> None:
    assert (Standing().left_over, Standing().unasked, Standing().address) == ((), (), None)
    plain = Former(volume_id="v1", status=RUNNING)
    assert (plain.alive, plain.one_disk) == (None, False)
