"""Which transition of the lifecycle an event is."""

from domain.events import Event, OperatorDecided, OutcomeRevised, RecoveryDecided, RecoveryStarted, VMAStatusObserved
from domain.lifecycle import TRANSITIONS, JobState, state_after
from domain.recovery_policy import Outcome
from domain.vma_status import Observation

STATE_AFTER = {outcome: TRANSITIONS[JobState.RECOVERING, f"decide_{outcome.value}"] for outcome in Outcome}
OUTCOME_BEFORE = {state: outcome for outcome, state in STATE_AFTER.items()}


def transition_of(event: Event) -> str | None:
    """Return the lifecycle's transition for an event; None for one that changes no state."""
    match event:
        case VMAStatusObserved():
            return _observed_transition(event.observation)
        case RecoveryStarted():
            return "begin_recovery"
        case RecoveryDecided():
            return f"decide_{event.outcome.value}"
        case OutcomeRevised():
            return f"revise_to_{event.to_state.value}"
        case OperatorDecided():
            return f"operator_{event.outcome.value}"
        case _:
            return None


def next_state(state: JobState, event: Event) -> JobState:
    """Return the state of a job after an event."""
    transition = transition_of(event)
    return state if transition is None else state_after(state, transition)


def reported_state(observation: Observation) -> JobState | None:
    """Return the state that a replicating job has after an observation; None if that is not conclusive."""
    return TRANSITIONS[JobState.REPLICATING, _observed_transition(observation)] if observation.conclusive else None


def _observed_transition(observation: Observation) -> str:
    """Return the transition: only a conclusive end ends a job, a doubtful one is progress."""
    return f"observe_{observation.status.value}" if observation.is_end else "observe_progress"
