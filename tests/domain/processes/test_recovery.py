"""A run holds its jobs until each is decided, whatever the VMA, the log or another person does meanwhile."""

import asyncio

import pytest

from domain.events import Cause, RecoveryRunFinished, RecoveryRunStarted, RecoveryStarted
from domain.lifecycle import JobState
from domain.processes.polling import Poller
from domain.processes.recovery import MAX_DRY_RUNS, Recovery, RunProgress
from domain.recovery_policy import Outcome
from domain.recovery_run import RecoveryRun
from domain.vma_status import Document, VMAStatus
from tests.support.harness import COMPLETED, REQUEST, RUNNING, Harness, asked_for, eventually, while_running
from tests.support.memory_log import MemoryLog


@pytest.fixture
def recovery(harness: Harness, poller: Poller) -> Recovery:
    """Return what makes runs; none is under way."""
    return harness.recovery(poller)


async def jobs(harness: Harness, many: int, *, lost: int) -> list[str]:
    """Register so many jobs, long ago; the first `lost` of them are not found."""
    for n in range(many):
        job = await harness.job(f"job-{n}")
        if n >= lost:
            harness.vma.says[job.id] = RUNNING
    harness.clock.advance(600)
    return [f"job-{n}" for n in range(many)]


async def rules(harness: Harness, job_ids: list[str]) -> list[str]:
    decisions = [(await harness.app.job(job_id)).decision for job_id in job_ids]
    return [decision.rule if decision else "" for decision in decisions]


async def decide_all(harness: Harness, recovery: Recovery, job_ids: list[str]) -> None:
    """Run recovery until every job is decided; without a poller, the run itself does not end."""

    async def all_decided() -> bool:
        return "" not in await rules(harness, job_ids)

    proving = asyncio.ensure_future(recovery.run(Cause.RESTART, job_ids))
    await eventually(all_decided)
    proving.cancel()
    await asyncio.gather(proving, return_exceptions=True)


async def test_each_job_is_decided_and_the_run_says_what_came_of_them(harness: Harness, recovery: Recovery) -> None:
    for job_id, says in (("job-1", COMPLETED), ("job-2", VMAStatus.UNREACHABLE), ("job-3", VMAStatus.NOT_FOUND)):
        await harness.job(job_id)
        harness.vma.says[job_id] = says

    await recovery.run(Cause.RESTART, ["job-1", "job-2", "job-3"])

    assert await rules(harness, ["job-1", "job-2", "job-3"]) == ["completed-while-away", "unreachable-recent", "lost"]
    finished = (await harness.events())[-1]
    assert isinstance(finished, RecoveryRunFinished)
    assert finished.outcomes == {"complete": 1, "retry": 1, "fail": 1}
    assert (recovery.claims, recovery.live) == ({}, {})


async def test_half_of_the_jobs_not_found_are_lost_jobs(harness: Harness, recovery: Recovery) -> None:
    job_ids = await jobs(harness, 20, lost=10)
    await decide_all(harness, recovery, job_ids)

    assert await rules(harness, job_ids) == ["lost"] * 10 + ["still-running"] * 10


async def test_more_than_half_of_the_jobs_not_found_are_forgotten_jobs(harness: Harness, recovery: Recovery) -> None:
    job_ids = await jobs(harness, 20, lost=11)
    await decide_all(harness, recovery, job_ids)

    assert await rules(harness, job_ids) == ["vma-amnesia"] * 11 + ["still-running"] * 9


async def test_a_job_that_an_operator_ended_meanwhile_is_left_alone(harness: Harness, recovery: Recovery) -> None:
    await harness.job()
    await harness.app.operator_decide("job-1", Outcome.COMPLETE, "mara", "checked by hand", REQUEST)

    await recovery.run(Cause.RESTART, ["job-1"])

    finished = (await harness.events())[-1]
    assert isinstance(finished, RecoveryRunFinished)
    assert (finished.settled_elsewhere, (await harness.app.job("job-1")).state) == (1, JobState.COMPLETED)


async def test_a_run_over_a_job_that_does_not_exist_decides_the_others_and_ends(
    harness: Harness, recovery: Recovery
) -> None:
    await harness.job("job-2")
    harness.vma.says["job-2"] = COMPLETED

    await asyncio.wait_for(recovery.run(Cause.RESTART, ["job-1", "job-2"]), timeout=10)

    ended = (await harness.events())[-1]
    assert isinstance(ended, RecoveryRunFinished)
    assert (ended.settled_elsewhere, ended.outcomes) == (1, {"complete": 1})
    assert recovery.claims == {}


