"""Runs that are not finished show the decisions that the log has of them."""

from pathlib import Path

from adapters.event_log.sqlite import sqlite3
from domain.events import Cause, Trace
from domain.recovery_run import INTERRUPTED, RecoveryRun, RunTotals
from domain.run_book import RunBook
from domain.vma_status import Document, VMAStatus
from projections.queries.present import Queries
from projections.read_model.model_file import open_read_model
from projections.read_model.projector import Projector
from projections.replay.replay import replay
from tests.support.builders import NOON
from tests.support.harness import RUNNING, Harness
from tests.support.logs import open_log


async def test_an_interrupted_run_has_its_own_decisions_in_every_answer(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    engine = open_read_model(tmp_path / "read_model.sqlite", sqlite3)
    harness = Harness(log)
    runs = RunBook(log, harness.clock, harness.log, "instance", lambda: "run-1")
    for job_id in ("job-1", "job-2", "job-3"):
        await harness.job(job_id)
    await runs.start("run-0", Cause.RESTART, harness.policy, ("job-3",), None)
    await runs.start("run-1", Cause.RESTART, harness.policy, ("job-1", "job-2", "job-3"), None)
    harness.vma.says |= {"job-1": RUNNING, "job-2": VMAStatus.UNINTELLIGIBLE}
    for job_id in ("job-1", "job-2"):
        await harness.decided(job_id)
    run = await log.load(RecoveryRun, "run-1")
    assert run is not None
    run.interrupt("the process ended before the run did", NOON, Trace("run-1", "instance"))
    await log.append(run.collect_events())
    await Projector(engine, log, harness.clock, harness.log).catch_up()

    found = {run.id: run for _, run in await Queries(engine).runs(10)}

    expected = RunTotals(outcomes={"resume": 1, "retry": 1}, rules={"still-running": 1, "unintelligible": 1}, resumed=1)
    assert (found["run-1"].status, found["run-1"].totals) == (INTERRUPTED, expected)
    assert found["run-0"].totals == RunTotals()
    assert await Queries(engine).run("run-1") == found["run-1"]
    events = [e for e in await harness.events() if "run-1" in (e.correlation_id, getattr(e, "run_id", None))]
    assert replay(events).run.totals == expected
    log.close()
    engine.dispose()


async def test_each_of_several_runs_that_are_not_finished_has_its_own_decisions(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    engine = open_read_model(tmp_path / "read_model.sqlite", sqlite3)
    harness = Harness(log)
    runs = RunBook(log, harness.clock, harness.log, "instance", lambda: "run-1")
    decided: dict[str, Document | VMAStatus] = {
        "run-1": RUNNING,
        "run-2": VMAStatus.UNINTELLIGIBLE,
        "run-3": VMAStatus.UNREACHABLE,
    }
    for run_id, says in decided.items():
        job_id = f"job-of-{run_id}"
        await harness.job(job_id)
        harness.vma.says[job_id] = says
        await runs.start(run_id, Cause.RESTART, harness.policy, (job_id,), None)
        await harness.decided(job_id, run_id=run_id)
    await Projector(engine, log, harness.clock, harness.log).catch_up()

    found = {run.id: run.totals.rules for _, run in await Queries(engine).runs(10)}

    assert found == {
        "run-1": {"still-running": 1},
        "run-2": {"unintelligible": 1},
        "run-3": {"unreachable-recent": 1},
    }
    log.close()
    engine.dispose()
