"""Every query of the present of a few jobs, VM contexts and runs, with its exact answer.

`job-1` still runs, `job-2` has no answer and will be tried again, and `job-3` is lost, which is a guess. Of `run-2` and
`run-4`, only `run-4` is finished. Every job is the only one of its VM context; one that has ended is active no longer.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert

from adapters.event_log.sqlite import sqlite3
from domain.events import Cause
from domain.lifecycle import JobState
from domain.recovery_run import FINISHED, RecoveryRun, RunTotals
from domain.vma_status import Document, VMAStatus
from projections.queries.present import JobFilter, Queries
from projections.read_model import schema
from projections.read_model.model_file import open_read_model
from projections.read_model.projector import Projector
from tests.support.harness import REQUEST, RUNNING, Harness
from tests.support.memory_log import MemoryLog

ANSWERS: dict[str, Document | VMAStatus] = {
    "job-1": RUNNING,
    "job-2": VMAStatus.UNINTELLIGIBLE,
    "job-3": VMAStatus.NOT_FOUND,
}


async def write(harness: Harness) -> None:
    """Store the jobs and the runs of the head of this module."""
    harness.vma.says |= ANSWERS
    for number, job_id in ((4, "job-3"), (2, "job-2"), (2, "job-1")):
        await harness.job(job_id)
        await harness.decided(job_id, run_id=f"run-{number}")
    for number in (2, 4):
        run = RecoveryRun(id=f"run-{number}")
        run.start(Cause.RESTART, "instance-1", harness.policy, ("job-1",), harness.clock.now(), REQUEST)
        if number == 4:
            run.finish(RunTotals(outcomes={"fail": 7}), harness.clock.now())
        await harness.event_log.append(run.collect_events())


async def queries_of(folder: Path) -> Queries:
    harness = Harness(MemoryLog())
    await write(harness)
    engine = open_read_model(folder / "read_model.sqlite", sqlite3)
    await Projector(engine, harness.event_log, harness.clock, harness.log).catch_up()
    return Queries(engine)


@pytest.fixture(scope="module")
def queries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Queries]:
    opened = asyncio.run(queries_of(tmp_path_factory.mktemp("small")))
    yield opened
    opened._engine.dispose()


async def listed(queries: Queries, limit: int = 10, after: str = "", **wanted: Any) -> list[str]:
    return [job.id for job in await queries.jobs(JobFilter(**wanted), limit, after)]


async def test_a_job_is_found_by_its_id(queries: Queries) -> None:
    states = [(job.id, job.state) for job_id in ANSWERS if (job := await queries.job(job_id))]

    assert states == [
        ("job-1", JobState.REPLICATING), ("job-2", JobState.PENDING_RETRY), ("job-3", JobState.FAILED)
    ]  # fmt: skip
    assert (await queries.job("job-0"), await queries.job("job-4")) == (None, None)


async def test_a_page_of_jobs_is_the_first_after_an_id_in_their_order(queries: Queries) -> None:
    assert await listed(queries) == ["job-1", "job-2", "job-3"]
    assert await listed(queries, 2) == ["job-1", "job-2"]
    assert await listed(queries, 1, "job-1") == ["job-2"]
    assert await listed(queries, 10, "job-3") == []


async def test_jobs_have_one_of_the_values_of_each_filter(queries: Queries) -> None:
    assert await listed(queries, state=("failed", "replicating")) == ["job-1", "job-3"]
    assert await listed(queries, state=("completed",)) == []
    assert await listed(queries, vm_context_id=("ctx-job-2", "ctx-job-3")) == ["job-2", "job-3"]
    assert await listed(queries, vm_context_id=("ctx-job-2",), state=("failed",)) == []
    assert await listed(queries, needs_attention=True) == ["job-3"]
    assert await listed(queries, needs_attention=False) == ["job-1", "job-2"]


async def test_a_vm_context_is_found_by_its_id_and_listed_by_whether_it_is_active(queries: Queries) -> None:
    async def contexts(limit: int = 10, after: str = "", *, active: bool | None = None) -> list[str]:
        return [one.vm_context_id for one in await queries.vm_contexts(limit, after, active=active)]

    found = await queries.vm_context("ctx-job-2")
    assert found is not None
    assert (found.vm_context_id, found.active_job) == ("ctx-job-2", "job-2")
    assert (await queries.vm_context("ctx-job-0"), await queries.vm_context("ctx-job-4")) == (None, None)
    assert await contexts() == ["ctx-job-1", "ctx-job-2", "ctx-job-3"]
    assert await contexts(1, "ctx-job-1") == ["ctx-job-2"]
    assert await contexts(10, "ctx-job-2") == ["ctx-job-3"]
    assert await contexts(active=True) == ["ctx-job-1", "ctx-job-2"]
    assert await contexts(active=False) == ["ctx-job-3"]


async def test_runs_are_listed_newest_first_before_a_position(queries: Queries) -> None:
    newest, oldest = await queries.runs(10)

    assert [newest[1].id, oldest[1].id] == ["run-4", "run-2"]
    assert newest[0] > oldest[0]
    assert await queries.runs(1) == [newest]
    assert await queries.runs(10, newest[0]) == [oldest]
    assert await queries.runs(10, oldest[0]) == []


async def test_an_unfinished_run_has_its_decisions_and_a_finished_one_what_it_was_finished_with(
    queries: Queries,
) -> None:
    unfinished, finished, missing = [await queries.run(f"run-{number}") for number in (2, 4, 6)]

    assert unfinished is not None
    assert finished is not None
    assert (finished.status, finished.totals) == (FINISHED, RunTotals(outcomes={"fail": 7}))
    rules = {"still-running": 1, "unintelligible": 1}
    assert unfinished.totals == RunTotals(outcomes={"resume": 1, "retry": 1}, rules=rules, resumed=1)
    assert missing is None


async def test_jobs_and_runs_are_counted_by_what_they_are(queries: Queries) -> None:
    assert await queries.jobs_by_state() == {
        "replicating": 1, "recovering": 0, "pending-retry": 1, "completed": 0, "failed": 1
    }  # fmt: skip
    assert await queries.runs_by_status() == {"running": 1, "finished": 1}
    assert (await queries.jobs_needing_attention(), await queries.guesses()) == (1, ["job-3"])


async def test_at_most_ten_skipped_events_are_listed(queries: Queries) -> None:
    assert await queries.skipped_events() == []
    rows = [{"position": n, "event": f"job-{n}#1", "why": "unknown", "is_unreadable": True} for n in range(1, 12)]

    with queries._engine.begin() as connection:
        connection.execute(insert(schema.skipped_events), rows)
    skipped = await queries.skipped_events()
    with queries._engine.begin() as connection:
        connection.execute(delete(schema.skipped_events))

    assert skipped == [f"the event job-{n}#1 at position {n} is skipped: unknown" for n in range(1, 11)]