async def test_what_is_requested_together_is_one_run_at_once_and_what_comes_later_is_another(
    harness: Harness, recovery: Recovery
) -> None:
    for job_id in ("job-1", "job-2", "job-3"):
        await harness.job(job_id)
        harness.vma.says[job_id] = VMAStatus.UNREACHABLE
    running = asyncio.ensure_future(recovery.run_forever())

    for number, together in enumerate((("job-1", "job-2"), ("job-3",)), start=1):
        began = harness.clock.elapsed
        for job_id in together:
            recovery._requests.request(job_id, Cause.STALE)
        await while_running(asyncio.sleep(60), lambda number=number: finished(harness) == number)  # type: ignore[misc]
        assert 0.0 < harness.clock.elapsed - began < 1.0

    begun = [event.job_ids for event in await harness.events() if isinstance(event, RecoveryRunStarted)]
    assert begun == [("job-1", "job-2"), ("job-3",)]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def finished(harness: Harness) -> int:
    return harness.log.events.count("recovery_completed")


async def test_no_two_runs_hold_the_same_job(harness: Harness, recovery: Recovery) -> None:
    await harness.job()
    harness.vma.says["job-1"] = VMAStatus.UNREACHABLE

    await asyncio.gather(recovery.run(Cause.RESTART, ["job-1"], run_id="a"), recovery.run(Cause.STALE, ["job-1"]))

    kinds, begun = await harness.kinds(), [e for e in await harness.events() if isinstance(e, RecoveryRunStarted)]
    assert (kinds.count("RecoveryStarted"), kinds.count("RecoveryDecided")) == (1, 1)
    assert {event.originator_id: event.job_ids for event in begun} == {"a": ("job-1",), "run-1": ()}


async def test_a_log_that_cannot_be_written_delays_a_run_and_does_not_end_it(
    harness: Harness, recovery: Recovery
) -> None:
    await harness.job()
    harness.vma.says["job-1"] = COMPLETED
    harness.make_writable(writable=False)
    running = asyncio.ensure_future(recovery.run(Cause.RESTART, ["job-1"]))

    async def has_tried() -> bool:
        return harness.log.events.count("recovery_start_not_recorded") >= 3

    await eventually(has_tried)

    harness.make_writable(writable=True)
    await running

    assert (await harness.app.job("job-1")).state is JobState.COMPLETED
    versions = [event.originator_version for event in await harness.events() if event.originator_id == "run-1"]
    assert versions == [1, 2]


async def test_a_decision_that_could_not_be_stored_is_made_again_as_if_it_were_the_first(
    harness: Harness, recovery: Recovery
) -> None:
    await harness.job()
    harness.vma.says["job-1"] = COMPLETED
    harness.app.subscribe(lambda _, events: harness.make_writable(writable=type(events[-1]) is not RecoveryStarted))
    running = asyncio.ensure_future(recovery.run(Cause.RESTART, ["job-1"], run_id="run-1"))

    async def has_tried() -> bool:
        return harness.log.events.count("recovery_not_recorded") >= 3

    async def has_ended() -> bool:
        return running.done()

    await eventually(has_tried)
    progress, tried = recovery.live["run-1"], harness.log.events.count("recovery_not_recorded")
    assert tried - 1 <= harness.clock.elapsed <= tried
    harness.make_writable(writable=True)
    await eventually(has_ended)

    assert await harness.kinds() == ["JobRegistered", "RecoveryStarted", "VMAStatusObserved", "RecoveryDecided"]
    assert [made.state_before for made in progress.decisions] == ["replicating"]


