"""Why a person should look at a job: the cause and the remedy, and nothing where nobody need look."""

import msgspec
import pytest

from domain.attention import attention
from domain.events import Cause, Trace
from domain.lifecycle import JobState
from domain.recovery_policy import Outcome, Policy
from domain.replication_job import ReplicationJob
from domain.vma_status import VMAStatus
from tests.support.builders import JOB, NOON, at, circumstances, document, observed, registration

TRACE = Trace("request-1", "request-1")
RUNNING = observed(document(VMAStatus.RUNNING, 41.5))
GONE = observed(VMAStatus.NOT_FOUND, own=VMAStatus.NOT_FOUND)

BY_HAND = f'`job-recovery decide {JOB} fail --why "…"`, or `complete`'
STALLED = "stalled: the VMA reports running, but nothing has moved. Look at the worker on the VMA"
GUESS = f"guess: the outcome was inferred. Check the VM, then confirm or correct it: {BY_HAND}"
CONTRADICTED = f"contradicted: the VMA reports otherwise, but the VM or a disk has a newer job. Decide it: {BY_HAND}"


def registered(job_id: str = JOB) -> ReplicationJob:
    job = ReplicationJob(id=job_id)
    job.register(registration(job.id, vm_name="pgtest1", vm_context_id="ctx-1", progress_percent=12.0), NOON, TRACE)
    return job


def after(status: VMAStatus, inconclusive_for: float = 0.0, job_id: str = JOB) -> ReplicationJob:
    """Recover a job of which this was answered, after so many seconds without a word of it."""
    observation = observed(status, own=status)
    known = circumstances(observation)
    known = msgspec.structs.replace(
        known, silence=msgspec.structs.replace(known.silence, inconclusive_for=inconclusive_for)
    )
    job = registered(job_id)
    job.begin_recovery("run-1", Cause.RESTART, at(10), "instance")
    job.recover("run-1", observation, known, Policy(), lambda _: 5.0, at(20))
    return job


def test_nobody_need_look_at_a_job_that_runs_or_has_ended_as_the_vma_said() -> None:
    running, completed, failed = registered(), registered(), registered()
    running.observe(RUNNING, at(5))
    completed.observe(observed(document(VMAStatus.COMPLETED, 100.0)), at(5))
    failed.observe(observed(document(VMAStatus.FAILED, 3.0)), at(5))

    assert [attention(job) for job in (registered(), running, completed, failed)] == [[], [], [], []]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (VMAStatus.UNANSWERED, "unanswered: VMA default gave no answer about this job ("),
        (VMAStatus.UNINTELLIGIBLE, "unintelligible: VMA default gave an answer that cannot be read ("),
        (VMAStatus.NOT_ASKED, "not-asked: VMA default could not be asked ("),
        (VMAStatus.UNREACHABLE, "unreachable-recent: VMA default is unreachable: last contact 10 s ago"),
    ],
)
def test_a_job_that_has_waited_for_five_minutes_needs_a_person_and_says_why(status: VMAStatus, reason: str) -> None:
    waiting = after(status, 300.0)

    [said] = attention(waiting)

    assert waiting.decision is not None
    assert said.startswith(reason)
    assert said.endswith(f" (as of {waiting.decision.decided_at:%Y-%m-%d %H:%M:%S} UTC)")
    assert attention(after(status, 299.9)) == []


def test_one_that_is_heard_of_again_does_not() -> None:
    job = after(VMAStatus.UNANSWERED, 300.0)

    job.begin_recovery("run-2", Cause.RETRY_DUE, at(30), "instance")
    assert len(attention(job)) == 1
    job.recover("run-2", RUNNING, circumstances(RUNNING), Policy(), lambda _: 5.0, at(31))

    assert attention(job) == []


def test_one_that_an_operator_ended_does_not() -> None:
    job = after(VMAStatus.UNANSWERED, 300.0)

    job.operator_decide(Outcome.FAIL, "mara", "gone", at(30), TRACE)

    assert attention(job) == []


def test_a_stalled_job_does_until_it_moves() -> None:
    job = registered()
    job.mark_stalled(at(0), at(900))
    assert attention(job) == [STALLED]

    job.mark_moving(RUNNING, at(1000))

    assert attention(job) == []


def test_a_stalled_job_that_then_waits_has_both_reasons() -> None:
    job = registered()
    job.mark_stalled(at(0), at(900))
    observation = observed(VMAStatus.NOT_ASKED)
    job.begin_recovery("run-1", Cause.RESTART, at(910), "instance")
    job.recover("run-1", observation, circumstances(observation), Policy(), lambda _: 5.0, at(920))

    assert [reason.split(":")[0] for reason in attention(job)] == ["stalled", "not-asked"]


def test_a_guess_does_until_the_vma_confirms_it() -> None:
    job = after(VMAStatus.NOT_FOUND)
    assert (job.state, attention(job)) == (JobState.FAILED, [GUESS])

    job.revise(observed(document(VMAStatus.FAILED, 12.0)), None, at(30))

    assert attention(job) == []


def test_a_contradicted_guess_does_until_a_person_decides() -> None:
    job = after(VMAStatus.NOT_FOUND)
    job.revise(RUNNING, "job-2", at(30))
    assert attention(job) == [CONTRADICTED]

    job.operator_decide(Outcome.FAIL, "mara", "replaced by job-2", at(40), TRACE)

    assert attention(job) == []


@pytest.mark.parametrize(
    ("job_id", "line"),
    [
        ("web-03", 'web-03 fail --why "…"'),
        ("ctx-PhilB Test machine", "'ctx-PhilB Test machine' fail --why \"…\""),
        ("a;$(b)`c`", "'a;$(b)`c`' fail --why \"…\""),
        ("it's", """'it'"'"'s' fail --why "…\""""),
        ("--web", '--why "…" -- --web fail'),
    ],
)
def test_the_command_that_a_person_needs_names_the_job_as_a_shell_reads_it(job_id: str, line: str) -> None:
    inferred = after(VMAStatus.NOT_FOUND, job_id=job_id)
    contradicted = after(VMAStatus.NOT_FOUND, job_id=job_id)
    contradicted.revise(RUNNING, "job-2", at(30))

    for job in (inferred, contradicted):
        [said] = attention(job)
        assert said.endswith(f": `job-recovery decide {line}`, or `complete`")
