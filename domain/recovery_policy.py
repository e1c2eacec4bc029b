"""The decision table: what recovery makes of a job, given all that is known of it.

`decide` is a pure function of an `Evidence` and a `Policy`, both of which are stored in the decision's event, so
deciding again from the event alone gives the same. Its `match` is the published table, a `case` per row and in
the same order; `None` means: not yet, keep asking.
"""

import hashlib
from datetime import datetime
from enum import StrEnum

import msgspec

from domain.vma_status import Observation, VMAStatus


class Outcome(StrEnum):
    """What is done with the job."""

    RESUME = "resume"
    COMPLETE = "complete"
    FAIL = "fail"
    RETRY = "retry"


class Basis(StrEnum):
    """Whether the VMA said so, or silence was interpreted (a guess, open to revision)."""

    OBSERVED = "observed"
    INFERRED = "inferred"


class Rule(StrEnum):
    """The rows of the table; the same names stand in events, the API, the log and the docs."""

    STILL_RUNNING = "still-running"
    COMPLETED_WHILE_AWAY = "completed-while-away"
    FAILED_ON_VMA = "failed-on-vma"
    NOT_STARTED_YET = "not-started-yet"
    VMA_AMNESIA = "vma-amnesia"
    GONE_NEAR_END = "gone-near-end"
    LOST = "lost"
    UNREACHABLE_RECENT = "unreachable-recent"
    UNREACHABLE_TOO_LONG = "unreachable-too-long"
    UNINTELLIGIBLE = "unintelligible"


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers in the decision table. Percent and seconds."""

    complete_above_percent: float = 90.0
    unreachable_timeout: float = 1800.0
    startup_grace: float = 300.0
    confirmation_window: float = 15.0
    confirmation_probes: int = 3
    amnesia_share: float = 0.5
    amnesia_at_least: int = 10

    @property
    def hash(self) -> str:
        """A short fingerprint, so that decisions made under one policy can be told from another's."""
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()[:12]


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """For how long, and over how many probes, one same inconclusive answer has held without a break."""

    status: VMAStatus
    held_for: float
    probes: int


class Amnesia(msgspec.Struct, frozen=True, kw_only=True):
    """A VMA that did not know most of the jobs it was asked for: since when, and how many of how many."""

    since: datetime
    not_found: int
    asked: int


