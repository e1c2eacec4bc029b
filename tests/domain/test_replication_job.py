"""The commands on one job: what is recorded, what is ignored when repeated, what is refused."""

import msgspec
import pytest

from domain.attention import attention
from domain.errors import IllegalTransition
from domain.events import Cause, Event, JobStalled, RecoveryDecided, Trace
from domain.evidence import Amnesia
from domain.lifecycle import JobState
from domain.recovery_policy import Basis, Outcome, Policy, Rule, decide
from domain.replication_job import Registration, ReplicationJob
from domain.vma_status import CONCLUSIVE, Observation, VMAStatus
from tests.support.builders import JOB, NOON, at, circumstances, document, observed, registration

TRACE = Trace("request-1", "request-1")
RUNNING = observed(document(VMAStatus.RUNNING, 41.5))
COMPLETED = observed(document(VMAStatus.COMPLETED, 100.0))
FAILED = observed(document(VMAStatus.FAILED, 30.0, error="disk full"))
GONE = observed(VMAStatus.NOT_FOUND, own=VMAStatus.NOT_FOUND)
DOWN = observed(VMAStatus.UNREACHABLE)


def registered(percent: float = 0.0) -> ReplicationJob:
    job = ReplicationJob(id=JOB)
    job.register(registration(job.id, vm_name="pgtest1", vm_context_id="ctx-1", progress_percent=percent), NOON, TRACE)
    return job


def recover(job: ReplicationJob, observation: Observation, duration: float = 60.0) -> ReplicationJob:
    """Recover a job in another run than the last one."""
    run_id = "run-2" if job.run_id == "run-1" else "run-1"
    job.begin_recovery(run_id, Cause.RESTART, at(10), "instance")
    known = circumstances(observation, duration=duration)
    job.recover(run_id, observation, known, Policy(), lambda attempt: 5.0 * attempt, at(20))
    return job


def news(job: ReplicationJob, of: ReplicationJob | None = None) -> list[str]:
    """Return the kinds of what was recorded, without what there was before."""
    known = len(of.pending) if of else 1
    return [event.topic for event in job.pending[known:]]


def last(job: ReplicationJob) -> Event:
    event: Event = job.pending[-1]
    return event


def test_a_registered_job_replicates() -> None:
    job = registered(12.0)

    assert (job.state, job.progress_percent, job.seen_on_vma) == (JobState.REPLICATING, 12.0, True)
    assert not registered(0.0).seen_on_vma


@pytest.mark.parametrize(
    ("observation", "state", "basis"),
    [
        (RUNNING, JobState.REPLICATING, None),
        (DOWN, JobState.REPLICATING, None),
        (GONE, JobState.REPLICATING, None),
        (observed(VMAStatus.UNANSWERED), JobState.REPLICATING, None),
        (observed(VMAStatus.UNINTELLIGIBLE), JobState.REPLICATING, None),
        (observed(VMAStatus.NOT_ASKED), JobState.REPLICATING, None),
        (COMPLETED, JobState.COMPLETED, Basis.OBSERVED),
        (FAILED, JobState.FAILED, Basis.OBSERVED),
    ],
)
def test_polling_ends_a_job_only_on_the_vmas_own_word(
    observation: Observation, state: JobState, basis: Basis | None
) -> None:
    job = registered()

    job.observe(observation, at(5))

    assert (job.state, job.outcome_basis) == (state, basis)


def test_completed_for_one_disk_of_two_does_not_end_a_job() -> None:
    job = ReplicationJob(id=JOB)
    job.register(registration(job.id, volume_ids=("v1", "v2")), NOON, TRACE)

    shared = observed(VMAStatus.NOT_FOUND, VMAStatus.NOT_FOUND, own=document(VMAStatus.COMPLETED, 100.0))
    job.observe(shared, at(5))

    assert (job.state, job.doubtful) == (JobState.REPLICATING, True)


def test_polling_is_refused_while_a_recovery_run_holds_the_job() -> None:
    job = registered()
    job.begin_recovery("run-1", Cause.RESTART, at(1), "instance")

    with pytest.raises(IllegalTransition, match="an observation outside its recovery run"):
        job.observe(RUNNING, at(2))


