"""A recovery run is begun once, and ends once: finished with its proof, or interrupted by the end of its process."""

from domain.events import Cause, Trace
from domain.recovery_policy import Policy
from domain.recovery_run import FINISHED, INTERRUPTED, RUNNING, RecoveryRun, RunTotals, totals_of
from tests.support.builders import NOON, at

TRACE = Trace("run-1", "instance-1")
POLICY = Policy(complete_above_percent=95.0)


def begun() -> RecoveryRun:
    run = RecoveryRun(id="run-1")
    run.start(Cause.RESTART, "instance-1", POLICY, ("job-1", "job-2"), NOON, TRACE)
    return run


TOTALS = RunTotals(
    outcomes={"resume": 1, "fail": 1},
    rules={"still-running": 1, "lost": 1},
    resumed=1,
    polled_again=1,
    decided_in=3.5,
    verified_in=4.5,
)


def finish(run: RecoveryRun) -> None:
    run.finish(TOTALS, at(9))


def test_a_run_knows_why_by_whom_and_over_how_many_jobs_it_was_begun() -> None:
    run = begun()

    assert (run.status, run.cause, run.instance, run.jobs) == (RUNNING, Cause.RESTART, "instance-1", 2)
    assert (run.policy, run.policy_hash) == (POLICY, POLICY.hash)
    assert (run.started_at, run.ended_at) == (NOON, None)


def test_a_finished_run_knows_what_came_of_it_and_how_long_it_took() -> None:
    run = begun()
    finish(run)

    assert (run.status, run.ended_at) == (FINISHED, at(9))
    assert run.totals == TOTALS


def test_a_run_is_finished_once() -> None:
    run = begun()
    finish(run)

    run.finish(RunTotals(), at(10))

    assert (run.totals, run.ended_at, run.version) == (TOTALS, at(9), 2)


def test_a_run_is_interrupted_once() -> None:
    run = begun()

    run.interrupt("the process ended", at(5), TRACE)
    run.interrupt("the process ended", at(6), TRACE)

    assert (run.status, run.ended_at, run.version) == (INTERRUPTED, at(5), 2)


def test_a_finished_run_cannot_be_interrupted() -> None:
    run = begun()
    finish(run)

    run.interrupt("the process ended", at(20), TRACE)

    assert (run.status, run.version) == (FINISHED, 2)


def test_before_its_first_event_nothing_is_known_of_a_run() -> None:
    run = RecoveryRun(id="run-1")

    assert (run.jobs, run.totals) == (0, RunTotals())


def test_a_run_read_from_the_log_is_interrupted_like_one_in_memory() -> None:
    run = RecoveryRun.fold(None, [RecoveryRun.fold(None, begun().pending).snapshot()])  # type: ignore[union-attr]
    assert run is not None

    run.interrupt("the process ended", at(5), TRACE)

    assert run.status == INTERRUPTED


def test_the_totals_of_a_run_add_up_over_all_rules_of_an_outcome_and_all_outcomes_of_a_rule() -> None:
    decided = {("resume", "still-running"): 4, ("fail", "lost"): 2, ("fail", "failed-on-vma"): 3, ("retry", "lost"): 1}

    totals = totals_of(decided)

    assert totals.outcomes == {"resume": 4, "fail": 5, "retry": 1}
    assert totals.rules == {"still-running": 4, "lost": 3, "failed-on-vma": 3}
    assert (totals.resumed, totals.settled_elsewhere, totals_of(decided, 7).settled_elsewhere) == (4, 0, 7)


def test_a_run_that_has_decided_nothing_counts_nothing() -> None:
    nothing = RunTotals()

    assert totals_of({}) == nothing
    assert (nothing.outcomes, nothing.rules) == ({}, {})
    assert (nothing.resumed, nothing.polled_again, nothing.left_replicating, nothing.settled_elsewhere) == (0, 0, 0, 0)
