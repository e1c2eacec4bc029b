"""What a job knows of earlier workers on its volumes, and what it leaves for the next job."""

import msgspec
import pytest

from domain.attribution import PreviousReading, as_previous
from domain.lifecycle import JobState
from domain.ports import ProbeTarget
from domain.recovery_policy import Basis, Outcome
from domain.replication_job import ReplicationJob
from domain.vma_status import WORKER, Document, Observation, VMAStatus
from tests.domain.registering import TRACE, former, registered, registered_after, running
from tests.support.builders import JOB, at, document, listing, observed

COMPLETED = observed(document(VMAStatus.COMPLETED, 100.0, total=None, started="10:00"))
GONE = observed(VMAStatus.NOT_FOUND, own=VMAStatus.NOT_FOUND)
DOWN = observed(VMAStatus.UNREACHABLE)
UNHEARD = PreviousReading(volume_id="v1", status=VMAStatus.UNANSWERED)


class TestWhatOthersLeft:
    """Exports of the job's volumes show what earlier workers left, until the job's own worker writes there."""

    ENDED = document(VMAStatus.COMPLETED, 100.0, started="10:00")
    LEFT = as_previous(observed(ENDED).disks[0], None)
    COPIES = document(VMAStatus.RUNNING, 60.0, started="10:00")
    ALIVE = as_previous(observed(COPIES).disks[0], None)

    def test_it_counts_until_this_jobs_worker_writes_there(self) -> None:
        under = registered_after(self.LEFT)

        under.hears(self.ENDED, GONE.status, own=document(percent=3.0))
        assert former(under.job) == [("v1", VMAStatus.COMPLETED)]

        under.hears(document(percent=4.0, started="11:00"), GONE.status)
        assert former(under.job) == []

    def test_that_an_earlier_job_wrote_there_is_known_until_the_end(self) -> None:
        """The VMA may keep its list of disks, after all figures are this job's own."""
        under = registered_after(self.LEFT, unasked=("v2",))
        under.hears(document(percent=4.0, started="11:00"), GONE.status, own=GONE.status)
        job = under.hears(document(percent=50.0, started="11:00"), GONE.status, own=GONE.status)

        assert (former(job), job.unasked) == ([], ())
        assert (job.reused, job.target_at(None).reused) == (("v1", "v2"), frozenset({"v1", "v2"}))

    def test_a_list_of_disks_that_the_earlier_job_left_completes_nothing(self) -> None:
        """A worker that shares an export states `completed` after its first disk."""
        under = registered_after(self.LEFT)
        for percent in (100.0, 60.0):
            under.hears(document(percent=percent, started="10:00", disks=listing(100, 100)), GONE.status)

        job = under.hears(document(VMAStatus.COMPLETED, disks=listing(100, 100)), GONE.status, own=GONE.status)

        assert (job.state, job.doubtful) == (JobState.REPLICATING, True)

    def test_an_export_that_no_earlier_job_wrote_to_is_the_jobs_own(self) -> None:
        only_one = registered_after(self.LEFT).hears(document(percent=4.0), document(percent=4.0))
        none = registered_after().hears(document(percent=4.0), document(percent=4.0))

        assert (only_one.reused, none.reused, none.target_at(None).reused) == (("v1",), (), frozenset())

    def test_each_disk_counts_for_itself(self) -> None:
        other = msgspec.structs.replace(self.LEFT, volume_id="v2")
        under = registered_after(self.LEFT, other)

        job = under.hears(document(percent=4.0, started="11:00"), self.ENDED)

        assert former(job) == [("v2", VMAStatus.COMPLETED)]

    def test_it_is_followed_while_the_previous_worker_copies_on_and_to_its_end(self) -> None:
        under = registered_after(self.ALIVE)

        job = under.hears(document(percent=95.0, started="10:00"), GONE.status, own=GONE.status)
        assert [(one.volume_id, one.progress_percent, one.alive) for one in job.previous_readings] == [
            ("v1", 95.0, None)
        ]
        assert (job.progress_percent, job.seen_on_vma, job.disks) == (0.0, False, {})

        job = under.hears(self.ENDED, GONE.status, own=GONE.status)
        assert former(job) == [("v1", VMAStatus.COMPLETED)]
        assert (job.state, job.seen_on_vma, job.vma_status) == (JobState.REPLICATING, False, VMAStatus.UNANSWERED)

    def test_after_that_end_the_jobs_own_worker_is_heard(self) -> None:
        under = registered_after(self.ALIVE)
        under.hears(self.ENDED, GONE.status, own=GONE.status)

        job = under.hears(document(percent=100.0, started="10:00"), GONE.status)
        assert (job.vma_status, job.seen_on_vma, job.progress_percent) == (VMAStatus.RUNNING, True, 0.0)
        assert [(one.status, one.alive) for one in job.previous_readings] == [(VMAStatus.RUNNING, False)]

        job = under.hears(document(percent=5.0, started="10:00"), GONE.status)
        assert (job.disks["v1"].progress_percent, job.previous_readings) == (5.0, ())

    def test_a_worker_that_was_overtaken_is_so_for_the_job_that_ends_with_its_figures(self) -> None:
        under = registered_after(self.LEFT, volumes=("v1",))
        under.hears(document(percent=100.0, started="10:00"))

        job = under.hears(self.ENDED, own=GONE.status)

        assert (job.state, job.outcome_basis, job.previous_readings) == (JobState.COMPLETED, Basis.OBSERVED, ())

    def test_a_worker_that_was_never_observed_and_writes_again_completes_nothing(self) -> None:
        """Its VMA was down until its job was given up, and had restarted when this job was registered."""
        under = registered_after(msgspec.structs.replace(UNHEARD, alive=True), volumes=("v1",))

        under.hears(GONE.status, own=GONE.status)
        assert former(under.job) == [("v1", VMAStatus.UNANSWERED)]
        under.hears(document(percent=60.0, started="10:00"), own=GONE.status)
        under.hears(self.ENDED, own=GONE.status)
        assert (under.job.state, under.job.seen_on_vma) == (JobState.REPLICATING, False)

        under.hears(document(percent=2.0, started="10:00"))
        assert (under.job.seen_percent, under.job.previous_readings) == (2.0, ())
        assert under.hears(self.ENDED).state is JobState.COMPLETED

    def test_without_a_document_nothing_changes(self) -> None:
        for silence in (GONE.status, DOWN.status, VMAStatus.UNANSWERED):
            job = registered_after(self.LEFT).hears(silence, silence, own=silence)
            assert job.previous_readings == (self.LEFT,)

    def test_whether_an_export_speaks_for_one_disk_stays_known(self) -> None:
        alive = msgspec.structs.replace(self.ALIVE, one_disk=True)

        job = registered_after(alive).hears(document(percent=95.0, started="10:00"), GONE.status, own=GONE.status)

        assert [one.one_disk for one in job.previous_readings] == [True]


