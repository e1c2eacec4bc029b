"""A guess is asked about again, ever more rarely, and revised if the VMA contradicts it."""

from itertools import pairwise

import pytest

from domain.events import SERVICE
from domain.lifecycle import JobState
from domain.processes.reconciliation import Reconciliation
from domain.recovery_policy import Outcome
from domain.vma_status import VMAStatus
from tests.support.harness import REQUEST, RUNNING, Harness, while_running


@pytest.fixture
def reconciliation(harness: Harness) -> Reconciliation:
    return Reconciliation(harness.shared, first_after=5.0, ask_for=86_400.0)


async def guessed(harness: Harness, reconciliation: Reconciliation) -> None:
    await harness.job()
    reconciliation.watch(await harness.decided("job-1"))
    harness.vma.asked.clear()


async def test_a_job_that_was_lost_and_runs_after_all_replicates_again(
    harness: Harness, reconciliation: Reconciliation
) -> None:
    await guessed(harness, reconciliation)
    harness.vma.says["job-1"] = RUNNING

    await while_running(reconciliation.run(), lambda: "outcome_reconsidered" in harness.log.events)

    assert (await harness.app.job("job-1")).state is JobState.REPLICATING


async def test_a_revision_is_caused_by_the_inference_and_not_by_the_registration(
    harness: Harness, reconciliation: Reconciliation
) -> None:
    await guessed(harness, reconciliation)
    inferred = (await harness.events())[-2]
    harness.vma.says["job-1"] = RUNNING

    await while_running(reconciliation.run(), lambda: "outcome_reconsidered" in harness.log.events)

    revised = (await harness.events())[-2]
    assert (inferred.topic, revised.topic) == ("RecoveryDecided", "OutcomeRevised")
    assert (revised.correlation_id, revised.causation_id, revised.actor) == ("run-1", inferred.ref, SERVICE)


async def test_silence_is_asked_about_for_a_day_ever_more_rarely(
    harness: Harness, reconciliation: Reconciliation
) -> None:
    await guessed(harness, reconciliation)
    before = await harness.kinds()

    day = harness.clock.elapsed + 86_400

    await while_running(reconciliation.run(), lambda: harness.clock.elapsed > day + 7200, turns=50_000)
    asked = len(harness.vma.asked)
    await while_running(reconciliation.run(), lambda: harness.clock.elapsed > day + 14_400, turns=50_000)

    assert 20 < asked < 50
    assert len(harness.vma.asked) == asked
    assert await harness.kinds() == before


@pytest.mark.parametrize(
    "silence",
    [VMAStatus.UNANSWERED, VMAStatus.UNINTELLIGIBLE, VMAStatus.NOT_ASKED, VMAStatus.NOT_FOUND, VMAStatus.UNREACHABLE],
)
async def test_what_is_not_conclusive_revises_no_guess(
    harness: Harness, reconciliation: Reconciliation, silence: VMAStatus
) -> None:
    await guessed(harness, reconciliation)
    harness.vma.says["job-1"] = silence
    before = await harness.kinds()

    await while_running(reconciliation.run(), lambda: len(harness.vma.asked) >= 5)

    assert await harness.kinds() == before


async def test_a_guess_that_an_operator_corrected_is_asked_about_no_more(
    harness: Harness, reconciliation: Reconciliation
) -> None:
    await guessed(harness, reconciliation)
    harness.app.subscribe(lambda job, _: None if job.is_guess else reconciliation.drop(job.id))
    await harness.app.operator_decide("job-1", Outcome.COMPLETE, "mara", "looked at the VM", REQUEST)
    harness.vma.says["job-1"] = RUNNING

    await while_running(reconciliation.run(), lambda: harness.clock.elapsed > 600)

    assert (harness.vma.asked, (await harness.app.job("job-1")).state) == ([], JobState.COMPLETED)


async def test_a_guess_about_a_vma_that_is_back_is_asked_about_at_once(
    harness: Harness, reconciliation: Reconciliation
) -> None:
    await guessed(harness, reconciliation)
    harness.vma.says["job-1"] = VMAStatus.UNREACHABLE
    job = await harness.app.job("job-1")
    for _ in range(3):
        await harness.contact.ask(job)
    harness.vma.says["job-1"] = VMAStatus.NOT_FOUND

    await harness.contact.ask(job)

    assert reconciliation._schedule.due_at("job-1") == harness.clock.monotonic()


@pytest.mark.parametrize("vma", ["another", "elsewhere"])
async def test_a_guess_about_another_vma_is_asked_about_when_it_was_due(
    harness: Harness, reconciliation: Reconciliation, vma: str
) -> None:
    await guessed(harness, reconciliation)
    elsewhere = await harness.job("job-2", vma=vma)
    harness.vma.says[elsewhere.id] = VMAStatus.UNREACHABLE
    await harness.contact.ask(elsewhere)
    harness.vma.says[elsewhere.id] = RUNNING

    await harness.contact.ask(elsewhere)

    assert reconciliation._schedule.due_at("job-1") == harness.clock.monotonic() + 5.0


