"""The lifecycle of a replication job.

`JobLifecycle` defines it; it is flattened at import into `TRANSITIONS` (a dictionary look-up instead of a state
machine per job). Recording an event checks it, and folding an event assigns its target. `completed` and `failed`
are not declared final, because an inferred outcome can be revised, and corrected by an operator.
"""

from enum import StrEnum

from statemachine import State, StateMachine

from domain.errors import IllegalTransition


class JobState(StrEnum):
    """The states of a job."""

    REPLICATING = "replicating"
    RECOVERING = "recovering"
    PENDING_RETRY = "pending-retry"
    COMPLETED = "completed"
    FAILED = "failed"


OPEN_STATES = frozenset({JobState.REPLICATING, JobState.RECOVERING, JobState.PENDING_RETRY})
"""The states in which a job is active: it occupies its VM context and has a watcher."""


class JobLifecycle(StateMachine):
    """The states, and every transition between them."""

    replicating = State(initial=True, value=JobState.REPLICATING.value)
    recovering = State(value=JobState.RECOVERING.value)
    pending_retry = State(value=JobState.PENDING_RETRY.value)
    completed = State(value=JobState.COMPLETED.value)
    failed = State(value=JobState.FAILED.value)

    observe_progress = replicating.to(replicating) | recovering.to(recovering)
    observe_completed = completed.from_(replicating, pending_retry) | recovering.to(recovering)
    observe_failed = failed.from_(replicating, pending_retry) | recovering.to(recovering)

    begin_recovery = replicating.to(recovering) | pending_retry.to(recovering) | recovering.to(recovering)
    decide_resume = recovering.to(replicating)
    decide_complete = recovering.to(completed)
    decide_fail = recovering.to(failed)
    decide_retry = recovering.to(pending_retry)

    revise_to_replicating = completed.to(replicating) | failed.to(replicating)
    revise_to_completed = failed.to(completed)
    revise_to_failed = completed.to(failed)

    operator_complete = completed.from_(replicating, recovering, pending_retry, completed, failed)
    operator_fail = failed.from_(replicating, recovering, pending_retry, completed, failed)


def _flatten() -> dict[tuple[JobState, str], JobState]:
    return {
        (JobState(state.value), event.id): JobState(transition.target.value)
        for state in JobLifecycle.states
        for transition in state.transitions
        for event in transition.events
    }


TRANSITIONS = _flatten()

_TARGETS = {event: {target for (_, other), target in TRANSITIONS.items() if other == event} for _, event in TRANSITIONS}


def check_transition(job_id: str, state: JobState, event: str) -> None:
    """Check that `event` is possible in this state.

    Raises:
        IllegalTransition: the lifecycle has no such transition from this state.

    """
    if (state, event) not in TRANSITIONS:
        raise IllegalTransition(job_id, state.value, event)


def state_after(state: JobState, event: str) -> JobState:
    """Return the state after an event that has happened.

    Earlier events may be unreadable, so history is never refused: if the lifecycle has no such transition, an event
    with one possible target leads there, and any other does not change the state.
    """
    (only, *others) = _TARGETS[event]
    return TRANSITIONS.get((state, event), state if others else only)


def diagram() -> str:
    """Return the lifecycle as a Mermaid state diagram, for the docs."""
    return f"{JobLifecycle:mermaid}"