class TestAtAnotherAddress:
    """An earlier job of the volume was never heard of, and the VMA is asked in one place and then in another."""

    UNHEARD = PreviousReading(volume_id="v1", status=VMAStatus.UNANSWERED)

    def asked(self, job: ReplicationJob, says: Document | VMAStatus, address: str) -> ReplicationJob:
        target = job.target_at(address)
        seen = observed(
            says, own=GONE.status, previous_readings=target.previous_readings, unasked=target.unasked, address=address
        )
        job.observe(seen, at(10))
        return job

    def test_that_nothing_stands_in_one_place_says_nothing_of_the_other(self) -> None:
        job = registered_after(self.UNHEARD, volumes=("v1",)).job
        self.asked(job, GONE.status, "http://wrong")
        self.asked(job, GONE.status, "http://wrong")

        self.asked(job, document(COMPLETED.status, 100.0), "http://right")

        assert (job.state, job.vma_status) == (JobState.REPLICATING, VMAStatus.UNANSWERED)
        assert former(job) == [("v1", COMPLETED.status)]

    def test_in_one_and_the_same_place_it_frees_the_volume(self) -> None:
        job = registered_after(self.UNHEARD, volumes=("v1",)).job
        self.asked(job, GONE.status, "http://right")
        self.asked(job, GONE.status, "http://right")

        self.asked(job, document(COMPLETED.status, 100.0), "http://right")

        assert job.state is JobState.COMPLETED


