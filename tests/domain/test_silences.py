"""For how long nothing new was heard of a job, while this process asked without a break."""

from collections.abc import Callable

import msgspec
import pytest

from domain.events import Cause, Trace
from domain.evidence import Circumstances, Silence
from domain.processes.awake import ABSENT, AwakeTime
from domain.recovery_policy import Policy
from domain.replication_job import ReplicationJob
from domain.silences import Silences
from domain.vma_status import Document, VMAStatus
from tests.support.builders import document, observed, registration
from tests.support.clock import FakeClock

RUNNING = document(VMAStatus.RUNNING, 41.5)
COMPLETED = document(VMAStatus.COMPLETED, 100.0)
FAILED = document(VMAStatus.FAILED, 41.5)
LOST, DOWN, NOISE = VMAStatus.NOT_FOUND, VMAStatus.UNREACHABLE, VMAStatus.UNINTELLIGIBLE
MUTE, UNASKED = VMAStatus.UNANSWERED, VMAStatus.NOT_ASKED

LONGEST_PAUSE = 120.0


class Listener:
    """A process that is awake as a whole, and hears of jobs."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.restart()

    def restart(self, absences: Callable[[], int] = lambda: 0) -> None:
        """Begin with nothing heard, as a new process does."""
        self.silences = Silences(self.clock, absences, LONGEST_PAUSE)

    def job(self, job_id: str = "job-1", vma: str = "default") -> ReplicationJob:
        job = ReplicationJob(id=job_id)
        job.register(
            registration(job.id, vm_context_id=f"ctx-{job_id}", volume_ids=("v1", "v2"), vma=vma),
            self.clock.now(),
            Trace("r", "r"),
        )
        return job

    def hears(self, job: ReplicationJob, said: Document | VMAStatus, after: float = 0.0) -> Silence:
        self.clock.advance(after)
        return self.silences.record(job, observed(said, said, own=said))


def decide(listener: Listener, job: ReplicationJob, said: Document | VMAStatus) -> None:
    """Decide about the job by what is said of it now."""
    now = listener.clock.now()
    run_id = f"run-{job.version}"
    job.begin_recovery(run_id, Cause.OPERATOR, now, "test")
    known = Circumstances(silence=listener.hears(job, said), without_contact=0.0)
    seen = observed(said, said, own=said, seconds=listener.clock.elapsed)
    assert job.recover(run_id, seen, known, Policy(), lambda _: 5.0, now)


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def job(listener: Listener) -> ReplicationJob:
    return listener.job()


class TestHeldFor:
    """How long one same answer has held, and over how many probes."""

    @pytest.mark.parametrize("said", [LOST, DOWN, NOISE, MUTE, UNASKED, RUNNING])
    def test_the_first_answer_has_held_for_no_time(
        self, listener: Listener, job: ReplicationJob, said: Document | VMAStatus
    ) -> None:
        listener.clock.advance(1000)

        heard = listener.hears(job, said)

        assert (heard.duration, heard.probes) == (0.0, 1)
        assert heard.status is (said if isinstance(said, VMAStatus) else said.status)

    def test_it_holds_while_it_is_answered_again(self, listener: Listener, job: ReplicationJob) -> None:
        listener.hears(job, LOST)
        listener.hears(job, LOST, after=5)

        heard = listener.hears(job, LOST, after=7)

        assert (heard.duration, heard.probes) == (12.0, 3)

    @pytest.mark.parametrize("other", [DOWN, NOISE, MUTE, UNASKED, RUNNING])
    def test_any_other_answer_between_starts_it_again(
        self, listener: Listener, job: ReplicationJob, other: Document | VMAStatus
    ) -> None:
        listener.hears(job, LOST)
        listener.hears(job, LOST, after=10)
        listener.hears(job, other, after=10)

        again = listener.hears(job, LOST, after=10)
        later = listener.hears(job, LOST, after=3)

        assert ((again.duration, again.probes), (later.duration, later.probes)) == ((0.0, 1), (3.0, 2))

    def test_a_completion_in_doubt_is_another_answer_than_one_without(
        self, listener: Listener, job: ReplicationJob
    ) -> None:
        shared = observed(LOST, LOST, own=COMPLETED)
        listener.silences.record(job, shared)
        listener.clock.advance(10)
        held = listener.silences.record(job, shared)
        listener.clock.advance(10)

        sure = listener.hears(job, COMPLETED)

        assert (shared.doubtful, held.duration, sure.duration, sure.probes) == (True, 10.0, 0.0, 1)

    @pytest.mark.parametrize(
        "later",
        [
            document(VMAStatus.COMPLETED, 100.0, total=2000),
            document(VMAStatus.COMPLETED, 100.0, phase="Finalise"),
            document(VMAStatus.COMPLETED, 99.5),
        ],
    )
    def test_a_completion_in_doubt_with_other_figures_is_one_of_the_next_disk(
        self, listener: Listener, job: ReplicationJob, later: Document
    ) -> None:
        listener.silences.record(job, observed(LOST, LOST, own=COMPLETED))
        listener.clock.advance(10)

        first = listener.silences.record(job, observed(LOST, LOST, own=later))
        listener.clock.advance(10)
        held = listener.silences.record(job, observed(LOST, LOST, own=later))

        assert ((first.duration, first.probes), (held.duration, held.probes)) == ((0.0, 1), (10.0, 2))

    def test_more_disks_that_are_covered_are_another_answer(self, listener: Listener, job: ReplicationJob) -> None:
        shared = observed(LOST, LOST, own=COMPLETED)
        listener.silences.record(job, shared)
        listener.clock.advance(10)

        assert listener.silences.record(job, msgspec.structs.replace(shared, covered=0)).duration == 0.0

    def test_other_figures_of_a_job_that_runs_are_the_same_answer(
        self, listener: Listener, job: ReplicationJob
    ) -> None:
        listener.hears(job, RUNNING)

        assert listener.hears(job, document(VMAStatus.RUNNING, 50.0), after=10).duration == 10.0

    @pytest.mark.parametrize(("pause", "duration", "probes"), [(120.0, 125.0, 3), (120.1, 0.0, 1)])
    def test_a_pause_in_which_we_did_not_ask_starts_it_again(
        self, listener: Listener, job: ReplicationJob, pause: float, duration: float, probes: int
    ) -> None:
        listener.hears(job, LOST)
        listener.hears(job, LOST, after=5)

        heard = listener.hears(job, LOST, after=pause)

        assert (heard.duration, heard.probes) == (duration, probes)

    def test_many_short_pauses_are_none(self, listener: Listener, job: ReplicationJob) -> None:
        for _ in range(100):
            listener.hears(job, LOST, after=100)

        assert listener.hears(job, LOST).duration == 9900.0

    def test_other_jobs_are_not_affected(self, listener: Listener, job: ReplicationJob) -> None:
        other = listener.job("job-2")
        listener.hears(job, LOST)
        listener.hears(other, LOST, after=10)

        listener.hears(other, RUNNING, after=10)

        assert listener.hears(job, LOST).duration == 20.0
        assert listener.hears(other, LOST).duration == 0.0

    def test_a_job_that_was_left_begins_anew(self, listener: Listener, job: ReplicationJob) -> None:
        other = listener.job("job-2")
        for one in (job, other):
            listener.hears(one, LOST)
        listener.silences.forget("job-1")
        listener.silences.forget("job-1")

        assert listener.hears(job, LOST, after=10).duration == 0.0
        assert listener.hears(other, LOST).duration == 10.0


class TestUnheardFor:
    """How long nothing conclusive was heard, whatever was answered instead."""

    def test_it_goes_on_over_answers_of_every_kind(self, listener: Listener, job: ReplicationJob) -> None:
        heard = [listener.hears(job, said, after=10).inconclusive_for for said in (LOST, DOWN, NOISE, MUTE, UNASKED)]

        assert heard == [0.0, 10.0, 20.0, 30.0, 40.0]

    @pytest.mark.parametrize("said", [RUNNING, COMPLETED, FAILED])
    def test_what_is_conclusive_ends_it(self, listener: Listener, job: ReplicationJob, said: Document) -> None:
        listener.hears(job, LOST)
        assert listener.hears(job, said, after=10).inconclusive_for == 0.0

        assert listener.hears(job, LOST, after=10).inconclusive_for == 0.0
        assert listener.hears(job, LOST, after=10).inconclusive_for == 10.0

    def test_a_completion_in_doubt_does_not(self, listener: Listener, job: ReplicationJob) -> None:
        listener.hears(job, LOST)
        listener.clock.advance(10)

        heard = listener.silences.record(job, observed(LOST, LOST, own=COMPLETED))

        assert heard.inconclusive_for == 10.0

    def test_a_pause_starts_it_again(self, listener: Listener, job: ReplicationJob) -> None:
        listener.hears(job, LOST)

        assert listener.hears(job, DOWN, after=LONGEST_PAUSE + 0.1).inconclusive_for == 0.0
        assert listener.hears(job, LOST, after=1).inconclusive_for == 1.0


class TestWithoutContact:
    """Seconds since the job, or its VMA as a whole, was last heard of."""

    def test_it_counts_from_the_registration(self, listener: Listener, job: ReplicationJob) -> None:
        listener.clock.advance(70)

        assert listener.silences.without_contact(job) == 70.0

    @pytest.mark.parametrize("said", [RUNNING, COMPLETED, FAILED, LOST, NOISE, MUTE])
    def test_any_answer_of_the_vma_is_contact(
        self, listener: Listener, job: ReplicationJob, said: Document | VMAStatus
    ) -> None:
        listener.hears(job, said, after=70)
        listener.clock.advance(5)

        assert listener.silences.without_contact(job) == 5.0

    def test_none_is_none(self, listener: Listener, job: ReplicationJob) -> None:
        listener.hears(job, DOWN, after=70)

        assert listener.silences.without_contact(job) == 70.0

    def test_time_in_which_the_vma_could_not_be_asked_does_not_count(
        self, listener: Listener, job: ReplicationJob
    ) -> None:
        """An hour of refused logins is no silence of the VMA."""
        elsewhere = listener.job("job-3", vma="second")
        listener.silences.without_contact(elsewhere)

        listener.hears(job, UNASKED, after=3600)
        listener.hears(job, DOWN, after=70)

        assert listener.silences.without_contact(job) == 70.0
        assert listener.silences.without_contact(elsewhere) == 3670.0

    def test_what_the_vma_says_of_another_job_is_contact_and_what_another_vma_says_is_not(
        self, listener: Listener, job: ReplicationJob
    ) -> None:
        there, elsewhere = listener.job("job-2"), listener.job("job-3", vma="second")
        listener.silences.without_contact(elsewhere)

        listener.hears(there, LOST, after=70)
        listener.clock.advance(5)

        assert listener.silences.without_contact(job) == 5.0
        assert listener.silences.without_contact(elsewhere) == 75.0

    def test_a_job_of_which_something_was_heard_stays_so_when_it_is_left(
        self, listener: Listener, job: ReplicationJob
    ) -> None:
        other = listener.job("job-2")
        listener.hears(job, RUNNING, after=70)

        listener.silences.forget(job.id)

        assert listener.silences.without_contact(other) == 0.0


class TestOurRestart:
    """A new process has heard nothing yet; it knows from the log when the job was last heard of."""

    def test_the_last_contact_of_the_log_counts(self, listener: Listener, job: ReplicationJob) -> None:
        job.observe(observed(RUNNING, RUNNING, seconds=10), listener.clock.now())
        listener.clock.advance(3610)

        listener.restart()

        assert listener.silences.without_contact(job) == 3600.0
        heard = listener.hears(job, DOWN)
        assert (heard.duration, heard.probes, heard.inconclusive_for) == (0.0, 1, 0.0)

    @pytest.mark.parametrize("answer", [NOISE, UNASKED])
    def test_a_job_that_waited_for_another_reason_waited_although_its_vma_answered(
        self, listener: Listener, job: ReplicationJob, answer: VMAStatus
    ) -> None:
        """Nothing is stored of a retry by the same rule, so the log does not tell how long the VMA answered."""
        other = listener.job("job-2")
        decide(listener, job, answer)
        listener.clock.advance(3600)

        listener.restart()

        assert listener.silences.without_contact(job) == 0.0
        assert listener.silences.without_contact(other) == 3600.0
        listener.clock.advance(10)
        assert listener.silences.without_contact(job) == 10.0

    def test_a_job_whose_vma_was_silent_is_without_contact_since_the_log_tells_of_one(
        self, listener: Listener, job: ReplicationJob
    ) -> None:
        decide(listener, job, DOWN)
        listener.clock.advance(3600)

        listener.restart()

        assert listener.silences.without_contact(job) == 3600.0

    def test_a_job_that_was_resumed_after_it_waited_is_without_contact_since_then(
        self, listener: Listener, job: ReplicationJob
    ) -> None:
        decide(listener, job, NOISE)
        decide(listener, job, RUNNING)
        listener.clock.advance(3600)

        listener.restart()

        assert listener.silences.without_contact(job) == 3600.0

    def test_a_log_from_the_future_is_from_now(self, listener: Listener, job: ReplicationJob) -> None:
        """The machine's clock was set back while we were away."""
        listener.clock.step(-86_400)
        listener.restart()

        assert listener.silences.without_contact(job) == 0.0
        listener.clock.advance(10)
        assert listener.silences.without_contact(job) == 10.0