@pytest.mark.parametrize(
    ("says", "rule"),
    [(RUNNING, "still-running"), (COMPLETED, "completed-while-away"), (VMAStatus.UNANSWERED, "unanswered")],
)
async def test_what_is_stored_although_its_answer_was_lost_is_not_recorded_a_second_time(
    recovery: Recovery, harness: Harness, says: Document | VMAStatus, rule: str
) -> None:
    assert isinstance(harness.event_log, MemoryLog)
    await harness.job()
    harness.vma.says["job-1"] = says
    harness.event_log.loses_answers = True
    running = asyncio.ensure_future(recovery.run(Cause.RESTART, ["job-1"], run_id="run-1"))

    async def is_decided() -> bool:
        return "RecoveryDecided" in await harness.kinds()

    await eventually(is_decided)
    progress = recovery.live["run-1"]
    harness.event_log.loses_answers = False

    async def is_known() -> bool:
        return bool(progress.decisions)

    await eventually(is_known)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert await harness.kinds() == ["JobRegistered", "RecoveryStarted", "VMAStatusObserved", "RecoveryDecided"]
    assert [(made.rule.value, made.state_before) for made in progress.decisions] == [(rule, "replicating")]
    assert progress.settled_elsewhere == 0


async def test_a_dry_run_decides_and_records_nothing(harness: Harness, recovery: Recovery) -> None:
    await harness.job()
    harness.vma.says["job-1"] = COMPLETED
    before = await harness.kinds()

    made = await recovery.dry_run(["job-1"], "run-9")

    assert [(d.job_id, d.rule.value) for d in made.decisions] == [("job-1", "completed-while-away")]
    assert await harness.kinds() == before


async def test_a_dry_run_has_what_a_finished_one_has(harness: Harness, recovery: Recovery) -> None:
    await harness.job()
    harness.vma.says["job-1"] = COMPLETED

    dry = (await recovery.dry_run(["job-1"], "run-9")).run
    await recovery.run(Cause.OPERATOR, ["job-1"], run_id="run-1")

    stored = await harness.event_log.load(RecoveryRun, "run-1")
    assert dry is not None
    assert stored is not None
    for name in ("status", "cause", "instance", "policy", "policy_hash", "jobs"):
        assert getattr(dry, name) == getattr(stored, name)
    assert (dry.totals.outcomes, dry.totals.rules) == (stored.totals.outcomes, stored.totals.rules)
    assert None not in (dry.started_at, dry.ended_at, dry.totals.decided_in)


async def test_of_many_dry_runs_the_last_are_available(harness: Harness, recovery: Recovery) -> None:
    made = [f"run-{n}" for n in range(MAX_DRY_RUNS + 2)]

    for n, run_id in enumerate(made, start=1):
        await recovery.dry_run([], run_id)

        assert list(recovery.live) == made[:n][-MAX_DRY_RUNS:]


async def test_a_machine_that_cannot_ask_concludes_nothing_from_it(harness: Harness, recovery: Recovery) -> None:
    await harness.job()
    harness.clock.advance(7200)
    harness.vma.says["job-1"] = VMAStatus.NOT_ASKED

    await recovery.run(Cause.RESTART, ["job-1"])

    assert await harness.kinds() == ["JobRegistered", "RecoveryStarted", "VMAStatusObserved", "RecoveryDecided"]
    assert await rules(harness, ["job-1"]) == ["not-asked"]
    assert (await harness.app.job("job-1")).state is JobState.PENDING_RETRY


async def test_a_dry_run_of_a_job_that_does_not_exist_assesses_the_others(harness: Harness, recovery: Recovery) -> None:
    await harness.job("job-2")
    harness.vma.says["job-2"] = RUNNING

    progress = await recovery.dry_run(["job-1", "job-2"], "dry-1")

    assert progress.run is not None
    assert (progress.run.status, progress.run.jobs, progress.run.totals.settled_elsewhere) == ("finished", 2, 1)
    assert [decided.job_id for decided in progress.decisions] == ["job-2"]
    assert "job_not_assessed" in harness.log.events


async def test_what_a_vma_forgot_shows_only_when_all_jobs_were_asked_for(harness: Harness, recovery: Recovery) -> None:
    forgotten = await jobs(harness, 30, lost=30)
    await decide_all(harness, recovery, forgotten)

    assert set(await rules(harness, forgotten)) == {"vma-amnesia"}


@pytest.mark.parametrize("away", [1800.1, 1e6])
async def test_however_long_we_were_away_a_vma_that_is_down_when_we_come_back_fails_no_job(
    harness: Harness, recovery: Recovery, away: float
) -> None:
    await harness.job()
    harness.vma.says["job-1"] = VMAStatus.UNREACHABLE
    harness.clock.advance(away)

    await recovery.run(Cause.RESTART, ["job-1"])

    assert await rules(harness, ["job-1"]) == ["unreachable-recent"]
    assert (await harness.app.job("job-1")).state is JobState.PENDING_RETRY


