"""What stands on the VMA when a job is registered, and what stands there after each answer."""

from typing import Any

import msgspec
import pytest

from domain.attribution import (
    InitialReadings,
    PreviousReading,
    initial_reading,
    initial_readings,
    own_figures,
    remaining,
)
from domain.vma_status import VMAStatus
from tests.domain.statements import COMPLETED, FAILED, RUNNING, said, was
from tests.support.builders import document, observed

NOT_FOUND, UNREACHABLE = VMAStatus.NOT_FOUND, VMAStatus.UNREACHABLE


class TestStandingAtRegistration:
    """What a new job's export holds of others."""

    def test_where_nobody_could_be_asked_what_is_known_here_stands(self) -> None:
        assert initial_reading(None, was(COMPLETED)) == was(COMPLETED)
        assert initial_reading(None, None) is None

    @pytest.mark.parametrize("ended", [COMPLETED, FAILED])
    def test_an_end_stands_whether_its_job_was_known_here_or_not(self, ended: VMAStatus) -> None:
        assert initial_reading(said(ended), None) == was(ended)
        assert initial_reading(said(ended), was()) == was(ended)

    def test_that_an_export_speaks_for_one_disk_stays_known(self) -> None:
        assert initial_reading(said(COMPLETED), was(one_disk=True)) == was(COMPLETED, one_disk=True)
        assert initial_reading(said(RUNNING), was(one_disk=True)) == was(one_disk=True)

    def test_an_export_without_a_document_holds_nothing_of_a_worker_that_was_overtaken(self) -> None:
        assert initial_reading(said(NOT_FOUND), None) is None
        assert initial_reading(said(NOT_FOUND), was(COMPLETED).superseded()) is None

    @pytest.mark.parametrize("ended", [COMPLETED, FAILED])
    def test_an_export_without_a_document_may_get_the_end_again_that_it_had_before_its_vma_restarted(
        self, ended: VMAStatus
    ) -> None:
        assert initial_reading(said(NOT_FOUND), was(ended)) == was(ended)

    def test_an_export_without_a_document_may_get_one_again_of_a_worker_that_is_alive(self) -> None:
        """The VMA may have restarted: the worker writes again within seconds."""
        assert initial_reading(said(NOT_FOUND), was()) == was()

    def test_a_worker_that_was_never_observed_may_write_again_until_an_end_stands_there(self) -> None:
        may_run = PreviousReading(volume_id="v1", status=VMAStatus.UNANSWERED, alive=True)

        assert initial_reading(said(NOT_FOUND), may_run) == may_run
        assert initial_reading(said(RUNNING), may_run) == was()
        assert initial_reading(said(COMPLETED), may_run) == was(COMPLETED)

    def test_the_worker_of_the_volumes_last_job_goes_on(self) -> None:
        on = said(progress_percent=70.0, bytes_transferred=700)

        assert initial_reading(on, was()) == was(progress_percent=70.0, bytes_transferred=700)

    def test_the_new_jobs_worker_may_have_begun_before_the_job_was_registered(self) -> None:
        assert initial_reading(said(), was(COMPLETED)) == was(COMPLETED).superseded()
        below = initial_reading(said(progress_percent=1.0), was(one_disk=True))
        assert below == was(one_disk=True).superseded()

    @pytest.mark.parametrize("status", [RUNNING, COMPLETED, FAILED])
    def test_a_worker_that_may_go_on_after_an_end_stays_known_as_such(self, status: VMAStatus) -> None:
        assert initial_reading(said(status), was(FAILED, alive=True)) == was(status, alive=True)

    def test_after_a_failure_on_a_shared_export_the_same_worker_may_run_on(self) -> None:
        """It goes on to its next disk; on an export of one disk nobody but the new job's worker runs."""
        assert initial_reading(said(), was(FAILED)) == was()
        assert initial_reading(said(), was(FAILED, one_disk=True)) == was(one_disk=True).superseded()

    def test_a_worker_that_nobody_knows_is_taken_for_the_new_jobs(self) -> None:
        assert initial_reading(said(progress_percent=99.9), None) is None
        unknown = said(progress_percent=None, bytes_transferred=None)
        assert initial_reading(unknown, None) is None

    @pytest.mark.parametrize("percent", [100.0, 103.9])
    def test_one_at_a_hundred_percent_may_show_the_figures_of_another(self, percent: float) -> None:
        found = said(progress_percent=percent)

        assert initial_reading(found, None) == was(progress_percent=percent).superseded()

    def test_so_may_one_that_has_all_bytes_and_tells_no_percentage(self) -> None:
        found = said(progress_percent=None, bytes_transferred=1000)

        stands = initial_reading(found, None)

        assert stands is not None
        assert own_figures(found, stands).stated_progress is None


