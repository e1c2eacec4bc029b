"""A guess is asked about again, ever more rarely, and revised if the VMA contradicts it."""

import pytest

from domain.lifecycle import JobState
from domain.processes.reconciliation import Reconciliation
from domain.recovery_policy import Outcome
from domain.vma_status import VMAStatus
from tests.support.harness import REQUEST, RUNNING, Harness, while_running


@pytest.fixture
def reconciliation(scenery: Harness) -> Reconciliation:
    return Reconciliation(scenery.shared, first_after=5.0, ask_for=86_400.0)


async def guessed(scenery: Harness, reconciliation: Reconciliation) -> None:
    await scenery.job()
    reconciliation.watch(await scenery.decided("job-1"))
    scenery.vma.asked.clear()


async def test_a_job_that_was_lost_and_runs_after_all_replicates_again(
    scenery: Harness, reconciliation: Reconciliation
) -> None:
    await guessed(scenery, reconciliation)
    scenery.vma.says["job-1"] = RUNNING

    await while_running(reconciliation.run(), lambda: "outcome_reconsidered" in scenery.log.events)

    assert (await scenery.app.job("job-1")).state is JobState.REPLICATING


async def test_silence_is_asked_about_for_a_day_ever_more_rarely(
    scenery: Harness, reconciliation: Reconciliation
) -> None:
    await guessed(scenery, reconciliation)
    before = await scenery.kinds()

    day = scenery.clock.monotonic() + 86_400

    await while_running(reconciliation.run(), lambda: scenery.clock.monotonic() > day + 7200, turns=50_000)
    asked = len(scenery.vma.asked)
    await while_running(reconciliation.run(), lambda: scenery.clock.monotonic() > day + 14_400, turns=50_000)

    assert 20 < asked < 50
    assert len(scenery.vma.asked) == asked
    assert await scenery.kinds() == before


@pytest.mark.parametrize(
    "silence",
    [VMAStatus.UNANSWERED, VMAStatus.UNINTELLIGIBLE, VMAStatus.NOT_ASKED, VMAStatus.NOT_FOUND, VMAStatus.UNREACHABLE],
)
async def test_what_is_not_conclusive_revises_no_guess(
    scenery: Harness, reconciliation: Reconciliation, silence: VMAStatus
) -> None:
    await guessed(scenery, reconciliation)
    scenery.vma.says["job-1"] = silence
    before = await scenery.kinds()

    await while_running(reconciliation.run(), lambda: len(scenery.vma.asked) >= 5)

    assert await scenery.kinds() == before


async def test_a_guess_that_an_operator_corrected_is_asked_about_no_more(
    scenery: Harness, reconciliation: Reconciliation
) -> None:
    await guessed(scenery, reconciliation)
    scenery.app.subscribe(lambda job, _: None if job.is_guess else reconciliation.drop(job.id))
    await scenery.app.operator_decide("job-1", Outcome.COMPLETE, "mara", "looked at the VM", REQUEST)
    scenery.vma.says["job-1"] = RUNNING

    await while_running(reconciliation.run(), lambda: scenery.clock.monotonic() > 600)

    assert (scenery.vma.asked, (await scenery.app.job("job-1")).state) == ([], JobState.COMPLETED)


async def test_a_guess_about_a_vma_that_is_back_is_asked_about_at_once(
    scenery: Harness, reconciliation: Reconciliation
) -> None:
    await guessed(scenery, reconciliation)
    scenery.vma.says["job-1"] = VMAStatus.UNREACHABLE
    job = await scenery.app.job("job-1")
    for _ in range(3):
        await scenery.contact.ask(job)
    scenery.vma.says["job-1"] = VMAStatus.NOT_FOUND

    await scenery.contact.ask(job)

    assert reconciliation._schedule.due_at("job-1") == scenery.clock.monotonic()
