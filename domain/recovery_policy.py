"""The decision table: what recovery decides about a job, from everything that is known about it.

`decide` is a pure function of an `Evidence` and a `Policy`. The decision's event stores both, so the decision can be
made again from the event alone. Its `match` is the published table, a `case` per row and in the same order; `None`
means: not yet, ask again.

An outcome needs the VMA's own statement, a VMA that does not know the job, or a VMA that as a whole did not answer
while this process asked. In every other case the state is not known, and the decision is a retry.
"""

import hashlib
from enum import StrEnum

import msgspec

from domain.evidence import Amnesia, Evidence
from domain.vma_status import Observation, VMAStatus

MARGIN = 0.02
"""Seconds added to the spacing of probes, so that the last is never just before the end of the window."""


_NOT_KNOWN = {
    VMAStatus.UNANSWERED: (
        "gave no answer about this job",
        "If this lasts, look at the job's worker; if that will never report, decide by hand",
    ),
    VMAStatus.UNINTELLIGIBLE: ("gave an answer that cannot be read", "Look at what answers at the VMA's address"),
    VMAStatus.NOT_ASKED: ("could not be asked", "Correct that: the job then resumes by itself"),
}
"""Why nothing is known of a job, and what to do."""


class Outcome(StrEnum):
    """The outcomes of a decision."""

    RESUME = "resume"
    COMPLETE = "complete"
    FAIL = "fail"
    RETRY = "retry"


class Basis(StrEnum):
    """Whether the VMA stated the outcome, or it was inferred (a guess, which can be revised)."""

    OBSERVED = "observed"
    INFERRED = "inferred"


class Rule(StrEnum):
    """The rows of the table; events, the API, the log and the docs use the same names."""

    STILL_RUNNING = "still-running"
    COMPLETED_WHILE_AWAY = "completed-while-away"
    COMPLETION_UNCONFIRMED = "completion-unconfirmed"
    FAILED_ON_VMA = "failed-on-vma"
    NOT_STARTED_YET = "not-started-yet"
    NEVER_SEEN = "never-seen"
    VMA_REPLACED = "vma-replaced"
    VMA_AMNESIA = "vma-amnesia"
    GONE_NEAR_END = "gone-near-end"
    LOST = "lost"
    UNREACHABLE_RECENT = "unreachable-recent"
    UNREACHABLE_TOO_LONG = "unreachable-too-long"
    UNANSWERED = "unanswered"
    UNINTELLIGIBLE = "unintelligible"
    NOT_ASKED = "not-asked"


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers in the decision table, and after how long a waiting job needs attention. Percent and seconds."""

    complete_above_percent: float = 90.0
    unreachable_timeout: float = 1800.0
    unreachable_grace: float = 300.0
    startup_grace: float = 300.0
    confirmation_window: float = 15.0
    confirmation_probes: int = 3
    completion_window: float = 300.0
    amnesia_share: float = 0.5
    amnesia_at_least: int = 3
    attention_after: float = 300.0

    @property
    def hash(self) -> str:
        """Return a short hash that identifies the policy."""
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()[:12]

    @property
    def spacing(self) -> float:
        """Return the seconds between two probes, so that the last is just after the end of the window."""
        return self.confirmation_window / max(1, self.confirmation_probes - 1) + MARGIN


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the table, applied to one job. A retry states no outcome, so it has no basis."""

    outcome: Outcome
    rule: Rule
    basis: Basis | None
    reason: str