@pytest.mark.parametrize(
    ("observation", "state", "rule", "basis"),
    [
        (RUNNING, JobState.REPLICATING, Rule.STILL_RUNNING, None),
        (COMPLETED, JobState.COMPLETED, Rule.COMPLETED_WHILE_AWAY, Basis.OBSERVED),
        (FAILED, JobState.FAILED, Rule.FAILED_ON_VMA, Basis.OBSERVED),
        (GONE, JobState.FAILED, Rule.LOST, Basis.INFERRED),
        (DOWN, JobState.PENDING_RETRY, Rule.UNREACHABLE_RECENT, None),
        (observed(VMAStatus.UNANSWERED), JobState.PENDING_RETRY, Rule.UNANSWERED, None),
        (observed(VMAStatus.UNINTELLIGIBLE), JobState.PENDING_RETRY, Rule.UNINTELLIGIBLE, None),
        (observed(VMAStatus.NOT_ASKED), JobState.PENDING_RETRY, Rule.NOT_ASKED, None),
    ],
)
def test_recovery_records_what_it_saw_and_what_it_made_of_it(
    observation: Observation, state: JobState, rule: Rule, basis: Basis | None
) -> None:
    job = recover(registered(12.0), observation)

    assert news(job) == ["RecoveryStarted", "VMAStatusObserved", "RecoveryDecided"]
    assert (job.state, job.outcome_basis) == (state, basis)
    assert job.decision is not None
    assert job.decision.rule == rule


def test_a_decision_holds_everything_it_was_made_from() -> None:
    job = recover(registered(12.0), GONE)

    decided = last(job)

    assert isinstance(decided, RecoveryDecided)
    again = decide(decided.evidence, decided.policy)
    assert again is not None
    assert (again.outcome, again.rule, again.basis, again.reason) == (
        decided.outcome,
        decided.rule,
        decided.basis,
        decided.reason,
    )
    assert decided.evidence.state_before == "replicating"
    assert (decided.evidence.silence, decided.evidence.without_contact) == (
        circumstances(GONE, duration=60.0).silence,
        10.0,
    )
    assert (decided.evidence.amnesia, decided.evidence.replaced) == (None, False)
    assert decided.policy_hash == Policy().hash
    assert (decided.correlation_id, decided.causation_id) == ("run-1", f"{JOB}#3")


def test_a_decision_holds_what_is_known_of_the_vma_as_a_whole() -> None:
    job = registered(12.0)
    known = circumstances(GONE)
    forgot = Amnesia(since=at(5), not_found=9, asked=10)
    job.begin_recovery("run-1", Cause.RESTART, at(10), "instance")

    known = msgspec.structs.replace(known, amnesia=forgot, replaced=True)
    job.recover("run-1", GONE, known, Policy(), lambda _: 5.0, at(20))

    decided = last(job)
    assert isinstance(decided, RecoveryDecided)
    assert (decided.evidence.amnesia, decided.evidence.replaced) == (forgot, True)
    assert (decided.rule, job.state) == (Rule.VMA_REPLACED, JobState.PENDING_RETRY)
    assert job.decision is not None
    assert job.decision.amnesia == forgot


def test_silence_that_is_not_confirmed_is_recorded_and_nothing_is_decided() -> None:
    job = recover(registered(12.0), GONE, duration=3.0)

    assert news(job) == ["RecoveryStarted", "VMAStatusObserved"]
    assert job.state is JobState.RECOVERING


def test_a_crash_in_the_middle_of_recovery_is_no_obstacle_to_the_next_run() -> None:
    job = recover(registered(12.0), GONE, duration=3.0)

    job = recover(job, RUNNING)

    assert job.state is JobState.REPLICATING


@pytest.mark.parametrize("other", ["run-1", "run-3"])
def test_a_run_begins_once_with_a_job_and_any_other_run_begins_anew(other: str) -> None:
    job = registered(12.0)

    for run_id in ("run-2", "run-2", other, other):
        job.begin_recovery(run_id, Cause.RESTART, at(10), "instance")

    assert (news(job), job.run_id) == (["RecoveryStarted", "RecoveryStarted"], other)


