"""The last decision about a job, by recovery, by a revision or by an operator; and how a job ended."""

from datetime import datetime

import msgspec

from domain.events import OperatorDecided, OutcomeRevised, RecoveryDecided, VMAStatusObserved
from domain.evidence import Amnesia
from domain.lifecycle import JobState
from domain.recovery_policy import Basis, Decision, Outcome, Rule
from domain.transitions import OUTCOME_BEFORE

REVISED, OPERATOR = "outcome-revised", "operator"
"""Rules of decisions that the decision table does not make."""


class LastDecision(msgspec.Struct, frozen=True, kw_only=True):
    """The last decision about a job (`rule` is `OPERATOR` if a person made it).

    `inconclusive_for`: seconds without a conclusive observation, over all consecutive retries. From `attention_after`
    on, the job needs attention.
    """

    outcome: str
    rule: str
    basis: str | None
    reason: str
    decided_at: datetime
    run_id: str | None = None
    policy_hash: str | None = None
    attempt: int = 0
    retry_in: float | None = None
    amnesia: Amnesia | None = None
    inconclusive_for: float = msgspec.field(default=0.0, name="unheard_for")
    attention_after: float | None = None
    who: str | None = None

    @property
    def is_retry(self) -> bool:
        """Return whether the VMA is asked again about the job, because its state is not known."""
        return self.outcome == Outcome.RETRY.value

    @property
    def by_recovery(self) -> Decision:
        """Return what a recovery run has decided."""
        basis = Basis(self.basis) if self.basis else None
        return Decision(outcome=Outcome(self.outcome), rule=Rule(self.rule), basis=basis, reason=self.reason)

    @property
    def needs_attention(self) -> bool:
        """Return whether the job has waited for so long that an operator should look at it."""
        return self.is_retry and self.attention_after is not None and self.inconclusive_for >= self.attention_after


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How a job ended: by a rule or by an operator; if by neither, by an observation. `version` is of the event."""

    outcome: str
    why: str
    version: int
    rule: str | None = None
    who: str | None = None


def ended_by_decision(decision: LastDecision, version: int) -> Ending:
    """Return how a decision ended a job."""
    rule = None if decision.who else decision.rule
    return Ending(outcome=decision.outcome, why=decision.reason, version=version, rule=rule, who=decision.who)


def ended_by_observation(event: VMAStatusObserved, state: JobState) -> Ending:
    """Return how an observation ended a job, which has this state now."""
    seen = event.observation
    why = f"the {seen.source} reported {seen.status.value}" + (f": {seen.error}" if seen.error else "")
    return Ending(outcome=OUTCOME_BEFORE[state].value, why=why, version=event.originator_version)


def decision_after(
    event: RecoveryDecided | OutcomeRevised | OperatorDecided, before: LastDecision | None
) -> LastDecision:
    """Return the last decision after an event."""
    match event:
        case RecoveryDecided():
            return _recovered(event, before)
        case OutcomeRevised():
            outcome, basis = OUTCOME_BEFORE[event.to_state].value, Basis.OBSERVED.value
            at, reason = event.recorded_at, event.reason
            return LastDecision(outcome=outcome, rule=REVISED, basis=basis, reason=reason, decided_at=at)
        case OperatorDecided():
            outcome, at = event.outcome.value, event.recorded_at
            return LastDecision(
                outcome=outcome, rule=OPERATOR, basis=None, reason=event.why, decided_at=at, who=event.who
            )


def _recovered(event: RecoveryDecided, before: LastDecision | None) -> LastDecision:
    # The time before a restart of this process counts, too.
    waited = before.inconclusive_for if before is not None and before.is_retry else 0.0
    return LastDecision(
        outcome=event.outcome.value,
        rule=event.rule.value,
        basis=event.basis.value if event.basis else None,
        reason=event.reason,
        decided_at=event.recorded_at,
        run_id=event.run_id,
        policy_hash=event.policy_hash,
        attempt=event.attempt,
        retry_in=event.retry_in,
        amnesia=event.evidence.amnesia,
        inconclusive_for=max(event.evidence.silence.inconclusive_for, waited),
        attention_after=event.policy.attention_after,
    )
