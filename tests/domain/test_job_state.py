"""What the events of a job add up to, field by field where a field decides something later."""

import msgspec
import pytest

from domain.events import Cause, JobRegistered, RecoveryDecided, Trace, VMAStatusObserved
from domain.job_state import JobFields
from domain.last_decision import Ending, LastDecision
from domain.lifecycle import JobState
from domain.recovery_policy import Basis, Outcome, Policy
from domain.replication_job import ReplicationJob
from domain.transitions import OUTCOME_BEFORE, reported_state
from domain.vma_status import WORKER, DiskReport, Observation, VMAStatus
from tests.support.builders import JOB, NOON, answer, at, circumstances, document, observed, registration

TRACE = Trace("request-1", "request-1")
COMPLETED = observed(document(VMAStatus.COMPLETED, 100.0, total=None))
GONE = observed(VMAStatus.NOT_FOUND, own=VMAStatus.NOT_FOUND)
DOWN = observed(VMAStatus.UNREACHABLE)


def running(percent: float, seconds: float) -> Observation:
    return observed(document(VMAStatus.RUNNING, percent), seconds=seconds)


def registered(percent: float = 0.0) -> ReplicationJob:
    job = ReplicationJob(id=JOB)
    job.register(registration(job.id, vm_name="pgtest1", vm_context_id="ctx-1", progress_percent=percent), NOON, TRACE)
    return job


def other_run(job: ReplicationJob) -> str:
    """Return the id of another run than the last one: a run decides a job once."""
    return "run-2" if job.run_id == "run-1" else "run-1"


def recovered(job: ReplicationJob, observation: Observation, seconds: float) -> ReplicationJob:
    run_id = other_run(job)
    job.begin_recovery(run_id, Cause.RESTART, at(seconds), "instance")
    job.recover(run_id, observation, circumstances(observation), Policy(), lambda _: 5.0, at(seconds))
    return job


@pytest.mark.parametrize(("done", "total"), [(400, 1000), (400, None), (None, 1000), (0, 0)])
def test_bytes_and_size_are_those_of_the_last_observation_that_has_one_of_them(
    done: int | None, total: int | None
) -> None:
    job = registered()
    job.observe(running(10.0, seconds=5), at(5))
    stated = msgspec.structs.replace(running(50.0, seconds=80), bytes_transferred=done, total_bytes=total)

    job.observe(stated, at(80))
    assert (job.bytes_transferred, job.total_bytes) == (done, total)

    nothing = msgspec.structs.replace(running(90.0, seconds=160), bytes_transferred=None, total_bytes=None)
    job.observe(nothing, at(160))
    assert (job.progress_percent, job.bytes_transferred, job.total_bytes) == (90.0, done, total)


def test_before_its_first_event_nothing_is_known_of_a_job() -> None:
    job = JobFields(id=JOB)

    assert (job.progress_percent, job.registered_percent, job.progress_covers, job.attempts) == (0.0, 0.0, 0, 0)
    assert (job.seen_on_vma, job.doubtful, job.contradicted, job.is_guess) == (False, False, False, False)
    assert (job.registered_at, job.last_contact_at, job.ended_at, job.decision) == (None, None, None, None)


def test_a_decision_is_no_retry_unless_it_says_so() -> None:
    decision = LastDecision(outcome="resume", rule="still-running", basis="observed", reason="", decided_at=NOON)

    assert (decision.attempt, decision.retry_in, decision.is_retry, decision.needs_attention) == (0, None, False, False)
    assert (decision.inconclusive_for, decision.attention_after) == (0.0, None)


@pytest.mark.parametrize(("outcome", "is_retry"), [("retry", True), ("resume", False), ("complete", False)])
@pytest.mark.parametrize(("waited", "after", "long"), [(299.9, 300.0, False), (300.0, 300.0, True), (9e9, None, False)])
def test_a_job_that_has_waited_for_long_needs_a_person(
    outcome: str, waited: float, after: float | None, *, is_retry: bool, long: bool
) -> None:
    decision = LastDecision(
        outcome=outcome,
        rule="unanswered",
        basis=None,
        reason="",
        decided_at=NOON,
        inconclusive_for=waited,
        attention_after=after,
    )

    assert (decision.is_retry, decision.needs_attention) == (is_retry, is_retry and long)


