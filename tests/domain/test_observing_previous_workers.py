"""A document that a previous worker may have left is no statement about the job."""

import pytest

from domain.attribution import PreviousReading
from domain.observing import needs_own_id
from domain.ports import ProbeTarget
from domain.vma_status import DiskReading, DiskReport, Document, VMAStatus
from tests.support.builders import answer, document, listing, observed

COMPLETED = document(VMAStatus.COMPLETED, 100.0)
RUNNING = document(VMAStatus.RUNNING, 40.0)
FAILED = document(VMAStatus.FAILED, 40.0)
LOST, DOWN, NOISE = VMAStatus.NOT_FOUND, VMAStatus.UNREACHABLE, VMAStatus.UNINTELLIGIBLE
MUTE, UNASKED = VMAStatus.UNANSWERED, VMAStatus.NOT_ASKED


class TestPreviousWorker:
    """Exports are named by volumes, and the VMA keeps a document until the next worker writes."""

    ENDED = document(VMAStatus.COMPLETED, 100.0, started="10:00")
    LEFT = PreviousReading(
        volume_id="v1",
        status=VMAStatus.COMPLETED,
        phase="Transfer",
        progress_percent=100.0,
        bytes_transferred=1000,
        total_bytes=1000,
        started="10:00",
    )
    LEFT_FAILED = PreviousReading(volume_id="v1", status=VMAStatus.FAILED, progress_percent=40.0)
    ALIVE = PreviousReading(volume_id="v1", status=VMAStatus.RUNNING, progress_percent=41.0, started="10:00")

    def test_its_document_is_no_answer_about_this_job_and_is_kept_beside(self) -> None:
        seen = observed(self.ENDED, own=LOST, previous_readings=(self.LEFT,))

        assert (seen.status, seen.conclusive, seen.is_contact) == (MUTE, False, False)
        assert seen.disks == (DiskReading(volume_id="v1", status=MUTE),)
        assert [(one.volume_id, one.status, one.started) for one in seen.previous] == [
            ("v1", VMAStatus.COMPLETED, "10:00")
        ]
        assert (seen.progress_percent, seen.phase, seen.covered, seen.progress_covers) == (None, None, 0, 0)

    @pytest.mark.parametrize(
        ("said", "left"), [(ENDED, LEFT), (FAILED, LEFT_FAILED), (document(percent=95.0, started="10:00"), ALIVE)]
    )
    def test_the_evidence_says_whose_it_is(self, said: Document, left: PreviousReading) -> None:
        found = observed(said, own=LOST, previous_readings=(left,)).answers[0]

        assert (found.status, found.document) == (MUTE, None)
        assert found.detail == f"{said.status.value}, which is the state that the volume's previous worker left"

    def test_a_job_is_not_found_only_without_it(self) -> None:
        assert observed(LOST, own=LOST, previous_readings=(self.LEFT,)).status is LOST
        assert observed(self.ENDED, LOST, own=LOST, previous_readings=(self.LEFT,)).status is MUTE

    def test_it_does_not_hide_why_another_id_gave_no_answer(self) -> None:
        for silence, expected in ((DOWN, MUTE), (MUTE, MUTE), (NOISE, NOISE), (UNASKED, UNASKED)):
            assert observed(self.ENDED, silence, own=LOST, previous_readings=(self.LEFT,)).status is expected

    @pytest.mark.parametrize(
        ("own", "expected"),
        [(RUNNING, VMAStatus.RUNNING), (FAILED, VMAStatus.FAILED), (COMPLETED, VMAStatus.COMPLETED)],
    )
    def test_the_worker_under_the_jobs_own_id_outweighs_it(self, own: Document, expected: VMAStatus) -> None:
        seen = observed(self.ENDED, own=own, previous_readings=(self.LEFT,))

        assert (seen.status, seen.conclusive) == (expected, True)
        assert [one.volume_id for one in seen.previous] == ["v1"]

    def test_beside_it_another_disk_of_this_job_counts(self) -> None:
        assert observed(self.ENDED, RUNNING, previous_readings=(self.LEFT,)).status is VMAStatus.RUNNING
        assert observed(self.ENDED, FAILED, previous_readings=(self.LEFT,)).status is VMAStatus.FAILED

    def test_a_disk_that_shows_it_is_not_completed_by_another_one(self) -> None:
        seen = observed(self.ENDED, COMPLETED, own=LOST, previous_readings=(self.LEFT,))

        assert (seen.status, seen.covered) == (MUTE, 0)

    def test_it_belongs_to_its_own_volume_only(self) -> None:
        seen = observed(LOST, self.ENDED, own=LOST, previous_readings=(self.LEFT,))

        assert (seen.status, seen.covered, seen.previous) == (VMAStatus.COMPLETED, 1, ())

    def test_each_disk_is_compared_with_what_stood_on_its_own_export(self) -> None:
        percents = {"v2": 60.0, "v3": 30.0, "v1": 90.0}
        left = tuple(
            PreviousReading(
                volume_id=volume_id,
                status=VMAStatus.COMPLETED,
                progress_percent=percent,
                bytes_transferred=int(10 * percent),
            )
            for volume_id, percent in percents.items()
        )

        begun = observed(*(document(percent=percents[v]) for v in ("v1", "v2", "v3")), previous_readings=left)

        assert [(one.progress_percent, one.bytes_transferred) for one in begun.disks] == 3 * [(None, None)]

    def test_a_document_that_contradicts_itself_is_nothing_to_compare_later_ones_with(self) -> None:
        half = document(VMAStatus.COMPLETED, 60.0)
        left = PreviousReading(volume_id="v1", status=VMAStatus.UNANSWERED)

        seen = observed(half, previous_readings=(left,))

        assert (seen.status, seen.previous) == (VMAStatus.UNANSWERED, ())

    def test_a_running_worker_begins_without_its_figures(self) -> None:
        first = document(VMAStatus.RUNNING, 100.0, started="10:00", phase="Initializing")

        seen = observed(first, previous_readings=(self.LEFT,))

        assert (seen.status, seen.conclusive, seen.previous) == (VMAStatus.RUNNING, True, ())
        assert (seen.progress_percent, seen.bytes_transferred, seen.phase) == (None, None, "Initializing")

    def test_a_completion_that_may_be_its_is_doubtful_and_no_contact(self) -> None:
        seen = observed(COMPLETED, own=LOST, unasked=frozenset({"v1"}))

        assert (seen.status, seen.covered, seen.doubtful, seen.conclusive) == (VMAStatus.COMPLETED, 0, True, False)
        assert (seen.is_contact, seen.previous, seen.disks[0].status) == (False, (), MUTE)
        found = seen.answers[0]
        assert (found.status, found.document) == (VMAStatus.COMPLETED, None)
        assert found.detail == "completed, which may be the state that the volume's previous worker left"

    def test_one_that_contradicts_itself_does_so_whoever_wrote_it(self) -> None:
        seen = observed(document(VMAStatus.COMPLETED, 41.5), own=LOST, unasked=frozenset({"v1"}))

        assert (seen.status, seen.contradicting_progress, seen.covered) == (VMAStatus.COMPLETED, 41.5, 0)

    def test_one_that_contradicts_itself_says_nothing_against_the_jobs_own_worker(self) -> None:
        half = document(VMAStatus.COMPLETED, 41.5)
        left = PreviousReading(volume_id="v1", status=VMAStatus.COMPLETED, progress_percent=41.5)

        seen = observed(half, own=COMPLETED, previous_readings=(left,))

        assert (seen.status, seen.contradicting_progress, seen.conclusive) == (VMAStatus.COMPLETED, None, True)

    def test_figures_at_a_hundred_percent_may_be_its_where_nobody_could_be_asked(self) -> None:
        whole = document(VMAStatus.RUNNING, 100.0)

        asked, unasked = observed(whole, whole, unasked=frozenset({"v2"})).disks

        assert (asked.progress_percent, asked.bytes_transferred) == (100.0, 1000)
        assert (unasked.status, unasked.progress_percent, unasked.bytes_transferred) == (VMAStatus.RUNNING, None, None)

    def test_its_figures_are_known_where_an_earlier_job_was(self) -> None:
        left = PreviousReading(
            volume_id="v1", status=VMAStatus.COMPLETED, progress_percent=100.0, bytes_transferred=1000
        )

        seen = observed(document(VMAStatus.RUNNING, 60.0), previous_readings=(left,), unasked=frozenset({"v1"})).disks[
            0
        ]
        same = observed(document(VMAStatus.RUNNING, 100.0), previous_readings=(left,), unasked=frozenset({"v1"})).disks[
            0
        ]

        assert (seen.progress_percent, same.progress_percent) == (60.0, None)

    def test_what_may_be_its_makes_no_other_disk_doubtful(self) -> None:
        both = observed(COMPLETED, COMPLETED, own=LOST, unasked=frozenset({"v2"}))

        assert (both.status, both.covered, both.disks[0].status) == (VMAStatus.COMPLETED, 1, VMAStatus.COMPLETED)

    def test_the_jobs_own_worker_says_nothing_of_it(self) -> None:
        plain = observed(self.ENDED)

        assert (plain.previous, plain.answers[0]) == ((), answer("migration-vol-v1", self.ENDED))