class TestUnasked:
    """Volumes of which nobody could say at registration what stood on their exports."""

    @pytest.mark.parametrize("answered", [GONE.status, document(percent=3.0)])
    def test_one_is_known_as_soon_as_its_export_shows_no_end(self, answered: Document | VMAStatus) -> None:
        job = registered_after(unasked=("v1", "v2")).hears(answered, DOWN.status, own=GONE.status)

        assert (job.unasked, job.target_at(None).unasked) == (("v2",), frozenset({"v2"}))

    @pytest.mark.parametrize(
        "answered",
        [DOWN.status, VMAStatus.UNANSWERED, VMAStatus.UNINTELLIGIBLE, VMAStatus.NOT_ASKED, document(COMPLETED.status)],
    )
    def test_what_shows_nothing_or_an_end_leaves_it_open(self, answered: Document | VMAStatus) -> None:
        job = registered_after(unasked=("v1", "v2")).hears(answered, DOWN.status, own=GONE.status)

        assert (job.unasked, job.previous_readings) == (("v1", "v2"), ())

    def test_a_failure_that_stands_there_is_a_previous_workers(self) -> None:
        under = registered_after(unasked=("v1",), volumes=("v1",))

        job = under.hears(document(VMAStatus.FAILED, 7.0), own=GONE.status)
        assert (job.state, former(job)) == (JobState.REPLICATING, [("v1", VMAStatus.FAILED)])

        job = under.hears(document(VMAStatus.RUNNING, 7.0))
        assert (job.vma_status, job.unasked) == (VMAStatus.RUNNING, ())

    def test_a_worker_that_begins_at_a_hundred_percent_may_show_the_figures_of_another(self) -> None:
        """The VMA did not answer at registration, and an earlier job's figures are still there."""
        under = registered_after(unasked=("v1",), volumes=("v1",))

        for _ in range(2):
            job = under.hears(document(percent=100.0, started="10:00"))
            assert (job.vma_status, job.seen_on_vma, job.seen_percent) == (VMAStatus.RUNNING, True, 0.0)
            assert (job.unasked, former(job)) == ((), [("v1", VMAStatus.RUNNING)])

        job = under.hears(document(percent=1.0, started="10:00"))
        assert (job.seen_percent, job.previous_readings) == (1.0, ())
        assert under.hears(document(VMAStatus.COMPLETED, 100.0)).state is JobState.COMPLETED

    def test_a_completion_that_stands_there_is_no_contact(self) -> None:
        job = registered_after(unasked=("v1",), volumes=("v1",)).hears(document(COMPLETED.status, 100.0))

        assert (job.state, job.doubtful) == (JobState.REPLICATING, True)
        assert (job.seen_on_vma, job.last_contact_at, job.disks, job.progress_percent) == (False, None, {}, 0.0)

    def test_from_the_jobs_first_own_document_on_its_end_counts(self) -> None:
        under = registered_after(unasked=("v1",), volumes=("v1",))
        under.hears(document(percent=40.0))

        assert under.hears(document(VMAStatus.COMPLETED, 100.0)).state is JobState.COMPLETED