def decide(evidence: Evidence, policy: Policy) -> Decision | None:  # noqa: C901, PLR0911, PLR0912 - a row per case
    """Return the decision by the table; None while "not found" has not lasted long enough for a conclusion."""
    observation, duration = evidence.observation, evidence.silence.duration
    match observation.status:
        case VMAStatus.RUNNING:
            return _observed(Outcome.RESUME, Rule.STILL_RUNNING, f"the {observation.source} says the job is running")

        case VMAStatus.COMPLETED if observation.contradicting_progress is not None:
            return _retry(Rule.UNINTELLIGIBLE, _contradicted(observation))
        case VMAStatus.COMPLETED if not observation.doubtful:
            reason = f"the {observation.source} says all {len(observation.disks)} disk(s) are completed"
            return _observed(Outcome.COMPLETE, Rule.COMPLETED_WHILE_AWAY, reason)
        case VMAStatus.COMPLETED if evidence.replaced:
            return _retry(Rule.VMA_REPLACED, _replaced(observation))
        case VMAStatus.COMPLETED if duration >= policy.completion_window:
            return _inferred(Outcome.COMPLETE, Rule.COMPLETED_WHILE_AWAY, _unconfirmed(evidence))
        case VMAStatus.COMPLETED:
            return _retry(Rule.COMPLETION_UNCONFIRMED, _unconfirmed(evidence))

        case VMAStatus.FAILED:
            reason = f"the {observation.source} says the job failed: {observation.error}"
            return _observed(Outcome.FAIL, Rule.FAILED_ON_VMA, reason)

        case VMAStatus.NOT_FOUND | VMAStatus.UNANSWERED if _may_not_have_started(evidence, policy):
            return _retry(Rule.NOT_STARTED_YET, _not_started(evidence, policy))
        case VMAStatus.NOT_FOUND if not evidence.seen_on_vma:
            return _retry(Rule.NEVER_SEEN, _never_seen(evidence))
        case VMAStatus.NOT_FOUND if evidence.replaced:
            return _retry(Rule.VMA_REPLACED, _replaced(observation))
        case VMAStatus.NOT_FOUND if evidence.amnesia is not None and _may_go_on(evidence, policy):
            return _retry(Rule.VMA_AMNESIA, _amnesia(evidence.amnesia))
        case VMAStatus.NOT_FOUND if is_confirmed(evidence, policy):
            return _gone(evidence, policy)
        case VMAStatus.NOT_FOUND:
            return None

        case VMAStatus.UNREACHABLE if _is_unreachable_too_long(evidence, policy):
            return _inferred(Outcome.FAIL, Rule.UNREACHABLE_TOO_LONG, _unreachable(evidence, policy))
        case VMAStatus.UNREACHABLE:
            return _retry(Rule.UNREACHABLE_RECENT, _unreachable(evidence, policy))

        case VMAStatus.UNANSWERED:
            return _retry(Rule.UNANSWERED, _not_known(observation))
        case VMAStatus.UNINTELLIGIBLE:
            return _retry(Rule.UNINTELLIGIBLE, _not_known(observation))
        case VMAStatus.NOT_ASKED:
            return _retry(Rule.NOT_ASKED, _not_known(observation))


def is_confirmed(evidence: Evidence, policy: Policy) -> bool:
    """Return whether "not found" has lasted over the confirmation window, in time and in number of probes.

    One "not found" proves nothing: a restarted VMA knows no id until each worker's next update.
    """
    silence = evidence.silence
    return silence.duration >= policy.confirmation_window and silence.probes >= policy.confirmation_probes


def _may_not_have_started(evidence: Evidence, policy: Policy) -> bool:
    """Return whether the worker may be before its first report: the export has no document, or a previous worker's."""
    observation = evidence.observation
    no_document = observation.status is VMAStatus.NOT_FOUND or bool(observation.previous)
    return no_document and not evidence.seen_on_vma and evidence.silence.duration <= policy.startup_grace


def _may_go_on(evidence: Evidence, policy: Policy) -> bool:
    """Return whether a job that its VMA has forgotten may run, or may have ended: it is waited for.

    A VMA that has forgotten everything is no evidence that a worker finished. After the timeout, only a job that was
    not near its end is given up.
    """
    return evidence.silence.duration <= policy.unreachable_timeout or _was_near_end(evidence, policy)


