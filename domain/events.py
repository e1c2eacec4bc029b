"""Everything that can happen, as immutable records.

Events are msgspec structs: fields that a later version adds take their defaults when an old event is read, and
fields it no longer knows are ignored, so the log survives upgrade and rollback. Each event is stored under an
explicit topic, never a module path, so that code can move.
"""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

import msgspec

from domain.attribution import Former
from domain.evidence import Evidence
from domain.lifecycle import JobState
from domain.recovery_policy import Basis, Outcome, Policy, Rule
from domain.vma_status import Observation


class Cause(StrEnum):
    """Why a recovery was started."""

    RESTART = "restart"
    TAKEOVER = "takeover"
    CONTACT_LOST = "contact-lost"
    STALE = "stale"
    RETRY_DUE = "retry-due"
    OPERATOR = "operator"


SERVICE = "job-recovery"
"""The actor of what the service does by itself."""

LOCAL = "local"
"""The actor of calls to a service without tokens."""

RESERVED_ACTORS = {SERVICE, LOCAL}
"""Names that no person and no token can have."""


class Trace(msgspec.Struct, frozen=True):
    """Where an event comes from: the run or request it belongs to, what directly led to it, and who asked for it."""

    correlation_id: str
    causation_id: str
    actor: str = SERVICE


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """What every event carries. Times are UTC."""

    topic: ClassVar[str]

    originator_id: str
    originator_version: int
    recorded_at: datetime
    correlation_id: str
    causation_id: str
    actor: str = SERVICE

    @property
    def ref(self) -> str:
        """How other events name this one as their cause."""
        return f"{self.originator_id}#{self.originator_version}"


class JobRegistered(Event, frozen=True, kw_only=True):
    """A replication job was put under our watch.

    `left_over` is what its volumes' exports said of others at that moment; of `unasked` volumes nobody could say.
    `address` is where its VMA was, without credentials.
    """

    topic = "JobRegistered"

    vm_name: str
    vm_context_id: str
    volume_ids: tuple[str, ...]
    vma: str
    progress_percent: float = 0.0
    left_over: tuple[Former, ...] = ()
    unasked: tuple[str, ...] = ()
    address: str | None = None


class VMAStatusObserved(Event, frozen=True, kw_only=True):
    """The VMA was asked, and this is what it said. `run_id` is set if a recovery run asked."""

    topic = "VMAStatusObserved"

    observation: Observation
    run_id: str | None = None


class RecoveryStarted(Event, frozen=True, kw_only=True):
    """A recovery run took the job up."""

    topic = "RecoveryStarted"

    run_id: str
    cause: Cause
    from_state: JobState


class RecoveryDecided(Event, frozen=True, kw_only=True):
    """What recovery made of the job, with everything the decision was made from.

    `retry_in` is the back-off in seconds before the next attempt, for a retry.
    """

    topic = "RecoveryDecided"

    run_id: str
    outcome: Outcome
    rule: Rule
    basis: Basis | None
    reason: str
    evidence: Evidence
    policy: Policy
    policy_hash: str
    attempt: int = 0
    retry_in: float | None = None


class OutcomeRevised(Event, frozen=True, kw_only=True):
    """The VMA contradicted an inferred outcome, and was believed."""

    topic = "OutcomeRevised"

    from_state: JobState
    to_state: JobState
    reason: str
    observation: Observation


class OutcomeConfirmed(Event, frozen=True, kw_only=True):
    """The VMA said itself what had been inferred; the outcome is now an observed one."""

    topic = "OutcomeConfirmed"

    reason: str
    observation: Observation


class OutcomeContradicted(Event, frozen=True, kw_only=True):
    """The VMA contradicts an inferred outcome, but a newer job has the VM or a disk of it: nothing is revived."""

    topic = "OutcomeContradicted"

    newer_job: str
    reason: str
    observation: Observation


class OperatorDecided(Event, frozen=True, kw_only=True):
    """An operator completed or failed the job, or corrected an outcome that was inferred."""

    topic = "OperatorDecided"

    outcome: Outcome
    who: str
    why: str


class JobStalled(Event, frozen=True, kw_only=True):
    """The VMA calls the job running, but nothing of it has moved since `since`. Not a failure."""

    topic = "JobStalled"

    since: datetime
    stalled_for: float
    progress_percent: float
    phase: str | None = None


class JobMovedAgain(Event, frozen=True, kw_only=True):
    """A stalled job moves again."""

    topic = "JobMovedAgain"

    progress_percent: float | None = None


class JobAdmitted(Event, frozen=True, kw_only=True):
    """The VM context took the job as its one active job."""

    topic = "JobAdmitted"

    job_id: str
    vm_name: str


class JobReleased(Event, frozen=True, kw_only=True):
    """The VM context has no active job any more."""

    topic = "JobReleased"

    job_id: str


class RecoveryRunStarted(Event, frozen=True, kw_only=True):
    """A pass of recovery over these jobs began."""

    topic = "RecoveryRunStarted"

    cause: Cause
    instance: str
    policy: Policy
    policy_hash: str
    job_ids: tuple[str, ...]


class RecoveryRunFinished(Event, frozen=True, kw_only=True):
    """The pass is over, with proof of drive: how many jobs it resumed, and how many were polled again.

    Durations in seconds. `left_behind` counts jobs that someone else had settled before the run came to them.
    """

    topic = "RecoveryRunFinished"

    outcomes: dict[str, int]
    rules: dict[str, int]
    resumed: int
    polled_again: int
    left_replicating: int
    settled_elsewhere: int
    decided_in: float
    proven_in: float


class RecoveryRunInterrupted(Event, frozen=True, kw_only=True):
    """The process ended before the pass did; its jobs were taken up by a later run."""

    topic = "RecoveryRunInterrupted"

    reason: str


class UnreadableEvent(Event, frozen=True, kw_only=True):
    """Stands for a stored event that this version cannot decode, so that those after it can be read. Never stored."""

    topic = "UnreadableEvent"

    why: str


EVENTS: dict[str, type[Event]] = {
    event.topic: event
    for event in (
        JobRegistered,
        VMAStatusObserved,
        RecoveryStarted,
        RecoveryDecided,
        OutcomeRevised,
        OutcomeConfirmed,
        OutcomeContradicted,
        OperatorDecided,
        JobStalled,
        JobMovedAgain,
        JobAdmitted,
        JobReleased,
        RecoveryRunStarted,
        RecoveryRunFinished,
        RecoveryRunInterrupted,
    )
}
"""Every event by its stored topic."""