def test_a_previous_workers_document_settles_nothing() -> None:
    alive = PreviousReading(volume_id="v1", status=VMAStatus.RUNNING, progress_percent=41.0)
    target = ProbeTarget("job-1", "default", ("v1",), previous_readings=(alive,))

    assert needs_own_id(target, {"v1": answer("migration-vol-v1", RUNNING)})


class TestAnOldListOfDisks:
    """The VMA may keep the list of disks that an earlier worker of an export wrote, as it keeps the figures."""

    REUSED = frozenset({"v1"})
    ALL_FINISHED = document(VMAStatus.COMPLETED, 100.0, disks=listing(100, 100))
    A_FAILED_DISK = (DiskReport(disk_id="disk-0", status=VMAStatus.FAILED, progress_percent=40.0),)

    def test_its_finished_disks_are_not_counted(self) -> None:
        new, reused = [observed(self.ALL_FINISHED, LOST, own=LOST, reused=one) for one in (frozenset(), self.REUSED)]

        assert (new.status, new.covered, new.conclusive) == (VMAStatus.COMPLETED, 2, True)
        assert (reused.status, reused.covered, reused.conclusive) == (VMAStatus.COMPLETED, 1, False)

    def test_the_document_completes_its_own_disk_all_the_same(self) -> None:
        alone = observed(self.ALL_FINISHED, own=LOST, reused=self.REUSED)
        both = observed(self.ALL_FINISHED, COMPLETED, own=LOST, reused=self.REUSED)

        assert (alone.covered, alone.conclusive) == (1, True)
        assert (both.covered, both.conclusive) == (2, True)

    def test_an_unfinished_disk_in_it_keeps_the_job_open(self) -> None:
        unfinished = document(VMAStatus.RUNNING, 100.0, disks=listing(100, 20), stated=VMAStatus.COMPLETED)

        assert observed(unfinished, LOST, reused=self.REUSED).status is VMAStatus.RUNNING
        almost = document(VMAStatus.COMPLETED, 100.0, disks=listing(100, 99.5))
        assert observed(almost, LOST, own=LOST, reused=self.REUSED).covered == 0

    def test_a_failed_disk_in_it_does_not_fail_a_worker_that_runs(self) -> None:
        runs = document(VMAStatus.FAILED, 41.0, disks=self.A_FAILED_DISK, stated=VMAStatus.RUNNING)

        assert observed(runs).status is VMAStatus.FAILED
        seen = observed(runs, reused=self.REUSED)
        assert (seen.status, seen.progress_percent, seen.error) == (VMAStatus.RUNNING, 41.0, None)
        assert observed(runs, reused=frozenset({"v2"})).status is VMAStatus.FAILED

    def test_with_a_failed_disk_in_it_a_completion_is_not_understood(self) -> None:
        ended = document(VMAStatus.FAILED, 100.0, disks=self.A_FAILED_DISK, stated=VMAStatus.COMPLETED)

        seen = observed(ended, own=LOST, reused=self.REUSED)

        assert (seen.status, seen.disks[0].status) == (NOISE, NOISE)
        detail = "it says completed, and lists a failed disk, which may be of an earlier job"
        assert (seen.answers[0].detail, seen.answers[0].document) == (detail, None)

    def test_a_document_that_says_failed_itself_is_believed(self) -> None:
        failed = document(VMAStatus.FAILED, 41.0, disks=self.A_FAILED_DISK)

        assert observed(failed, reused=self.REUSED).status is VMAStatus.FAILED

    def test_the_list_under_the_jobs_own_id_is_its_own(self) -> None:
        assert observed(LOST, LOST, own=self.ALL_FINISHED, reused=self.REUSED).covered == 2

    def test_a_document_without_a_list_is_as_it_is(self) -> None:
        assert observed(COMPLETED, LOST, own=LOST, reused=self.REUSED) == observed(COMPLETED, LOST, own=LOST)
