"""What the aggregates share: events are numbered, folded and handed over once; a snapshot stands for earlier ones."""

import pytest

from domain.aggregate import Aggregate
from domain.events import Event, JobAdmitted, JobReleased, Trace
from domain.recovery_run import RecoveryRun
from domain.replication_job import ReplicationJob
from domain.vm_context import VMContext
from tests.support.builders import NOON, at

TRACE = Trace("request-1", "request-1", "mara")


def context() -> VMContext:
    vm = VMContext(id="vm-context:ctx-1")
    vm.admit("job-1", "pgtest1", NOON, TRACE)
    vm.release("job-1", at(5), TRACE)
    return vm


def test_events_are_numbered_from_one_and_say_where_they_come_from() -> None:
    first, second = context().pending

    assert (first.ref, second.ref) == ("vm-context:ctx-1#1", "vm-context:ctx-1#2")
    assert (first.recorded_at, second.recorded_at) == (NOON, at(5))
    assert (second.correlation_id, second.causation_id, second.actor) == ("request-1", "request-1", "mara")


def test_events_are_handed_over_once() -> None:
    vm = context()

    assert [type(event) for event in vm.collect_events()] == [JobAdmitted, JobReleased]
    assert vm.collect_events() == []
    assert (vm.version, vm.last_ref) == (2, "vm-context:ctx-1#2")


def test_folding_the_events_gives_the_same_aggregate_as_recording_them() -> None:
    vm = context()
    events = vm.collect_events()

    assert VMContext.fold(None, events) == vm
    assert VMContext.fold(VMContext.fold(None, events[:1]), events[1:]) == vm
    assert VMContext.fold(None, []) is None


def test_a_snapshot_stands_for_the_events_before_it() -> None:
    vm = context()
    snapshot = vm.snapshot()
    vm.admit("job-2", "pgtest1", at(9), TRACE)
    later = vm.pending[-1]
    vm.collect_events()

    assert (snapshot.originator_id, snapshot.originator_version, snapshot.topic) == (vm.id, 2, "vm-context")
    assert VMContext.fold(None, [snapshot, later]) == vm


@pytest.mark.parametrize("kind", [ReplicationJob, VMContext, RecoveryRun])
def test_an_event_of_a_later_version_changes_nothing_but_the_version(kind: type[Aggregate]) -> None:
    before, after = kind(id="x"), kind(id="x")

    after.apply(Event(originator_id="x", originator_version=1, recorded_at=NOON, correlation_id="c", causation_id="c"))

    assert (after.version, after.last_ref, after.last_recorded_at) == (1, "x#1", NOON)
    assert after.last_event == f"x#1 at {NOON.isoformat()}"
    after.version, after.last_ref, after.last_recorded_at = before.version, before.last_ref, before.last_recorded_at
    assert after == before