class DiskProgress(msgspec.Struct, frozen=True, kw_only=True):
    """The last progress that one disk itself was seen with, in percent; None if it never was."""

    volume_id: str
    progress_percent: float | None


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a decision is made from."""

    state_before: str
    observation: Observation
    decided_at: datetime
    registered_at: datetime
    last_contact_at: datetime
    seen_on_vma: bool
    progress_percent: float
    progress_speaks_for: int
    disks: tuple[DiskProgress, ...]
    silence: Silence
    amnesia: Amnesia | None = None

    @property
    def age(self) -> float:
        """Seconds since the job was registered."""
        return (self.decided_at - self.registered_at).total_seconds()

    @property
    def without_contact(self) -> float:
        """Seconds since the last conclusive word about the job, or since its registration."""
        return (self.decided_at - self.last_contact_at).total_seconds()

    @property
    def least_progress(self) -> float:
        """The last progress of the least favourable disk, in percent.

        A disk that never had a document of its own counts as 0 % beside disks that had. Where none ever had
        (the worker reports under the job's id), the job's own progress speaks for as many disks as it was of:
        a worker that shares one id for several disks counts each from 0 to 100 %.
        """
        own = [disk.progress_percent for disk in self.disks]
        if any(percent is not None for percent in own):
            return min(percent or 0.0 for percent in own)
        return self.progress_percent if self.progress_speaks_for >= len(own) else 0.0


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the table, applied to one job. A retry claims nothing, so it has no basis."""

    outcome: Outcome
    rule: Rule
    basis: Basis | None
    reason: str


def decide(evidence: Evidence, policy: Policy) -> Decision | None:  # noqa: C901, PLR0911 - a row per case
    """Apply the decision table; None while silence has not held long enough to conclude from it."""
    observation = evidence.observation
    match observation.status:
        case VMAStatus.RUNNING:
            return _observed(Outcome.RESUME, Rule.STILL_RUNNING, "the VMA says the job is running")

        case VMAStatus.COMPLETED if not observation.doubtful:
            reason = f"the VMA says all {len(observation.disks)} disk(s) are completed"
            return _observed(Outcome.COMPLETE, Rule.COMPLETED_WHILE_AWAY, reason)
        case VMAStatus.COMPLETED if _is_belied(observation, policy):
            return _retry(Rule.UNINTELLIGIBLE, _belied(observation))
        case VMAStatus.COMPLETED if is_confirmed(evidence, policy):
            return _inferred(Outcome.COMPLETE, Rule.COMPLETED_WHILE_AWAY, _held_completion(evidence))

        case VMAStatus.FAILED:
            reason = f"the VMA says the job failed: {observation.error}"
            return _observed(Outcome.FAIL, Rule.FAILED_ON_VMA, reason)

        case VMAStatus.NOT_FOUND if _may_not_have_started(evidence, policy):
            return _retry(Rule.NOT_STARTED_YET, _not_started(evidence, policy))
        case VMAStatus.NOT_FOUND if _forgotten(evidence, policy):
            return _retry(Rule.VMA_AMNESIA, _amnesia(evidence))
        case VMAStatus.NOT_FOUND if is_confirmed(evidence, policy):
            return _gone(evidence, policy)

        case VMAStatus.UNREACHABLE if _contact_is_recent(evidence, policy):
            return _retry(Rule.UNREACHABLE_RECENT, _silent("unreachable", evidence))
        case VMAStatus.UNREACHABLE if is_confirmed(evidence, policy):
            reason = _silent("unreachable", evidence)
            return _inferred(Outcome.FAIL, Rule.UNREACHABLE_TOO_LONG, reason)

        case VMAStatus.UNINTELLIGIBLE if _contact_is_recent(evidence, policy):
            return _retry(Rule.UNINTELLIGIBLE, _silent("unintelligible", evidence))
        case VMAStatus.UNINTELLIGIBLE if is_confirmed(evidence, policy):
            reason = _silent("unintelligible", evidence)
            return _inferred(Outcome.FAIL, Rule.UNINTELLIGIBLE, reason)

    return None


def is_confirmed(evidence: Evidence, policy: Policy) -> bool:
    """Whether the same silence has held over the confirmation window, in time and in number of probes.

    One "not found" proves nothing: a restarted VMA knows no id until each worker's next update.
    """
    silence = evidence.silence
    return (
        silence.status is evidence.observation.status
        and silence.held_for >= policy.confirmation_window
        and silence.probes >= policy.confirmation_probes
    )


def _is_belied(observation: Observation, policy: Policy) -> bool:
    """Whether a `completed` says of itself that the copy is not even near its end: then it says nothing."""
    return observation.belied_at is not None and observation.belied_at <= policy.complete_above_percent


def _may_not_have_started(evidence: Evidence, policy: Policy) -> bool:
    return not evidence.seen_on_vma and evidence.age <= policy.startup_grace


def _forgotten(evidence: Evidence, policy: Policy) -> bool:
    if evidence.amnesia is None:
        return False
    lasted = (evidence.decided_at - evidence.amnesia.since).total_seconds()
    return lasted <= policy.unreachable_timeout


def _contact_is_recent(evidence: Evidence, policy: Policy) -> bool:
    return evidence.without_contact <= policy.unreachable_timeout


def _gone(evidence: Evidence, policy: Policy) -> Decision:
    least = evidence.least_progress
    last = f"last seen at {least:.4g} %, not found for {evidence.silence.held_for:.0f} s"
    if least > policy.complete_above_percent:
        reason = f"probably finished: {last}, above {policy.complete_above_percent:g} %"
        return _inferred(Outcome.COMPLETE, Rule.GONE_NEAR_END, reason)
    reason = f"job lost on VMA: {last}, not above {policy.complete_above_percent:g} %"
    return _inferred(Outcome.FAIL, Rule.LOST, reason)


def _belied(observation: Observation) -> str:
    return (
        f"the VMA says completed, and {observation.belied_at:.4g} % beside it: nothing is concluded from that "
        f"({observation.summary()})"
    )


def _held_completion(evidence: Evidence) -> str:
    observation, silence = evidence.observation, evidence.silence
    return (
        f"the VMA says completed, which vouches for {observation.covered} of {len(observation.disks)} disks; "
        f"it has held for {silence.held_for:.0f} s over {silence.probes} probes"
    )


def _not_started(evidence: Evidence, policy: Policy) -> str:
    return (
        f"never seen on the VMA, registered {evidence.age:.0f} s ago: "
        f"a worker may take {policy.startup_grace:g} s to its first report"
    )


def _amnesia(evidence: Evidence) -> str:
    amnesia = evidence.amnesia
    assert amnesia is not None  # noqa: S101 - the caller's guard, said to the type checker
    return (
        f"the VMA did not know {amnesia.not_found} of the {amnesia.asked} jobs it was asked for: "
        "it has probably restarted and forgotten them"
    )


def _silent(word: str, evidence: Evidence) -> str:
    return f"{word}; last contact {evidence.without_contact:.0f} s ago ({evidence.observation.summary()})"


def _observed(outcome: Outcome, rule: Rule, reason: str) -> Decision:
    return Decision(outcome=outcome, rule=rule, basis=Basis.OBSERVED, reason=reason)


def _inferred(outcome: Outcome, rule: Rule, reason: str) -> Decision:
    return Decision(outcome=outcome, rule=rule, basis=Basis.INFERRED, reason=reason)


def _retry(rule: Rule, reason: str) -> Decision:
    return Decision(outcome=Outcome.RETRY, rule=rule, basis=None, reason=reason)
