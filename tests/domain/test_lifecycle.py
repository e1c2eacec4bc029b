"""The lifecycle: every pair of state and event that is not in the published table is refused."""

import pytest

from domain.errors import IllegalTransition
from domain.lifecycle import OPEN_STATES, TRANSITIONS, JobState, check_transition, state_after

R, V, P = JobState.REPLICATING, JobState.RECOVERING, JobState.PENDING_RETRY
C, F = JobState.COMPLETED, JobState.FAILED

PUBLISHED = {
    (R, "observe_progress"): R,
    **{(state, "observe_completed"): C for state in (R, P)},
    **{(state, "observe_failed"): F for state in (R, P)},
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
        check_transition("job-1", state, event)
        return

    with pytest.raises(IllegalTransition, match=f"job job-1 is {state.value}: '{event}' is not possible"):
        check_transition("job-1", state, event)


@pytest.mark.parametrize(("state", "event"), PUBLISHED)
def test_an_event_that_has_happened_leads_to_the_published_state(state: JobState, event: str) -> None:
    assert state_after(state, event) is PUBLISHED[state, event]


@pytest.mark.parametrize("state", [R, P, C, F])
def test_after_an_event_that_could_not_be_read_a_decision_still_leads_to_its_one_state(state: JobState) -> None:
    assert state_after(state, "decide_complete") is C
    assert state_after(state, "decide_retry") is P


@pytest.mark.parametrize("state", [C, F])
def test_an_observation_that_the_table_does_not_name_leaves_the_state_as_it_was(state: JobState) -> None:
    assert state_after(state, "observe_completed") is state


def test_a_crash_in_the_middle_of_recovery_strands_no_job() -> None:
    assert state_after(JobState.RECOVERING, "begin_recovery") is JobState.RECOVERING


def test_open_states_are_those_that_need_a_watcher() -> None:
    assert set(OPEN_STATES) == {R, V, P}