def waits(job: ReplicationJob, inconclusive_for: float, status: VMAStatus = VMAStatus.UNREACHABLE) -> float:
    """Have the job decided on after so many seconds without a word; return for how long it has waited."""
    observation = observed(status, own=status)
    known = circumstances(observation, duration=0.0)
    silence = msgspec.structs.replace(known.silence, inconclusive_for=inconclusive_for)
    run_id = other_run(job)
    job.begin_recovery(run_id, Cause.RESTART, at(10), "instance")
    known = msgspec.structs.replace(known, silence=silence)
    job.recover(run_id, observation, known, Policy(), lambda _: 5.0, at(10))
    assert job.decision is not None
    return job.decision.inconclusive_for


def test_how_long_a_job_has_waited_is_carried_over_its_retries_and_our_restarts() -> None:
    job = registered(12.0)

    assert waits(job, 200.0) == 200.0
    assert waits(job, 0.0) == 200.0
    assert waits(job, 100.0, VMAStatus.UNINTELLIGIBLE) == 200.0
    assert waits(job, 300.0) == 300.0
    assert job.decision is not None
    assert job.decision.needs_attention


def test_an_operator_is_told_how_a_job_ended_and_by_what_or_by_whom() -> None:
    lost, decided, failed, completed = registered(12.0), registered(), registered(), registered()
    recovered(lost, GONE, 10)
    decided.operator_decide(Outcome.COMPLETE, "mara", "it is there", at(5), TRACE)
    failed.observe(observed(document(VMAStatus.FAILED, 30.0, error="disk full")), at(5))
    completed.observe(COMPLETED, at(5))

    assert lost.decision is not None
    assert lost.ended == Ending(outcome="fail", why=lost.decision.reason, version=lost.version, rule="lost")
    assert decided.ended == Ending(outcome="complete", why="it is there", version=2, who="mara")
    assert failed.ended == Ending(outcome="fail", why="the VMA reported failed: disk full", version=2)
    assert completed.ended == Ending(outcome="complete", why="the VMA reported completed", version=2)


@pytest.mark.parametrize("then", [GONE, COMPLETED, running(50.0, 10), observed(VMAStatus.UNANSWERED)])
def test_its_vma_was_unreachable_until_it_knows_the_job_again(then: Observation) -> None:
    job = registered(12.0)
    job.observe(running(50.0, 3), at(3))
    before = job.was_unreachable
    job.observe(DOWN, at(5))
    job.observe(msgspec.structs.replace(running(50.0, 7), source=WORKER), at(7))
    while_down = job.was_unreachable

    recovered(job, then, 10)

    assert (before, while_down, job.was_unreachable) == (False, True, not then.is_contact)


def test_a_decision_has_its_basis_and_a_retry_has_none() -> None:
    decisions = [recovered(registered(12.0), said, 10).decision for said in (GONE, COMPLETED, DOWN)]

    assert [decision and decision.basis for decision in decisions] == ["inferred", "observed", None]
    assert [decision and decision.by_recovery.basis for decision in decisions] == [Basis.INFERRED, Basis.OBSERVED, None]


def test_a_registration_of_which_an_earlier_version_recorded_no_progress_begins_at_nothing() -> None:
    job = ReplicationJob(id=JOB)
    content = {"vm_name": "vm", "vm_context_id": "ctx", "volume_ids": ["v1"], "vma": "default"}
    envelope = {"originator_id": JOB, "originator_version": 1, "recorded_at": NOON}
    trace = {"correlation_id": "request-1", "causation_id": "request-1"}

    job.apply(msgspec.convert({**content, **envelope, **trace}, JobRegistered))

    assert (job.progress_percent, job.registered_percent, job.seen_on_vma) == (0.0, 0.0, False)


def test_a_decision_of_which_an_earlier_version_recorded_no_attempt_counts_none() -> None:
    decided = recovered(registered(12.0), running(41.0, 10), 10).pending[-1]
    content = msgspec.to_builtins(decided)
    del content["attempt"]

    job = registered(12.0)
    job.begin_recovery("run-1", Cause.RESTART, at(10), "instance")
    job.apply(msgspec.convert(content, RecoveryDecided))

    assert (job.attempts, job.decision and job.decision.attempt) == (0, 0)


def test_a_job_that_was_heard_of_meanwhile_has_not_waited() -> None:
    job = registered(12.0)
    waits(job, 9000.0)

    recovered(job, running(41.0, 20), 20)
    assert job.decision is not None
    assert not job.decision.needs_attention

    assert waits(job, 0.0) == 0.0


@pytest.mark.parametrize(("percent", "seen"), [(0.0, False), (0.5, True), (99.0, True)])
def test_progress_known_at_registration_was_seen_on_the_vma(percent: float, *, seen: bool) -> None:
    assert registered(percent).seen_on_vma is seen


