"""Everything that can happen, as immutable records.

Events are msgspec structs: fields that a later version adds take their defaults when an old event is read, and
fields it no longer knows are ignored, so the log survives upgrade and rollback. Each event is stored under an
explicit topic, never a module path, and its fields under explicit names, so that code can change.
"""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

import msgspec

from domain.attribution import PreviousReading
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
"""The actor of events that the service causes by itself."""

LOCAL = "local"
"""The actor of calls to a service without tokens."""

RESERVED_ACTORS = {SERVICE, LOCAL}
"""Names that no operator and no token can have."""


class Trace(msgspec.Struct, frozen=True):
    """The origin of an event: the run or request it belongs to, its direct cause, and who asked for it."""

    correlation_id: str
    causation_id: str
    actor: str = SERVICE


SINCE = " at "


def identity(ref: str, recorded_at: datetime | None) -> str:
    """Return a text that names an event among those of all histories of a log.

    A log that went back stores other events under the same references, and at the same positions. It stores them later.
    """
    return f"{ref}{SINCE}{recorded_at.isoformat()}" if recorded_at else ref


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of every event. Times are UTC."""

    topic: ClassVar[str]

    originator_id: str
    originator_version: int
    recorded_at: datetime
    correlation_id: str
    causation_id: str
    actor: str = SERVICE

    @property
    def ref(self) -> str:
        """Return the name by which other events refer to this one as their cause."""
        return f"{self.originator_id}#{self.originator_version}"

    @property
    def identity(self) -> str:
        """Return the text that names this event among those of all histories of the log."""
        return identity(self.ref, self.recorded_at)


def is_named(event: Event, name: str | None) -> bool:
    """Return whether an event has this identity. One that cannot be read, now or then, is known by its reference."""
    if name is None:
        return False
    if isinstance(event, UnreadableEvent):
        return name == event.ref or name.startswith(f"{event.ref}{SINCE}")
    return name in {event.identity, event.ref}


class JobRegistered(Event, frozen=True, kw_only=True):
    """A replication job was registered.

    `previous_readings` is what the VMA then had of earlier jobs of its volumes; the exports of `unasked` volumes could
    not be asked. `address` is where its VMA was asked, without credentials.
    """

    topic = "JobRegistered"

    vm_name: str
    vm_context_id: str
    volume_ids: tuple[str, ...]
    vma: str
    progress_percent: float = 0.0
    previous_readings: tuple[PreviousReading, ...] = msgspec.field(default=(), name="left_over")
    unasked: tuple[str, ...] = ()
    address: str | None = None


class VMAStatusObserved(Event, frozen=True, kw_only=True):
    """The VMA was asked, or a worker reported. `run_id` is set if a recovery run asked."""

    topic = "VMAStatusObserved"

    observation: Observation
    run_id: str | None = None


class RecoveryStarted(Event, frozen=True, kw_only=True):
    """A recovery run began to recover the job."""

    topic = "RecoveryStarted"

    run_id: str
    cause: Cause
    from_state: JobState


class RecoveryDecided(Event, frozen=True, kw_only=True):
    """Recovery decided about the job; with everything that the decision was made from.

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
    """The VMA contradicted an inferred outcome, and the job has the state that the VMA reported."""

    topic = "OutcomeRevised"

    from_state: JobState
    to_state: JobState
    reason: str
    observation: Observation


class OutcomeConfirmed(Event, frozen=True, kw_only=True):
    """The VMA confirmed an inferred outcome, which now counts as observed."""

    topic = "OutcomeConfirmed"

    reason: str
    observation: Observation


class OutcomeContradicted(Event, frozen=True, kw_only=True):
    """The VMA contradicts an inferred outcome, but a newer job has the VM or a disk: the outcome is not revised."""

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
    """The VMA reports the job as running, but without progress since `since`. Not a failure."""

    topic = "JobStalled"

    since: datetime
    stalled_for: float
    progress_percent: float
    phase: str | None = None


class JobMovedAgain(Event, frozen=True, kw_only=True):
    """A stalled job has progress again."""

    topic = "JobMovedAgain"

    progress_percent: float | None = None


class JobAdmitted(Event, frozen=True, kw_only=True):
    """The VM context has the job as its active job."""

    topic = "JobAdmitted"

    job_id: str
    vm_name: str


class JobReleased(Event, frozen=True, kw_only=True):
    """The VM context has no active job now."""

    topic = "JobReleased"

    job_id: str


class RecoveryRunStarted(Event, frozen=True, kw_only=True):
    """A recovery run over these jobs began."""

    topic = "RecoveryRunStarted"

    cause: Cause
    instance: str
    policy: Policy
    policy_hash: str
    job_ids: tuple[str, ...]


class RecoveryRunFinished(Event, frozen=True, kw_only=True):
    """A recovery run ended, with polling verified: how many jobs it resumed, and how many were polled again.

    Durations in seconds. `settled_elsewhere` counts jobs that had ended before the run decided them.
    """

    topic = "RecoveryRunFinished"

    outcomes: dict[str, int]
    rules: dict[str, int]
    resumed: int
    polled_again: int
    left_replicating: int
    settled_elsewhere: int
    decided_in: float
    verified_in: float = msgspec.field(name="proven_in")


class RecoveryRunInterrupted(Event, frozen=True, kw_only=True):
    """The process ended before the run did. A later run recovers its jobs."""

    topic = "RecoveryRunInterrupted"

    reason: str


class UnreadableEvent(Event, frozen=True, kw_only=True):
    """A placeholder for an event that this version cannot decode, so that later ones can be read. Never stored."""

    topic = "UnreadableEvent"

    why: str

    @property
    def identity(self) -> str:
        """Return its reference: when it was recorded cannot be read."""
        return self.ref


EVENTS = {event.topic: event for event in Event.__subclasses__() if event is not UnreadableEvent}
"""The events that are stored, by topic."""