class TestWhatAJobLeaves:
    """What the next job of a volume has to know."""

    def test_it_is_what_the_export_said_last(self) -> None:
        job = registered()
        assert job.last_reading("v1") == UNHEARD

        for said in (running(40.0, 10), COMPLETED):
            job.observe(said, at(10))
            left = job.last_reading("v1")
            assert left == msgspec.structs.replace(as_previous(said.disks[0], None), one_disk=True)

        assert job.last_reading("v2") == msgspec.structs.replace(UNHEARD, volume_id="v2")

    def test_a_worker_that_was_last_seen_running_may_still_write(self) -> None:
        job = registered()
        job.observe(running(40.0, 10), at(10))
        job.operator_decide(Outcome.FAIL, "mara", "enough", at(20), TRACE)

        left = job.last_reading("v1")

        assert left.may_still_write

    @pytest.mark.parametrize("status", [DOWN.status, VMAStatus.UNANSWERED, VMAStatus.NOT_ASKED])
    def test_a_worker_that_nobody_could_ask_about_until_its_job_was_given_up_may_still_run(
        self, status: VMAStatus
    ) -> None:
        assert self.given_up_after(GONE, observed(status)).last_reading("v1").may_still_write

    @pytest.mark.parametrize("asked", [[], [GONE], [DOWN, GONE]])
    def test_a_worker_that_the_vma_did_not_know_or_that_was_never_asked_about_has_not_begun(
        self, asked: list[Observation]
    ) -> None:
        assert not self.given_up_after(*asked).last_reading("v1").may_still_write

    def test_a_worker_of_which_one_disk_has_failed_may_copy_the_others_on(self) -> None:
        failed, completed, gone = (registered_after(volumes=("v1", "v2")).job for _ in range(3))
        failed.observe(observed(document(VMAStatus.FAILED, 7.0), DOWN.status), at(10))
        everything = document(COMPLETED.status, 100.0, disks=listing(100.0, 100.0))
        completed.observe(observed(everything, GONE.status, own=everything), at(10))
        gone.observe(GONE, at(10))
        gone.operator_decide(Outcome.FAIL, "mara", "enough", at(20), TRACE)

        states = [(job.state, job.last_reading("v2").may_still_write) for job in (failed, completed, gone)]
        assert states == [(JobState.FAILED, True), (JobState.COMPLETED, False), (JobState.FAILED, False)]

    def test_the_worker_of_a_single_disk_that_failed_before_its_first_document_has_ended(self) -> None:
        job = registered()
        job.observe(observed(VMAStatus.NOT_FOUND, own=document(VMAStatus.FAILED, 0.0)), at(10))

        assert (job.state, job.last_reading("v1")) == (JobState.FAILED, UNHEARD)

    def test_a_worker_that_may_share_the_export_among_its_disks_may_write_on_if_its_job_was_given_up(self) -> None:
        one = registered_after(volumes=("v1",)).hears(document(percent=50.0))
        shared, ended = registered_after(volumes=("v1", "v2")), registered_after(volumes=("v1", "v2"))
        shared.hears(document(COMPLETED.status, 100.0), GONE.status, own=document(percent=50.0))
        for job in (one, shared.job):
            job.operator_decide(Outcome.FAIL, "mara", "enough", at(20), TRACE)
        ended.hears(document(VMAStatus.FAILED, 7.0), GONE.status)

        assert shared.job.last_reading("v1").status is COMPLETED.status
        assert [job.last_reading("v1").alive for job in (shared.job, one, ended.job)] == [True, None, None]

    def given_up_after(self, *asked: Observation) -> ReplicationJob:
        job = registered()
        for said in asked:
            job.observe(said, at(10))
        job.operator_decide(Outcome.FAIL, "mara", "enough", at(20), TRACE)
        return job

    def test_what_it_found_is_not_what_its_own_worker_left(self) -> None:
        left = as_previous(COMPLETED.disks[0], None)
        under = registered_after(left, volumes=("v1",))
        assert [under.job.last_reading(v).status for v in ("v0", "v1")] == [UNHEARD.status, UNHEARD.status]

        job = under.hears(document(percent=4.0, started="11:00"))

        now = job.last_reading("v1")

        assert (now.status, now.progress_percent) == (VMAStatus.RUNNING, 4.0)

    def test_of_a_reading_without_a_start_the_figures_do_not_count_as_it_may_be_a_workers_report(
        self,
    ) -> None:
        job = registered()

        job.observe(observed(document(VMAStatus.RUNNING, 99.7)), at(10))

        assert job.last_reading("v1") == PreviousReading(volume_id="v1", status=VMAStatus.RUNNING, one_disk=True)

    def test_an_export_is_known_to_speak_for_one_disk_if_there_is_one_or_if_another_spoke_too(self) -> None:
        def left(*exports: Document | VMAStatus) -> list[bool]:
            volumes = tuple(f"v{n}" for n in range(1, len(exports) + 1))
            job = registered_after(volumes=volumes).hears(*exports)
            return [job.last_reading(v).one_disk for v in volumes]

        half = document(percent=50.0)
        assert left(half) == [True]
        assert left(half, GONE.status) == [False, False]
        assert left(half, half) == [True, True]
        assert left(half, half, GONE.status) == [True, True, False]

    def test_a_reading_that_contradicts_itself_is_none(self) -> None:
        job = registered()
        job.observe(running(40.0, 10), at(10))

        job.observe(observed(document(VMAStatus.COMPLETED, 41.5), seconds=20), at(20))

        left = job.last_reading("v1")

        assert (left.status, left.progress_percent) == (VMAStatus.RUNNING, 40.0)


def test_the_volumes_that_the_jobs_worker_was_heard_of_are_known_when_it_is_asked_for() -> None:
    under = registered_after()
    assert under.job.target_at(None) == ProbeTarget(JOB, "default", ("v1", "v2"))

    under.hears(document(percent=4.0), GONE.status)

    assert under.job.target_at(None).seen_volumes == {"v1"}


class TestReport:
    """A worker's own report says nothing of what stands on the VMA."""

    @pytest.mark.parametrize("percent", [4.0, 100.0])
    def test_it_is_contact_and_leaves_what_is_known_of_the_exports(self, percent: float) -> None:
        left = as_previous(COMPLETED.disks[0], None)
        job = registered_after(left, unasked=("v2",)).job
        said = observed(document(percent=percent), document(percent=percent), seconds=10)

        job.observe(msgspec.structs.replace(said, source=WORKER), at(10))

        assert (job.previous_readings, job.unasked, job.seen_on_vma) == ((left,), ("v2",), False)
        assert (job.progress_percent, job.last_contact_at) == (percent, at(10))

    def test_one_of_a_job_that_the_vma_knew_does_not_undo_that(self) -> None:
        job = registered()
        job.observe(running(3.0, 5), at(5))

        job.observe(msgspec.structs.replace(running(4.0, 10), source=WORKER), at(10))

        assert job.seen_on_vma