def test_a_guess_shows_a_hundred_percent_that_nobody_has_seen() -> None:
    job = registered()
    job.observe(running(95.0, 10), at(10))

    recovered(job, GONE, 20)

    assert (job.state, job.progress_percent, job.seen_percent) == (JobState.COMPLETED, 100.0, 95.0)


def test_a_job_is_watched_while_it_is_open_and_while_its_outcome_is_a_guess() -> None:
    open_jobs = [registered(), recovered(registered(12.0), DOWN, 10)]
    guess = recovered(registered(12.0), GONE, 10)
    completed, decided = registered(), registered()
    completed.observe(COMPLETED, at(5))
    decided.operator_decide(Outcome.FAIL, "mara", "gone", at(5), TRACE)

    assert [job.is_watched for job in (*open_jobs, guess)] == [True, True, True]
    assert [job.is_watched for job in (completed, decided)] == [False, False]


def test_a_guess_that_is_revised_is_as_far_as_it_was_seen() -> None:
    job = registered()
    job.observe(running(95.0, 10), at(10))
    recovered(job, GONE, 20)
    job.revise(observed(document(VMAStatus.RUNNING, None, total=None), seconds=30), None, at(30))
    assert (job.state, job.progress_percent) == (JobState.REPLICATING, 95.0)

    again = recovered(registered(12.0), GONE, 10)
    again.revise(running(41.5, 30), None, at(30))
    assert (again.progress_percent, again.seen_percent) == (41.5, 41.5)


def test_a_decision_rests_on_the_least_of_the_disks_that_a_document_of_the_job_lists() -> None:
    job = ReplicationJob(id=JOB)
    job.register(registration(job.id, vm_name="pgtest1", vm_context_id="ctx-1", volume_ids=("v1", "v2")), NOON, TRACE)
    listed = tuple(DiskReport(disk_id=f"d{p}", status=VMAStatus.RUNNING, progress_percent=p) for p in (100.0, 10.0))
    lost = VMAStatus.NOT_FOUND
    job.observe(observed(lost, lost, own=document(percent=96.4, disks=listed), seconds=10), at(10))
    assert (job.progress_percent, job.seen_percent) == (96.4, 10.0)

    recovered(job, observed(lost, lost, own=lost, seconds=20), 20)

    assert (job.state, job.decision and job.decision.rule) == (JobState.FAILED, "lost")


def test_a_state_from_before_the_least_disk_was_kept_goes_by_its_progress() -> None:
    assert JobFields(id=JOB, progress_percent=95.0).seen_percent == 95.0


def test_a_job_has_moved_when_what_the_vma_says_of_it_has_changed_and_only_then() -> None:
    job = registered()

    job.observe(running(40.0, 10), at(10))
    job.observe(running(40.0, 20), at(20))
    assert (job.moved_at, job.last_contact_at) == (at(10), at(20))

    job.observe(running(41.0, 30), at(30))
    assert job.moved_at == at(30)


@pytest.mark.parametrize("percent", [39.0, 41.0])
def test_a_figure_that_falls_is_a_movement_like_one_that_grows(percent: float) -> None:
    job = registered()
    job.observe(running(40.0, 10), at(10))

    job.observe(running(percent, 20), at(20))

    assert job.moved_at == at(20)


def test_the_phase_is_the_last_that_was_given() -> None:
    job, phases = registered(), []
    for seconds, phase in ((10, "Transfer"), (20, "Cleanup"), (30, None)):
        job.observe(observed(document(VMAStatus.RUNNING, 40.0, phase=phase), seconds=seconds), at(seconds))
        phases.append(job.phase)

    assert phases == ["Transfer", "Cleanup", "Cleanup"]


def test_silence_is_no_contact_and_no_movement() -> None:
    job = registered()
    job.observe(running(40.0, 10), at(10))

    job.observe(observed(VMAStatus.UNREACHABLE, seconds=20), at(20))

    assert (job.last_contact_at, job.moved_at, job.last_observed_at) == (at(10), at(10), at(20))
    assert (job.progress_percent, job.vma_status) == (40.0, VMAStatus.UNREACHABLE)


def test_a_completed_job_is_at_a_hundred_percent_and_a_failed_one_where_it_was() -> None:
    completed, failed = registered(), registered()
    for job in (completed, failed):
        job.observe(running(40.0, 10), at(10))

    completed.observe(COMPLETED, at(20))
    failed.observe(observed(document(VMAStatus.FAILED, 42.0)), at(20))

    assert (completed.state, completed.progress_percent) == (JobState.COMPLETED, 100.0)
    assert (failed.state, failed.progress_percent) == (JobState.FAILED, 42.0)