@pytest.mark.parametrize(
    ("report", "state", "rule"),
    [
        (RUNNING, JobState.REPLICATING, Rule.STILL_RUNNING),
        (COMPLETED, JobState.COMPLETED, Rule.COMPLETED_WHILE_AWAY),
        (FAILED, JobState.FAILED, Rule.FAILED_ON_VMA),
    ],
)
def test_a_workers_report_is_what_the_run_that_is_deciding_the_job_decides_by(
    report: Observation, state: JobState, rule: Rule
) -> None:
    job = registered(12.0)
    job.begin_recovery("run-1", Cause.RESTART, at(10), "instance")

    job.recover_by_report(report, circumstances(report), Policy(), float, at(20), TRACE)

    observation, decided = job.pending[-2:]
    assert (job.state, job.decision and job.decision.rule) == (state, rule)
    assert (observation.correlation_id, decided.correlation_id) == ("request-1", "run-1")
    assert isinstance(decided, RecoveryDecided)
    assert decided.run_id == "run-1"


def test_a_workers_report_decides_nothing_outside_a_run() -> None:
    never, settled = registered(12.0), recover(registered(12.0), RUNNING)

    for job in (never, settled):
        before = len(job.pending)
        with pytest.raises(IllegalTransition, match="recovery by its worker's report"):
            job.recover_by_report(RUNNING, circumstances(RUNNING), Policy(), float, at(30), TRACE)
        assert (job.state, len(job.pending)) == (JobState.REPLICATING, before)


def test_retries_count_up_and_a_resume_counts_anew() -> None:
    job = registered(12.0)

    waits = []
    for _ in range(3):
        decided = last(recover(job, DOWN))
        assert isinstance(decided, RecoveryDecided)
        waits.append((decided.attempt, decided.retry_in))
    recover(job, RUNNING)

    assert waits == [(1, 5.0), (2, 10.0), (3, 15.0)]
    assert job.attempts == 0


def test_an_operators_word_ends_an_open_job_and_is_neither_observed_nor_inferred() -> None:
    job = registered()

    job.operator_decide(Outcome.FAIL, "mara", "VM deleted", at(5), TRACE)

    assert (job.state, job.outcome_basis, job.is_guess) == (JobState.FAILED, None, False)
    assert job.decision is not None
    assert (job.decision.rule, job.decision.who, job.decision.reason) == ("operator", "mara", "VM deleted")
    for outcome in (Outcome.COMPLETE, Outcome.FAIL):
        with pytest.raises(IllegalTransition) as refused:
            job.operator_decide(outcome, "joe", "no, it was fine", at(6), TRACE)
        assert str(refused.value) == (
            f"job {JOB} is failed, as mara decided at 2025-10-03T12:00:05Z: what an operator decided is final"
        )
    assert news(job) == ["OperatorDecided"]


@pytest.mark.parametrize("observation", [RUNNING, GONE, DOWN])
def test_a_run_that_begins_again_does_not_touch_a_job_that_an_operator_has_ended_since(
    observation: Observation,
) -> None:
    job = recover(registered(), observation)
    job.operator_decide(Outcome.FAIL, "mara", "looked at the VM", at(30), TRACE)
    before = len(job.pending)

    with pytest.raises(IllegalTransition):
        job.begin_recovery("run-1", Cause.RESTART, at(31), "instance")

    assert (job.state, len(job.pending)) == (JobState.FAILED, before)


@pytest.mark.parametrize("outcome", [Outcome.COMPLETE, Outcome.FAIL])
@pytest.mark.parametrize("guessed", [12.0, 99.0])
def test_an_operator_may_confirm_or_correct_a_guess(guessed: float, outcome: Outcome) -> None:
    job = recover(registered(guessed), GONE)
    assert job.is_guess

    job.operator_decide(outcome, "mara", "looked at the VM", at(30), TRACE)

    wanted = JobState.COMPLETED if outcome is Outcome.COMPLETE else JobState.FAILED
    assert (job.state, job.outcome_basis, job.is_guess, attention(job)) == (wanted, None, False, [])
    assert job.ended_at == at(30)
    with pytest.raises(IllegalTransition):
        job.operator_decide(outcome, "joe", "me too", at(31), TRACE)