async def test_while_its_vma_is_down_a_guess_is_asked_about_as_often_as_before_and_then_ever_more_rarely(
    harness: Harness, reconciliation: Reconciliation
) -> None:
    await guessed(harness, reconciliation)
    harness.vma.says["job-1"] = VMAStatus.UNREACHABLE
    guess = reconciliation._guesses["job-1"]

    down = [await reconciliation._ask("job-1", guess) for _ in range(4)]
    harness.vma.says["job-1"] = VMAStatus.NOT_FOUND
    back = [await reconciliation._ask("job-1", guess) for _ in range(11)]
    harness.vma.says["job-1"] = VMAStatus.UNREACHABLE
    down_again = await reconciliation._ask("job-1", guess)

    assert (down, back[:3], back[8:], down_again) == ([5.0] * 4, [10.0, 20.0, 40.0], [2560.0, 3600.0, 3600.0], 60.0)


async def test_a_guess_is_asked_about_when_it_is_due_and_for_the_last_time_at_the_end_of_its_period(
    harness: Harness,
) -> None:
    reconciliation = Reconciliation(harness.shared, first_after=5.0, ask_for=100.0)
    await guessed(harness, reconciliation)
    asked_at = [harness.clock.elapsed]
    harness.contact.on_observed(lambda _: asked_at.append(harness.clock.elapsed))

    await while_running(reconciliation.run(), lambda: harness.clock.elapsed >= 99.0)
    assert [later - earlier for earlier, later in pairwise(asked_at)] == pytest.approx([5, 10, 20, 40], abs=1.0)

    harness.clock.advance(100.0 - harness.clock.elapsed)
    await reconciliation._reconcile("job-1")
    assert asked_at[5:] == [100.0]
    harness.clock.advance(0.1)
    await reconciliation._reconcile("job-1")
    assert len(asked_at) == 6


async def test_what_the_vma_says_against_a_guess_is_asked_for_again_until_it_can_be_stored(
    harness: Harness, reconciliation: Reconciliation
) -> None:
    await guessed(harness, reconciliation)
    harness.vma.says["job-1"] = RUNNING
    harness.make_writable(writable=False)
    asked_at = [harness.clock.elapsed]
    harness.contact.on_observed(lambda _: asked_at.append(harness.clock.elapsed))
    await while_running(reconciliation.run(), lambda: harness.log.events.count("reconciliation_failed") >= 3)
    assert [later - earlier for earlier, later in pairwise(asked_at)][:3] == pytest.approx([5, 60, 60], abs=4.0)

    harness.make_writable(writable=True)
    await while_running(reconciliation.run(), lambda: "outcome_reconsidered" in harness.log.events)

    assert (await harness.app.job("job-1")).state is JobState.REPLICATING


async def test_a_guess_about_a_vma_that_is_away_for_longer_than_the_period_is_revised_when_it_is_back(
    harness: Harness,
) -> None:
    """A tunnel that is cut for a week-end."""
    reconciliation = Reconciliation(harness.shared, first_after=5.0, ask_for=100.0)
    await guessed(harness, reconciliation)
    harness.vma.says["job-1"] = VMAStatus.UNREACHABLE
    await while_running(reconciliation.run(), lambda: harness.clock.elapsed > 1000.0, turns=20_000)
    assert not (await harness.app.job("job-1")).is_open
    harness.vma.says["job-1"] = RUNNING

    await while_running(reconciliation.run(), lambda: "outcome_reconsidered" in harness.log.events, turns=20_000)

    assert (await harness.app.job("job-1")).state is JobState.REPLICATING


async def test_after_an_outage_of_its_vma_a_guess_is_asked_about_for_the_whole_period_and_another_vmas_is_not(
    harness: Harness,
) -> None:
    reconciliation = Reconciliation(harness.shared, first_after=5.0, ask_for=100.0)
    for job_id, vma in (("job-1", "default"), ("job-2", "another")):
        await harness.job(job_id, vma=vma)
        reconciliation.watch(await harness.decided(job_id))
    harness.clock.advance(200.0)
    job = await harness.app.job("job-1")
    harness.vma.says["job-1"] = VMAStatus.UNREACHABLE
    await harness.contact.ask(job)
    harness.vma.says["job-1"] = VMAStatus.NOT_FOUND
    await harness.contact.ask(job)
    asked: list[str] = []
    harness.contact.on_observed(lambda seen: asked.append(seen.job_id))

    for _ in range(2):
        for job_id in ("job-1", "job-2"):
            await reconciliation._reconcile(job_id)
        harness.clock.advance(100.0)
    harness.clock.advance(0.1)
    await reconciliation._reconcile("job-1")

    assert asked == ["job-1", "job-1"]