def test_a_job_has_ended_when_that_was_recorded_however_late_that_was() -> None:
    """A time that is shown, given back, shows the job as it had ended; an end may be stored after an outage only."""
    job = registered()

    job.observe(msgspec.structs.replace(observed(document(VMAStatus.COMPLETED, 100.0)), observed_at=at(30)), at(900))

    assert (job.state, job.ended_at, job.last_observed_at) == (JobState.COMPLETED, at(900), at(30))


def test_a_guessed_completion_is_at_a_hundred_percent_too() -> None:
    job = recovered(registered(95.0), GONE, 10)

    assert (job.state, job.progress_percent) == (JobState.COMPLETED, 100.0)


def test_only_a_resume_says_when_a_job_was_resumed() -> None:
    job = recovered(registered(40.0), DOWN, 10)
    assert (job.state, job.resumed_at) == (JobState.PENDING_RETRY, None)

    recovered(job, running(41.0, 20), 20)
    assert (job.state, job.resumed_at) == (JobState.REPLICATING, at(20))


def test_what_is_decided_outside_a_run_is_decided_of_the_state_that_the_job_is_in() -> None:
    job = recovered(registered(40.0), DOWN, 10)

    evidence = job.evidence(DOWN, circumstances(DOWN), at(50))

    assert job.found_in is JobState.REPLICATING
    assert (evidence.state_before, evidence.registered_at, evidence.decided_at) == ("pending-retry", NOON, at(50))


def test_of_what_is_conclusive_the_raw_answer_is_not_kept_and_of_anything_else_it_is() -> None:
    raw = "the raw answer"
    kept = []
    for said in (document(VMAStatus.RUNNING), VMAStatus.UNINTELLIGIBLE):
        observation = observed(said)
        one = answer("migration-vol-v1", said)
        shown = Observation(
            job_id=JOB,
            vma="default",
            status=observation.status,
            observed_at=NOON,
            disks=observation.disks,
            answers=(type(one)(asked_id=one.asked_id, status=one.status, excerpt=raw),),
        )
        job = registered()
        job.observe(shown, at(5))
        recorded = job.pending[-1]
        assert isinstance(recorded, VMAStatusObserved)
        kept.append(recorded.observation.answers[0].excerpt)

    assert kept == [None, raw]


@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize("other", [("a", "a", ("a",), "a", -1.0), ("zz", "zz", ("zz",), "zz", 99.0)])
def test_a_registration_that_differs_in_anything_is_another_one(
    place: int, other: tuple[str, str, tuple[str], str, float]
) -> None:
    same = ("pgtest1", "ctx-1", ("v1",), "default", 0.0)
    different = (*same[:place], other[place], *same[place + 1 :])

    assert registered().is_same_registration(registration(JOB, *same))
    changed = registration(JOB, *different)  # type: ignore[arg-type] # each in its place
    assert not registered().is_same_registration(changed)


@pytest.mark.parametrize("state", [JobState.REPLICATING, JobState.COMPLETED, JobState.FAILED, JobState.PENDING_RETRY])
def test_each_state_has_the_outcome_that_leads_to_it(state: JobState) -> None:
    expected = {
        JobState.REPLICATING: Outcome.RESUME,
        JobState.COMPLETED: Outcome.COMPLETE,
        JobState.FAILED: Outcome.FAIL,
        JobState.PENDING_RETRY: Outcome.RETRY,
    }

    assert OUTCOME_BEFORE[state] is expected[state]


def test_only_a_conclusive_word_amounts_to_a_state() -> None:
    assert reported_state(running(1.0, 0)) is JobState.REPLICATING
    assert reported_state(COMPLETED) is JobState.COMPLETED
    assert reported_state(GONE) is None


def test_what_is_observed_after_a_decision_is_caused_by_the_last_decision() -> None:
    job = registered(40.0)
    job.observe(running(41.0, 1), at(1))
    for n, seconds in enumerate((10.0, 20.0), start=2):
        recovered(job, running(40.0 + n, seconds), seconds)
        job.observe(running(50.0 + n, seconds + 1), at(seconds + 1))

    first, *later = [event for event in job.pending if isinstance(event, VMAStatusObserved) and not event.run_id]

    decided = [event for event in job.pending if isinstance(event, RecoveryDecided)]
    assert (first.correlation_id, first.causation_id) == (TRACE.correlation_id, f"{JOB}#1")
    assert [(event.correlation_id, event.causation_id) for event in later] == [(e.run_id, e.ref) for e in decided]
    assert len(later) == 2