@pytest.mark.parametrize("outcome", [Outcome.COMPLETE, Outcome.FAIL])
def test_an_operator_may_settle_a_contradiction(outcome: Outcome) -> None:
    job = recover(registered(12.0), GONE)
    job.revise(RUNNING, "job-2", at(25))
    assert len(attention(job)) == 1

    job.operator_decide(outcome, "mara", "looked at the VM", at(30), TRACE)

    assert (job.contradicted, job.is_guess, attention(job)) == (False, False, [])


@pytest.mark.parametrize("observation", [COMPLETED, FAILED])
def test_an_operator_may_not_correct_what_the_vma_said_itself(observation: Observation) -> None:
    by_polling, by_recovery = registered(), recover(registered(), observation)
    by_polling.observe(observation, at(5))

    for job in (by_polling, by_recovery):
        assert job.last_observed_at is not None
        with pytest.raises(IllegalTransition) as refused:
            job.operator_decide(Outcome.FAIL, "mara", "I know better", at(30), TRACE)
        assert str(refused.value) == (
            f"job {JOB} is {job.state.value}, as was reported at {job.last_observed_at:%Y-%m-%dT%H:%M:%S}Z: "
            "an outcome that was observed is final"
        )


def test_nor_a_guess_that_the_vma_has_confirmed() -> None:
    job = recover(registered(12.0), GONE)
    confirmed = msgspec.structs.replace(FAILED, observed_at=at(25))
    job.revise(confirmed, None, at(25))

    with pytest.raises(IllegalTransition, match="is failed, as was reported at 2025-10-03T12:00:25Z: an outcome that"):
        job.operator_decide(Outcome.COMPLETE, "mara", "I know better", at(30), TRACE)


@pytest.mark.parametrize("state", ["replicating", "recovering", "pending-retry"])
def test_an_operator_ends_an_open_job_in_any_state(state: str) -> None:
    job = registered(12.0)
    if state == "pending-retry":
        recover(job, DOWN)
    elif state == "recovering":
        job.begin_recovery("run-1", Cause.RESTART, at(1), "instance")
    assert job.state.value == state

    job.operator_decide(Outcome.COMPLETE, "mara", "done by hand", at(30), TRACE)

    assert (job.state, job.progress_percent, attention(job)) == (JobState.COMPLETED, 100.0, [])


def test_what_an_operator_said_is_not_revised() -> None:
    job = recover(registered(12.0), GONE)
    job.operator_decide(Outcome.FAIL, "mara", "looked at the VM", at(30), TRACE)

    job.revise(RUNNING, None, at(99))

    assert last(job).topic == "OperatorDecided"


class TestGuesses:
    """An inferred outcome is set against what the VMA says later."""

    @staticmethod
    def lost() -> ReplicationJob:
        return recover(registered(12.0), GONE)

    def test_one_that_runs_after_all_replicates_again(self) -> None:
        job = self.lost()

        job.revise(RUNNING, None, at(99))

        assert last(job).topic == "OutcomeRevised"
        assert (job.state, job.outcome_basis, job.ended_at) == (JobState.REPLICATING, None, None)
        assert job.decision is not None
        assert job.decision.reason == "inferred failed, but the VMA says running"

    def test_one_that_completed_after_all_is_completed_by_observation(self) -> None:
        job = self.lost()

        job.revise(COMPLETED, None, at(99))

        assert (job.state, job.outcome_basis) == (JobState.COMPLETED, Basis.OBSERVED)

    def test_one_that_the_vma_confirms_is_no_guess_any_more(self) -> None:
        job = self.lost()

        job.revise(FAILED, None, at(99))

        assert last(job).topic == "OutcomeConfirmed"
        assert (job.state, job.outcome_basis, job.is_guess) == (JobState.FAILED, Basis.OBSERVED, False)

    def test_one_whose_vm_has_a_newer_job_is_not_revived(self) -> None:
        job = self.lost()

        job.revise(RUNNING, "job-2", at(99))

        assert last(job).topic == "OutcomeContradicted"
        assert (job.state, job.contradicted, job.is_guess) == (JobState.FAILED, True, False)

    def test_what_confirms_one_whose_vm_has_a_newer_job_may_be_about_that_one(self) -> None:
        job, before = self.lost(), self.lost()

        job.revise(FAILED, "job-2", at(99))

        assert (news(job, before), job.is_guess) == ([], True)

    def test_silence_changes_nothing(self) -> None:
        job, before = self.lost(), self.lost()

        maybe = observed(document(VMAStatus.COMPLETED), own=VMAStatus.NOT_FOUND, unasked=frozenset({"v1"}))
        for silence in (GONE, DOWN, maybe, *map(observed, sorted(set(VMAStatus) - CONCLUSIVE))):
            job.revise(silence, None, at(99))

        assert news(job, before) == []

    def test_an_observed_outcome_is_final(self) -> None:
        job = recover(registered(12.0), FAILED)

        job.revise(RUNNING, None, at(99))

        assert (job.state, last(job).topic) == (JobState.FAILED, "RecoveryDecided")


