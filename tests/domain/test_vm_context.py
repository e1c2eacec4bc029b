"""A VM has one active job at a time."""

import pytest

from domain.errors import ContextBusy
from domain.events import Trace
from domain.vm_context import VMContext
from tests.support.builders import NOON

TRACE = Trace("request-1", "job-1#1")


def context() -> VMContext:
    return VMContext(id=VMContext.stream_id("ctx-1"))


def test_the_first_job_is_admitted_and_admitting_it_again_changes_nothing() -> None:
    vm = context()

    vm.admit("job-1", "pgtest1", NOON, TRACE)
    vm.admit("job-1", "pgtest1", NOON, TRACE)

    assert (vm.active_job, vm.jobs, len(vm.pending)) == ("job-1", 1, 1)
    assert vm.vm_context_id == "ctx-1"


def test_a_second_active_job_is_refused_by_name() -> None:
    vm = context()
    vm.admit("job-1", "pgtest1", NOON, TRACE)

    with pytest.raises(ContextBusy, match="ctx-1 already has the active job job-1: job-2 can be registered when"):
        vm.admit("job-2", "pgtest1", NOON, TRACE)


def test_once_the_first_is_released_the_next_is_admitted_and_is_the_newer_one() -> None:
    vm = context()
    vm.admit("job-1", "pgtest1", NOON, TRACE)
    vm.release("job-1", NOON, TRACE)
    assert vm.newer_job_than("job-1") is None

    vm.admit("job-2", "pgtest1", NOON, TRACE)

    assert vm.newer_job_than("job-1") == "job-2"


def test_a_job_that_is_admitted_again_is_one_job() -> None:
    vm = context()
    for job_id in ("job-1", "job-1", "job-2", "job-2", "job-2"):
        vm.admit(job_id, "pgtest1", NOON, TRACE)
        vm.release(job_id, NOON, TRACE)

    assert (vm.jobs, vm.last_job, len(vm.pending)) == (2, "job-2", 10)


def test_a_job_that_is_not_the_active_one_releases_nothing() -> None:
    vm = context()
    vm.admit("job-1", "pgtest1", NOON, TRACE)

    vm.release("job-0", NOON, TRACE)

    assert (vm.active_job, len(vm.pending)) == ("job-1", 1)


@pytest.mark.parametrize("other", ["job-0", "job-2"])
def test_only_the_active_job_is_the_active_job(other: str) -> None:
    vm = context()
    vm.admit("job-1", "pgtest1", NOON, TRACE)
    again = VMContext.fold(None, [vm.snapshot()])
    assert again is not None

    again.admit("job-1", "pgtest1", NOON, TRACE)
    again.release(other, NOON, TRACE)

    assert (again.active_job, again.jobs, again.pending) == ("job-1", 1, [])
    assert again.newer_job_than(other) == "job-1"


def test_a_context_that_had_no_job_yet_takes_any() -> None:
    vm = VMContext(id="vm-context:ctx-1")

    assert (vm.jobs, vm.active_job, vm.newer_job_than("job-1")) == (0, None, None)


def test_a_job_that_has_ended_is_newer_than_those_before_it_and_not_than_itself() -> None:
    vm = context()
    for job_id in ("job-1", "job-2"):
        vm.admit(job_id, "pgtest1", NOON, TRACE)
        vm.release(job_id, NOON, TRACE)

    assert (vm.newer_job_than("job-1"), vm.newer_job_than("job-2")) == ("job-2", None)
