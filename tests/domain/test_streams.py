"""Each stream has a kind, and a job's id names no stream of another kind."""

import random

import msgspec
import pytest

from api.runtime.bootstrap import new_run_id
from domain.errors import InvalidInput
from domain.events import Cause, JobAdmitted, JobRegistered, OperatorDecided, OutcomeRevised, Trace
from domain.lifecycle import JobState
from domain.recovery_policy import Outcome, Policy
from domain.recovery_run import RecoveryRun
from domain.replication_job import ReplicationJob
from domain.streams import Inapplicable, check_job_id, fold_event
from domain.vm_context import VMContext
from tests.support.builders import NOON, registration
from tests.support.clock import FakeClock

TRACE = Trace("request-1", "request-1", "mara")


def job() -> ReplicationJob:
    begun = ReplicationJob(id="job-1")
    begun.register(registration(begun.id, vm_context_id="ctx-1", volume_ids=("disk-1",)), NOON, TRACE)
    return begun


def run() -> RecoveryRun:
    begun = RecoveryRun(id="run-1")
    begun.start(Cause.RESTART, "here", Policy(), ("job-1",), NOON, TRACE)
    return begun


def decision_on(stream: str, version: int) -> OperatorDecided:
    return OperatorDecided(
        originator_id=stream,
        originator_version=version,
        recorded_at=NOON,
        correlation_id="r",
        causation_id="r",
        outcome=Outcome.FAIL,
        who="mara",
        why="a pasted id",
    )


def test_a_stream_of_another_kind_folds_to_nothing() -> None:
    assert ReplicationJob.fold(None, run().pending) is None
    assert ReplicationJob.fold(None, [*run().pending, decision_on("run-1", 2)]) is None
    assert RecoveryRun.fold(None, job().pending) is None


def test_events_of_another_kind_in_a_stream_change_nothing_and_are_counted() -> None:
    whole = RecoveryRun.fold(None, [*run().pending, decision_on("run-1", 2)])

    assert whole is not None
    assert (whole.status, whole.version) == ("running", 2)
    context = VMContext.fold(None, [msgspec.structs.replace(job().pending[0], originator_id="vm-context:ctx-1")])
    assert context is not None
    assert (context.active_job, context.version) == (None, 1)


def test_an_event_that_cannot_be_applied_leaves_its_aggregate_as_it_was() -> None:
    before = job()
    impossible = OutcomeRevised(
        originator_id="job-1",
        originator_version=2,
        recorded_at=NOON,
        correlation_id="r",
        causation_id="r",
        from_state=JobState.FAILED,
        to_state=JobState.COMPLETED,
        reason="nobody says so",
        observation=None,  # type: ignore[arg-type] # as a damaged log may have it
    )

    with pytest.raises(Inapplicable, match="AttributeError"):
        fold_event(ReplicationJob, before, impossible)

    assert before == job()
    with pytest.raises(Inapplicable, match="it belongs to a replication-job, and the stream run-1 is of another kind"):
        fold_event(ReplicationJob, None, decision_on("run-1", 2))
    assert fold_event(ReplicationJob, before, decision_on("job-1", 2)).state is JobState.FAILED


@pytest.mark.parametrize(
    "job_id", ["vm-context:", "vm-context:a", "vm-context:vm-context:a", "run-20261126-120000-0a1b2c"]
)
def test_an_id_that_names_another_kind_is_reserved(job_id: str) -> None:
    with pytest.raises(InvalidInput, match="is reserved"):
        check_job_id(job_id)


@pytest.mark.parametrize("job_id", ["job-1", "run-1", "run-20261126-120000-0a1b2c-x", "my vm-context:a", "vm-context"])
def test_an_id_that_only_looks_like_it_is_not(job_id: str) -> None:
    check_job_id(job_id)


def test_the_ids_that_runs_are_given_are_reserved() -> None:
    make = new_run_id(FakeClock(), random.Random(1))
    for _ in range(100):
        with pytest.raises(InvalidInput):
            check_job_id(make())


def test_a_context_admits_though_its_stream_begins_with_another_kind() -> None:
    foreign = msgspec.structs.replace(job().pending[0], originator_id="vm-context:ctx-1")
    assert isinstance(foreign, JobRegistered)
    context = VMContext.fold(None, [foreign])
    assert context is not None

    context.admit("job-2", "vm", NOON, TRACE)

    assert isinstance(context.pending[0], JobAdmitted)
    assert context.pending[0].originator_version == 2