class TestStanding:
    """What stands on the VMA when a job is registered, over all its disks."""

    def test_each_volume_is_judged_by_its_own_export(self) -> None:
        found = observed(document(COMPLETED, 100.0), NOT_FOUND, document(RUNNING, 3.0), document(FAILED, 7.0))

        stands = initial_readings(found, dict.fromkeys(("v1", "v2", "v3", "v4")))

        assert [(one.volume_id, one.status) for one in stands.previous_readings] == [("v1", COMPLETED), ("v4", FAILED)]
        assert stands.unasked == ()

    def test_that_nothing_stands_at_another_address_says_nothing_of_the_last_job(self) -> None:
        last = {"v1": was(COMPLETED), "v2": was(COMPLETED)}
        found = observed(NOT_FOUND, NOT_FOUND)

        assert initial_readings(found, last).unasked == ()
        assert initial_readings(found, last, elsewhere=["v1"]).unasked == ("v1",)

    def test_what_stands_at_another_address_stands(self) -> None:
        stands = initial_readings(observed(document(FAILED, 7.0)), {"v1": was(COMPLETED)}, elsewhere=["v1"])

        assert [one.status for one in stands.previous_readings] == [FAILED]

    def test_where_nobody_answered_nobody_knows(self) -> None:
        assert initial_readings(None, dict.fromkeys(("v1", "v2"))) == InitialReadings(unasked=("v1", "v2"))

    @pytest.mark.parametrize(
        "silence",
        [VMAStatus.UNREACHABLE, VMAStatus.UNANSWERED, VMAStatus.UNINTELLIGIBLE, VMAStatus.NOT_ASKED],
    )
    def test_a_volume_that_was_not_answered_for_is_not_known_and_the_others_are(self, silence: VMAStatus) -> None:
        stands = initial_readings(observed(silence, NOT_FOUND), dict.fromkeys(("v1", "v2")))

        assert stands.unasked == ("v1",)

    def test_of_a_volume_that_was_not_answered_for_the_last_job_here_is_known(self) -> None:
        stands = initial_readings(observed(UNREACHABLE, UNREACHABLE), {"v1": was(COMPLETED), "v2": None})

        assert stands == InitialReadings(previous_readings=(was(COMPLETED),), unasked=("v1", "v2"))

    @pytest.mark.parametrize("last", [was(RUNNING), msgspec.structs.replace(was(COMPLETED), alive=True)])
    def test_a_worker_that_may_still_write_is_known_whether_or_not_its_export_was_asked(
        self, last: PreviousReading
    ) -> None:
        assert initial_readings(None, {"v1": last}) == InitialReadings(previous_readings=(last,))

    @pytest.mark.parametrize("answered", [document(RUNNING), document(COMPLETED, 100.0), document(FAILED), NOT_FOUND])
    def test_where_a_vma_answered_it_is(self, answered: Any) -> None:
        found = observed(answered, UNREACHABLE, address="http://vma")

        assert initial_readings(found, {"v1": None, "v2": None}).address == "http://vma"

    def test_a_document_that_contradicts_itself_does_not_tell_what_stands_there(self) -> None:
        found = observed(document(COMPLETED, 41.5), NOT_FOUND)

        assert initial_readings(found, dict.fromkeys(("v1", "v2"))).unasked == ("v1",)
        assert initial_readings(found, {"v1": was(COMPLETED), "v2": None}) == InitialReadings(
            previous_readings=(was(COMPLETED),), unasked=("v1",)
        )

    def test_where_none_of_its_exports_answered_it_may_not_be(self) -> None:
        found = observed(UNREACHABLE, VMAStatus.UNINTELLIGIBLE, address="http://vma")

        assert initial_readings(found, {"v1": None, "v2": None}).address is None


class TestAfter:
    """What still stands of the previous worker, after this job's own worker was heard."""

    def test_while_a_running_worker_shows_no_figures_of_its_own_the_others_stand(self) -> None:
        own = own_figures(said(), was(COMPLETED))

        assert remaining(was(COMPLETED), own) == was(COMPLETED).superseded()
        assert remaining(was().superseded(), own) == was().superseded()

    def test_its_first_own_percentage_ends_that(self) -> None:
        assert remaining(was(COMPLETED), own_figures(said(progress_percent=1.0), was(COMPLETED))) is None

    def test_bytes_of_its_own_beside_the_percentage_of_the_worker_before_do_not(self) -> None:
        own = own_figures(said(bytes_transferred=0), was(FAILED))

        assert (own.progress_percent, own.bytes_transferred) == (None, 0)
        assert remaining(was(FAILED), own) == was(FAILED).superseded()

    @pytest.mark.parametrize("ended", [COMPLETED, FAILED])
    def test_so_does_its_end_with_or_without_figures(self, ended: VMAStatus) -> None:
        assert remaining(was(COMPLETED), said(ended)) is None
        assert remaining(was(COMPLETED), said(ended, progress_percent=None, bytes_transferred=None)) is None


def test_nothing_stands_by_default() -> None:
    assert (InitialReadings().previous_readings, InitialReadings().unasked, InitialReadings().address) == ((), (), None)
    plain = PreviousReading(volume_id="v1", status=RUNNING)
    assert (plain.alive, plain.one_disk) == (None, False)
