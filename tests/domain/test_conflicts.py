"""A command that another instance is faster than decides again on what is stored now, at every attempt."""

import asyncio

import pytest

from domain.application import JobRecovery
from domain.errors import ConcurrentWrite
from domain.events import Cause
from domain.lifecycle import JobState
from domain.recovery_policy import Outcome
from domain.replication_job import Registration
from domain.vm_context import VMContext
from domain.vma_status import VMAStatus
from tests.support.builders import document
from tests.support.contended_log import Contended
from tests.support.harness import REQUEST, RUNNING, Harness


def another(harness: Harness) -> JobRecovery:
    """Return the commands of another instance on the same log."""
    return JobRecovery(harness.event_log, harness.clock, harness.policy)


async def reported(harness: Harness, percent: float) -> None:
    """Have another instance record progress of the job."""
    harness.vma.says["job-1"] = document(VMAStatus.RUNNING, percent)
    other = another(harness)
    await other.observe("job-1", await harness.contact.ask(await other.job("job-1")))


@pytest.mark.parametrize("conflicts", [1, 2, 3, 4])
async def test_after_each_conflict_the_command_is_decided_again_on_what_the_others_stored(
    harness: Harness, conflicts: int
) -> None:
    await harness.job()
    writes = [lambda n=n: reported(harness, 50.0 + 2 * n) for n in range(conflicts)]
    contended = JobRecovery(Contended(harness.event_log, *writes), harness.clock, harness.policy)

    await contended.begin_recovery("job-1", "run-1", Cause.RESTART, "test")

    assert await harness.kinds() == ["JobRegistered", *["VMAStatusObserved"] * conflicts, "RecoveryStarted"]
    assert (await contended.job("job-1")).progress_percent == 50.0 + 2 * (conflicts - 1)
    assert await contended.job("job-1") == await another(harness).job("job-1")


async def test_after_five_conflicts_the_caller_is_told_and_the_next_command_is_decided_afresh(
    harness: Harness,
) -> None:
    await harness.job()
    writes = [lambda n=n: reported(harness, 50.0 + 2 * n) for n in range(5)]
    contended = JobRecovery(Contended(harness.event_log, *writes), harness.clock, harness.policy)

    with pytest.raises(ConcurrentWrite, match="job job-1 has other writers at the moment; try again"):
        await contended.begin_recovery("job-1", "run-1", Cause.RESTART, "test")
    assert "RecoveryStarted" not in await harness.kinds()

    await contended.begin_recovery("job-1", "run-2", Cause.RESTART, "test")
    assert (await contended.job("job-1")).run_id == "run-2"
    assert await contended.job("job-1") == await another(harness).job("job-1")


async def test_a_job_that_another_instance_reopened_meanwhile_releases_its_vm_when_an_operator_ends_it(
    harness: Harness,
) -> None:
    await harness.job()
    guess = await harness.decided("job-1")
    assert guess.state is JobState.FAILED
    harness.vma.says["job-1"] = RUNNING
    found = await harness.contact.ask(guess)
    contended = JobRecovery(
        Contended(harness.event_log, lambda: another(harness).revise("job-1", found)), harness.clock, harness.policy
    )

    ended = await contended.operator_decide("job-1", Outcome.COMPLETE, "mara", "looked at the VM", REQUEST)

    context = await harness.event_log.load(VMContext, VMContext.stream_id("ctx-job-1"))
    assert context is not None
    assert (ended.state, context.active_job) == (JobState.COMPLETED, None)


def of_volumes(job_id: str, *volume_ids: str) -> Registration:
    return Registration(
        job_id=job_id, vm_name="vm", vm_context_id=f"ctx-{job_id}", volume_ids=volume_ids, vma="default"
    )


async def test_jobs_that_name_the_same_volumes_in_another_order_do_not_wait_for_each_other(harness: Harness) -> None:
    orders = [("a", "b"), ("b", "a")] * 10
    many = [harness.app.register(of_volumes(f"job-{n}", *order), REQUEST) for n, order in enumerate(orders)]

    async with asyncio.timeout(30):
        results = await asyncio.gather(*many, return_exceptions=True)

    assert sum(not isinstance(result, Exception) for result in results) == 1