def test_a_stalled_job_is_marked_once_and_is_no_failure() -> None:
    job = registered()

    job.mark_stalled(at(0), at(900))
    job.mark_stalled(at(0), at(960))

    assert (news(job), job.state, job.stalled_since) == (["JobStalled"], JobState.REPLICATING, NOON)

    job.mark_moving(RUNNING, at(1000))
    job.mark_moving(RUNNING, at(1001))

    assert (news(job), job.stalled_since) == (["JobStalled", "JobMovedAgain"], None)


@pytest.mark.parametrize("observation", [DOWN, GONE])
def test_a_job_that_is_not_replicating_is_not_marked_stalled(observation: Observation) -> None:
    job = recover(registered(12.0), observation)
    before = len(job.pending)

    job.mark_stalled(at(0), at(900))

    assert (len(job.pending), job.stalled_since) == (before, None)


def test_how_long_a_job_has_stalled_is_recorded_with_how_far_it_was() -> None:
    job = registered()
    job.observe(RUNNING, at(5))

    job.mark_stalled(at(5), at(905))

    stalled = last(job)
    assert isinstance(stalled, JobStalled)
    assert (stalled.since, stalled.stalled_for, stalled.progress_percent) == (at(5), 900.0, 41.5)


def test_evidence_says_when_the_vma_last_knew_the_job_or_else_when_it_was_registered() -> None:
    job = registered()
    assert job.evidence(DOWN, circumstances(DOWN), at(50)).last_contact_at == NOON

    job.observe(observed(document(VMAStatus.RUNNING, 41.5), seconds=20), at(20))
    job.observe(observed(VMAStatus.UNREACHABLE, seconds=30), at(30))

    assert job.evidence(DOWN, circumstances(DOWN), at(50)).last_contact_at == at(20)


def test_a_registration_that_says_nothing_of_progress_begins_at_nothing() -> None:
    asked = Registration(job_id=JOB, vm_name="vm", vm_context_id="ctx", volume_ids=("v1",), vma="default")

    assert asked.progress_percent == 0.0


def test_a_snapshot_and_the_events_after_it_give_what_all_events_give() -> None:
    job = recover(registered(12.0), DOWN)
    whole = list(job.pending)
    early = ReplicationJob.fold(None, whole[:2])
    assert early is not None

    again = ReplicationJob.fold(None, [early.snapshot(), *whole[2:]])

    assert again == ReplicationJob.fold(None, whole)


def test_a_job_that_vanishes_after_an_end_without_a_byte_is_judged_by_what_was_seen_before() -> None:
    empty = msgspec.structs.replace(document(VMAStatus.RUNNING, 100.0), bytes_transferred=0)
    job = registered()
    for seconds, said in ((1, document(VMAStatus.RUNNING, 40.0)), (2, empty)):
        job.observe(observed(said), at(seconds))
    assert (job.progress_percent, job.seen_percent) == (40.0, 40.0)

    job.begin_recovery("run-1", Cause.RESTART, at(3), "instance")
    gone = observed(VMAStatus.NOT_FOUND, own=VMAStatus.NOT_FOUND)
    decision = job.recover("run-1", gone, circumstances(gone), Policy(), lambda _: 1.0, at(4))

    assert decision is not None
    assert decision.rule is Rule.LOST
