"""A run's records are written until they are stored; a run that its process did not end is found in the log."""

import asyncio
from collections.abc import Sequence

import pytest

from domain.aggregate import Snapshot
from domain.errors import StorageUnavailable
from domain.events import SERVICE, Cause, Event, Trace
from domain.recovery_run import FINISHED, INTERRUPTED, RUNNING, RecoveryRun, RunTotals
from domain.run_book import RunBook
from tests.support.contended_log import Contended
from tests.support.harness import Harness, eventually

DONE = RunTotals(resumed=1, polled_again=1, decided_in=1.5, verified_in=2.5)


def book(harness: Harness, instance: str) -> RunBook:
    return RunBook(harness.event_log, harness.clock, harness.log, instance, lambda: "run-1")


async def begun(harness: Harness, runs: RunBook, *run_ids: str) -> None:
    for run_id in run_ids:
        await runs.start(run_id, Cause.RESTART, harness.policy, (), None)


async def write(harness: Harness, runs: RunBook, what: str) -> None:
    if what == "start":
        await runs.start("run-2", Cause.RESTART, harness.policy, (), None)
    elif what == "end":
        await runs.finish("run-1", DONE)
    else:
        await book(harness, "instance-2").interrupt(["run-1"], "the process ended")


async def statuses(harness: Harness, *run_ids: str) -> list[str]:
    found = [await harness.event_log.load(RecoveryRun, run_id) for run_id in run_ids]
    return [run.status for run in found if run is not None]


async def test_runs_that_have_not_ended_are_found_in_the_log(harness: Harness) -> None:
    before, after = book(harness, "before"), book(harness, "after")
    await begun(harness, before, "run-1", "run-2", "run-3")
    await before.finish("run-2", DONE)

    assert await after.unfinished({"after"}) == ["run-1", "run-3"]
    await after.interrupt(["run-1"], "the process ended")
    assert await after.unfinished({"after"}) == ["run-3"]


async def test_only_runs_of_other_processes_are_interrupted(harness: Harness) -> None:
    before, after = book(harness, "before"), book(harness, "after")
    await begun(harness, before, "run-1", "run-2")
    await begun(harness, after, "run-3")
    await before.finish("run-2", DONE)

    for _ in range(2):
        await after.interrupt(["run-1", "run-2", "run-3", "no-run"], "the process ended")

    assert await statuses(harness, "run-1", "run-2", "run-3") == [INTERRUPTED, FINISHED, RUNNING]


@pytest.mark.parametrize("what", ["start", "end", "interruption"])
async def test_what_cannot_be_stored_is_written_again_until_it_is(harness: Harness, what: str) -> None:
    runs = book(harness, "instance-1")
    await begun(harness, runs, "run-1")
    harness.make_writable(writable=False)

    async def refused_three_times() -> bool:
        return harness.log.events.count(f"recovery_{what}_not_recorded") >= 3

    task = asyncio.ensure_future(write(harness, runs, what))
    await eventually(refused_three_times)
    assert not task.done()
    tried = harness.log.events.count(f"recovery_{what}_not_recorded")
    assert tried - 1 <= harness.clock.elapsed <= tried
    harness.make_writable(writable=True)
    await task

    expected = {"start": [RUNNING, RUNNING], "end": [FINISHED], "interruption": [INTERRUPTED]}
    assert await statuses(harness, "run-1", "run-2") == expected[what]


async def test_a_start_that_was_stored_although_an_error_was_reported_is_not_written_again(harness: Harness) -> None:
    log = StoredButRefused(harness.event_log)
    runs = RunBook(log, harness.clock, harness.log, "instance-1", lambda: "run-1")

    run = await asyncio.wait_for(runs.start("run-1", Cause.RESTART, harness.policy, ("job-1",), None), timeout=20)

    assert (run.instance, run.jobs, run.version) == ("instance-1", 1, 1)
    assert await harness.kinds("run-1") == ["RecoveryRunStarted"]
    assert harness.log.events == ["recovery_start_not_recorded"]


class StoredButRefused(Contended):
    """An event log that reports an error after the first write, which it has stored."""

    async def append(
        self, events: Sequence[Event], snapshots: Sequence[Snapshot] = (), *, as_owner_of: str | None = None
    ) -> int:
        await super().append(events, snapshots, as_owner_of=as_owner_of)
        raise StorageUnavailable("stored, but nobody was told: this test says so")


@pytest.mark.parametrize("what", ["end", "interruption"])
async def test_a_run_that_another_process_closes_first_stays_as_that_one_closed_it(harness: Harness, what: str) -> None:
    await begun(harness, book(harness, "instance-1"), "run-1")
    third = book(harness, "instance-3")
    log = Contended(harness.event_log, lambda: third.interrupt(["run-1"], "the process ended"))
    instance = "instance-1" if what == "end" else "instance-2"
    runs = RunBook(log, harness.clock, harness.log, instance, lambda: "run-1")

    await (runs.finish("run-1", DONE) if what == "end" else runs.interrupt(["run-1"], "another reason"))

    assert await harness.kinds("run-1") == ["RecoveryRunStarted", "RecoveryRunInterrupted"]
    assert await statuses(harness, "run-1") == [INTERRUPTED]


async def test_a_run_has_the_actor_of_the_request_that_asked_for_it_and_otherwise_none_but_the_service(
    harness: Harness,
) -> None:
    runs = book(harness, "instance-1")
    asked_by = Trace("request-1", "request-2", "mara")

    await runs.start("run-1", Cause.OPERATOR, harness.policy, (), asked_by)
    await runs.start("run-2", Cause.RESTART, harness.policy, (), None)

    traces = [(e.correlation_id, e.causation_id, e.actor) for e in await harness.events()]
    assert traces == [("run-1", "request-2", "mara"), ("run-2", "instance-1", SERVICE)]