async def test_the_jobs_of_a_vma_at_another_address_are_not_lost_and_those_of_others_may_be(
    harness: Harness, recovery: Recovery
) -> None:
    for job_id, vma in (("job-1", "moved"), ("job-2", "moved"), ("job-3", "other")):
        job = await harness.job(job_id, percent=95.0, vma=vma)
        harness.vma.says[job.id] = RUNNING
        await harness.app.observe(job.id, await harness.contact.ask(job))
    harness.vma.addresses["moved"] = "http://elsewhere"
    harness.vma.says.clear()

    await recovery.run(Cause.RESTART, ["job-1", "job-2", "job-3"])

    assert await rules(harness, ["job-1", "job-2", "job-3"]) == ["vma-replaced", "vma-replaced", "lost"]


async def test_a_run_that_ends_does_not_let_go_of_a_job_that_another_has_taken_up(
    harness: Harness, recovery: Recovery
) -> None:
    await harness.job("job-1")
    await harness.job("job-2", vma="dc2")
    harness.vma.says["job-1"] = VMAStatus.UNREACHABLE
    harness.vma.hang("dc2")

    async def one_is_decided() -> bool:
        return recovery.claims == {"job-2": "run-1"}

    first = asyncio.ensure_future(recovery.run(Cause.RESTART, ["job-1", "job-2"], run_id="run-1"))
    await eventually(one_is_decided)
    harness.vma.hang("default")
    second = asyncio.ensure_future(recovery.run(Cause.RETRY_DUE, ["job-1"], run_id="run-2"))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)

    assert recovery.claims == {"job-1": "run-2"}

    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    assert recovery.claims == {}


async def test_a_run_says_how_long_it_took_and_how_many_of_the_jobs_that_it_resumed_were_polled_again(
    harness: Harness, recovery: Recovery
) -> None:
    for job_id in ("job-1", "job-2", "job-3"):
        job = await harness.job(job_id)
        harness.vma.says[job_id] = RUNNING
        if job_id != "job-3":
            recovery._poller.watch(job)
            await recovery._poller._poll_once(job_id)
    harness.vma.asked.clear()
    harness.vma.hang("default")
    run = asyncio.ensure_future(recovery.run(Cause.RESTART, ["job-1", "job-2", "job-3"]))
    await asked_for(harness, 3)

    harness.clock.advance(20.0625)
    harness.vma.go_on()
    await run

    finished = (await harness.events())[-1]
    assert isinstance(finished, RecoveryRunFinished)
    assert (finished.polled_again, finished.left_replicating) == (2, 1)
    assert (finished.decided_in, finished.verified_in) == (20.062, 20.062)


async def test_a_dry_run_says_how_long_it_took_and_how_many_jobs_had_ended(
    harness: Harness, recovery: Recovery
) -> None:
    for job_id in ("job-1", "job-2", "job-3"):
        await harness.job(job_id)
        harness.vma.says[job_id] = RUNNING
    for job_id in ("job-1", "job-2"):
        await harness.app.operator_decide(job_id, Outcome.FAIL, "mara", "gone", REQUEST)
    harness.vma.asked.clear()
    harness.vma.hang("default")
    dry = asyncio.ensure_future(recovery.dry_run(["job-1", "job-2", "job-3"], "run-dry"))
    await asked_for(harness, 1)

    harness.clock.advance(20.0625)
    harness.vma.go_on()
    totals = (await dry).totals()

    run = recovery.live["run-dry"].run
    assert run is not None
    assert (run.totals.decided_in, run.totals.settled_elsewhere, totals.outcomes) == (20.062, 2, {"resume": 1})


async def test_the_last_dry_runs_are_kept_and_runs_that_are_none_are_not_forgotten_for_them(
    harness: Harness, recovery: Recovery
) -> None:
    recovery.live["run-real"] = RunProgress(run_id="run-real", cause=Cause.RESTART)

    for n in range(MAX_DRY_RUNS + 5):
        await recovery.dry_run([], f"run-{n}")
        assert len(recovery.live) == min(n + 1, MAX_DRY_RUNS) + 1

    assert list(recovery.live) == ["run-real", *(f"run-{n}" for n in range(5, MAX_DRY_RUNS + 5))]
