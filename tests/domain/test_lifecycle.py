"""The lifecycle: every pair of state and event that is not in the published table is refused."""

import pytest

from domain.errors import IllegalTransition
from domain.lifecycle import OPEN_STATES, TRANSITIONS, JobState, step

R, V, P = JobState.REPLICATING, JobState.RECOVERING, JobState.PENDING_RETRY
C, F = JobState.COMPLETED, JobState.FAILED

PUBLISHED = {
    (R, "observe_progress"): R,
    (R, "observe_completed"): C,
    (R, "observe_failed"): F,
    (V, "observe_progress"): V,
    (V, "observe_completed"): V,
    (V, "observe_failed"): V,
    **{(state, "begin_recovery"): V for state in (R, P, V)},
    (V, "decide_resume"): R,
    (V, "decide_complete"): C,
    (V, "decide_fail"): F,
    (V, "decide_retry"): P,
    **{(state, "operator_complete"): C for state in JobState},
    **{(state, "operator_fail"): F for state in JobState},
    **{(state, "revise_to_replicating"): R for state in (C, F)},
    (F, "revise_to_completed"): C,
    (C, "revise_to_failed"): F,
}
EVENTS = sorted({event for _, event in PUBLISHED})


def test_the_transitions_are_the_published_ones() -> None:
    assert TRANSITIONS == PUBLISHED


@pytest.mark.parametrize("state", JobState)
@pytest.mark.parametrize("event", EVENTS)
def test_what_the_table_does_not_name_is_refused(state: JobState, event: str) -> None:
    if (state, event) in PUBLISHED:
        assert step("job-1", state, event) is PUBLISHED[state, event]
        return

    with pytest.raises(IllegalTransition, match=f"job job-1 is {state.value}: '{event}' is not possible"):
        step("job-1", state, event)


def test_a_crash_in_the_middle_of_recovery_strands_no_job() -> None:
    assert step("job-1", JobState.RECOVERING, "begin_recovery") is JobState.RECOVERING


def test_open_states_are_those_that_need_a_watcher() -> None:
    assert set(OPEN_STATES) == {R, V, P}