def _was_near_end(evidence: Evidence, policy: Policy) -> bool:
    return evidence.least_progress > policy.complete_above_percent


def _is_unreachable_too_long(evidence: Evidence, policy: Policy) -> bool:
    """Return whether the VMA did not answer for so long that the job counts as failed.

    It counts only while this process asked, and only at an address where the VMA has answered and knew the job: at
    another address, it may be another machine that does not answer.
    """
    is_grace_over = evidence.silence.duration >= policy.unreachable_grace
    is_its_address = evidence.reached and not evidence.replaced
    return evidence.without_contact > policy.unreachable_timeout and is_grace_over and is_its_address


def _gone(evidence: Evidence, policy: Policy) -> Decision:
    last = f"last seen at {evidence.least_progress:.4g} %, not found for {evidence.silence.duration:.0f} s"
    if _was_near_end(evidence, policy):
        reason = f"probably finished: {last}, above {policy.complete_above_percent:g} %"
        return _inferred(Outcome.COMPLETE, Rule.GONE_NEAR_END, reason)
    reason = f"job lost on VMA: {last}, not above {policy.complete_above_percent:g} %"
    return _inferred(Outcome.FAIL, Rule.LOST, reason)


def _contradicted(observation: Observation) -> str:
    return (
        f"VMA {observation.vma} says completed, and contradicts it with {observation.contradicting_progress:.4g} %: "
        f"nothing is concluded ({observation.summary()}). Look at the worker, then decide by hand"
    )


def _unconfirmed(evidence: Evidence) -> str:
    observation, silence = evidence.observation, evidence.silence
    return (
        f"VMA {observation.vma} reports completed, for {observation.covered} of {len(observation.disks)} disks; "
        f"unchanged for {silence.duration:.0f} s over {silence.probes} probes ({observation.summary()})"
    )


def _not_started(evidence: Evidence, policy: Policy) -> str:
    return (
        f"no report from the job's worker for {evidence.silence.duration:.0f} s: "
        f"it may take {policy.startup_grace:g} s to its first report"
    )


def _never_seen(evidence: Evidence) -> str:
    return (
        f"VMA {evidence.observation.vma} has never known this job, and does not for {evidence.silence.duration:.0f} s: "
        "its worker may not have started. Start it, or decide by hand"
    )


def _replaced(observation: Observation) -> str:
    return (
        f"VMA {observation.vma} is asked at another address than when it knew this job, and knows none of our jobs "
        "there. Correct its address in the settings; if it is the same VMA, decide by hand"
    )


def _amnesia(amnesia: Amnesia) -> str:
    return (
        f"the VMA did not know {amnesia.not_found} of {amnesia.asked} jobs, at least for a time: it has probably "
        "restarted and forgotten them. If this job's worker does not report again, look at it, then decide by hand"
    )


def _unreachable(evidence: Evidence, policy: Policy) -> str:
    observation = evidence.observation
    return (
        f"VMA {observation.vma} is unreachable: last contact {evidence.without_contact:.0f} s ago, no answer for "
        f"{evidence.silence.duration:.0f} of {policy.unreachable_grace:g} s ({observation.summary()}). "
        "Check its tunnel and its address"
    )


def _not_known(observation: Observation) -> str:
    what, remedy = _NOT_KNOWN[observation.status]
    return f"VMA {observation.vma} {what} ({observation.summary()}). {remedy}"


def _observed(outcome: Outcome, rule: Rule, reason: str) -> Decision:
    return Decision(outcome=outcome, rule=rule, basis=Basis.OBSERVED, reason=reason)


def _inferred(outcome: Outcome, rule: Rule, reason: str) -> Decision:
    return Decision(outcome=outcome, rule=rule, basis=Basis.INFERRED, reason=reason)


def _retry(rule: Rule, reason: str) -> Decision:
    return Decision(outcome=Outcome.RETRY, rule=rule, basis=None, reason=reason)