@pytest.mark.parametrize("step", [86_400.0, -86_400.0])
def test_a_step_of_the_machines_clock_changes_nothing(listener: Listener, job: ReplicationJob, step: float) -> None:
    listener.hears(job, DOWN)
    listener.hears(job, DOWN, after=10)

    listener.clock.step(step)

    heard = listener.hears(job, DOWN, after=10)
    assert (heard.duration, heard.probes, heard.inconclusive_for) == (20.0, 3, 20.0)
    assert listener.silences.without_contact(job) == 20.0


class TestOurOwnAbsence:
    """The process is stopped between two probes: what was asked in vain before and after it is not added up."""

    @pytest.mark.parametrize("absence", [ABSENT + 0.1, 60.0, 86_400.0])
    def test_it_interrupts_every_silence(self, listener: Listener, absence: float) -> None:
        job, other = listener.job("job-1"), listener.job("job-2")
        listener.restart(AwakeTime(listener.clock).count_absences)
        for one in (job, other):
            listener.hears(one, DOWN, after=1.0)
            listener.hears(one, DOWN, after=1.0)
        listener.clock.advance(absence)

        for one in (job, other):
            heard = listener.hears(one, DOWN)
            assert (heard.duration, heard.inconclusive_for, heard.probes) == (0.0, 0.0, 1)
            later = listener.hears(one, DOWN, after=1.0)
            assert (later.duration, later.inconclusive_for, later.probes) == (1.0, 1.0, 2)

    def test_a_short_delay_is_none(self, listener: Listener, job: ReplicationJob) -> None:
        listener.restart(AwakeTime(listener.clock).count_absences)
        for _ in range(10):
            listener.hears(job, DOWN, after=ABSENT)

        heard = listener.hears(job, DOWN, after=1.0)

        assert (heard.duration, heard.probes) == (19.0, 11)

    def test_one_before_the_job_was_known_is_none_of_its(self, listener: Listener) -> None:
        listener.restart(AwakeTime(listener.clock).count_absences)
        listener.clock.advance(3600.0)
        job = listener.job("job-2")

        listener.hears(job, DOWN)
        assert listener.hears(job, DOWN, after=1.0).duration == 1.0

    def test_the_last_contact_is_as_long_ago_as_it_is(self, listener: Listener, job: ReplicationJob) -> None:
        listener.restart(AwakeTime(listener.clock).count_absences)
        listener.hears(job, RUNNING)

        listener.hears(job, DOWN, after=3600.0)

        assert listener.silences.without_contact(job) == 3600.0
