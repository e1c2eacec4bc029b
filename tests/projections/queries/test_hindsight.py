"""What is known about a job at a time follows from the reports before and after it."""

import pytest

from domain.events import Cause, Event, Trace
from domain.lifecycle import JobState
from domain.recovery_policy import Outcome, Policy
from domain.replication_job import ReplicationJob
from domain.vma_status import Observation, VMAStatus
from projections.queries.hindsight import Hindsight, known_at
from tests.support.builders import at, circumstances, document, observed, registration

TRACE = Trace("r", "r")


def running(seconds: float) -> Observation:
    return observed(document(VMAStatus.RUNNING, 41.0), seconds=seconds)


def gone(seconds: float) -> Observation:
    return observed(VMAStatus.NOT_FOUND, own=VMAStatus.NOT_FOUND, seconds=seconds)


def lost_at_100() -> ReplicationJob:
    """Return a job that ran at 10 s, and was inferred lost at 100 s."""
    job = ReplicationJob(id="job-1")
    job.register(registration(job.id), at(0), TRACE)
    job.observe(running(10), at(10))
    job.begin_recovery("run-1", Cause.RESTART, at(90), "instance")
    job.recover("run-1", gone(100), circumstances(gone(100)), Policy(), lambda _: 5.0, at(100))
    return job


def seen(job: ReplicationJob, believed: JobState, seconds: float) -> Hindsight:
    events: list[Event] = job.pending
    return known_at(believed, events, at(seconds))


def test_a_job_that_was_inferred_lost_and_ran_later_was_running_all_the_time() -> None:
    job = lost_at_100()
    job.revise(running(200), None, at(200))

    found = seen(job, JobState.FAILED, 150)

    assert (found.known, found.certain, found.differs) == ("running", True, True)
    assert found.because == "the VMA reported running later (job-1#6)"


def test_without_a_later_report_a_lost_job_was_running_at_its_last_report() -> None:
    found = seen(lost_at_100(), JobState.FAILED, 150)

    assert (found.known, found.certain, found.differs) == ("running", False, True)
    assert "nothing conclusive since" in found.because


def test_a_job_that_completed_after_all_was_running_or_completed_and_the_time_of_the_change_is_not_known() -> None:
    job = lost_at_100()
    job.revise(observed(document(VMAStatus.COMPLETED, 100.0), seconds=200), None, at(200))

    found = seen(job, JobState.FAILED, 150)

    assert (found.known, found.certain, found.differs) == ("running or completed", False, True)


def test_what_was_believed_may_have_been_right() -> None:
    job = lost_at_100()
    job.revise(observed(document(VMAStatus.FAILED, 41.0), seconds=200), None, at(200))

    assert not seen(job, JobState.FAILED, 150).differs
    later = seen(job, JobState.FAILED, 250)
    assert (later.known, later.certain, later.differs) == ("failed", True, False)
    assert later.because == "the VMA had reported failed (job-1#6)"


def test_a_later_report_shows_what_was_not_known_at_the_time() -> None:
    job = ReplicationJob(id="job-1")
    job.register(registration(job.id), at(0), TRACE)
    assert seen(job, JobState.PENDING_RETRY, 50).known == "unknown"
    job.observe(running(100), at(100))

    found = seen(job, JobState.PENDING_RETRY, 50)

    assert (found.known, found.certain, found.differs) == ("running", True, True)


def test_an_operators_decision_is_a_report_under_the_operators_name() -> None:
    job = ReplicationJob(id="job-1")
    job.register(registration(job.id), at(0), TRACE)
    job.operator_decide(Outcome.FAIL, "mara", "gone", at(50), TRACE)

    found = seen(job, JobState.FAILED, 60)

    assert (found.known, found.because) == ("failed", "the operator mara had reported failed (job-1#2)")


def test_a_report_of_the_very_time_is_the_last_before_it() -> None:
    job = ReplicationJob(id="job-1")
    job.register(registration(job.id), at(0), TRACE)
    job.observe(observed(document(VMAStatus.COMPLETED, 100.0), seconds=50), at(50), TRACE)

    found = seen(job, JobState.COMPLETED, 50)

    assert (found.known, found.certain, found.after) == ("completed", True, None)


def test_reports_count_by_their_times_whichever_the_log_has_first() -> None:
    job = ReplicationJob(id="job-1")
    job.register(registration(job.id), at(0), TRACE)
    for seconds in (20, 40, 10, 30):
        job.observe(running(seconds), at(seconds), TRACE)

    around = [seen(job, JobState.REPLICATING, seconds) for seconds in (15, 25, 35, 45)]

    times = [(found.before and found.before.at, found.after and found.after.at) for found in around]
    assert times == [(at(10), at(20)), (at(20), at(30)), (at(30), at(40)), (at(40), None)]


def test_without_any_report_nothing_is_known_or_certain() -> None:
    job = ReplicationJob(id="job-1")
    job.register(registration(job.id), at(0), TRACE)

    for believed in JobState:
        found = seen(job, believed, 150)

        assert (found.known, found.certain, found.differs) == ("unknown", False, False)
        assert (found.before, found.after) == (None, None)


@pytest.mark.parametrize(
    ("decided", "known"),
    [(Outcome.COMPLETE, ("failed or completed", False, False)), (Outcome.FAIL, ("failed", True, True))],
)
def test_an_end_that_was_reported_before_counts_beside_what_an_operator_decides_later(
    decided: Outcome, known: tuple[str, bool, bool]
) -> None:
    job = ReplicationJob(id="job-1")
    job.register(registration(job.id), at(0), TRACE)
    job.begin_recovery("run-1", Cause.RESTART, at(90), "instance")
    near_end = observed(document(VMAStatus.RUNNING, 95.0), seconds=95)
    job.recover("run-1", near_end, circumstances(near_end), Policy(), lambda _: 5.0, at(95))
    job.begin_recovery("run-2", Cause.RESTART, at(99), "instance")
    job.recover("run-2", gone(100), circumstances(gone(100)), Policy(), lambda _: 5.0, at(100))
    job.revise(observed(document(VMAStatus.FAILED, 95.0), seconds=200), "job-2", at(200))
    job.operator_decide(decided, "mara", "looked at the VM", at(300), TRACE)

    found = seen(job, JobState.COMPLETED, 250)

    assert (found.known, found.certain, found.differs) == known
