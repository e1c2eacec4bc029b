"""What a replication job's events add up to: the fields, and how each event assigns them.

Appliers only assign. A rule that is tightened later must not make history unloadable.
"""

from datetime import datetime

import msgspec

from domain.aggregate import Aggregate
from domain.attribution import Former, after, as_former
from domain.events import (
    Cause,
    Event,
    JobMovedAgain,
    JobRegistered,
    JobStalled,
    OperatorDecided,
    OutcomeConfirmed,
    OutcomeContradicted,
    OutcomeRevised,
    RecoveryDecided,
    RecoveryStarted,
    Trace,
    VMAStatusObserved,
)
from domain.evidence import Amnesia
from domain.lifecycle import OPEN_STATES, TRANSITIONS, JobState, check_transition, state_after
from domain.recovery_policy import Basis, Outcome
from domain.vma_status import ENDS, DiskReading, Movement, Observation, VMAStatus

STATE_AFTER = {outcome: TRANSITIONS[JobState.RECOVERING, f"decide_{outcome.value}"] for outcome in Outcome}
OUTCOME_BEFORE = {state: outcome for outcome, state in STATE_AFTER.items()}

NOTHING_LEFT = frozenset({VMAStatus.RUNNING, VMAStatus.NOT_FOUND})
"""What an export answers where no previous worker's end stands."""


class LastDecision(msgspec.Struct, frozen=True, kw_only=True):
    """The last decision about the job, whoever made it (`rule` is `operator` for a person).

    `unheard_for`: seconds for which nothing conclusive had been heard, over all retries in a row; from
    `attention_after` on, a person should look.
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
    unheard_for: float = 0.0
    attention_after: float | None = None
    who: str | None = None

    @property
    def is_retry(self) -> bool:
        """Whether the job is to be asked about again, because nothing is known of it."""
        return self.outcome == Outcome.RETRY.value

    @property
    def needs_attention(self) -> bool:
        """Whether the job has waited for so long that a person should look."""
        return self.is_retry and self.attention_after is not None and self.unheard_for >= self.attention_after


class JobFields(Aggregate, kw_only=True):
    """The state of one replication job. Progress in percent, times in UTC.

    `outcome_basis` says whether a completed or failed job's outcome was observed or inferred; it is None while the
    job is open, and for an operator's decision, which is neither. `left_over` is what exports say of other jobs, and
    `unasked` the volumes of which that is not known; `unheard` those with an earlier job of which nothing was heard at
    registration. `vma_address` is where the VMA last knew the job or, before that,
    where it was asked what its exports say.
    """

    state: JobState = JobState.REPLICATING
    vm_name: str = ""
    vm_context_id: str = ""
    volume_ids: tuple[str, ...] = ()
    vma: str = ""
    registered_at: datetime | None = None
    progress_percent: float = 0.0
    least_percent: float | None = None
    progress_speaks_for: int = 0
    registered_percent: float = 0.0
    phase: str | None = None
    bytes_transferred: int | None = None
    total_bytes: int | None = None
    disks: dict[str, DiskReading] = msgspec.field(default_factory=dict)
    left_over: tuple[Former, ...] = ()
    unasked: tuple[str, ...] = ()
    unheard: tuple[str, ...] = ()
    vma_address: str | None = None
    vma_status: VMAStatus | None = None
    doubtful: bool = False
    error: str | None = None
    seen_on_vma: bool = False
    last_contact_at: datetime | None = None
    last_observed_at: datetime | None = None
    moved_at: datetime | None = None
    stalled_since: datetime | None = None
    decision: LastDecision | None = None
    outcome_basis: Basis | None = None
    ended_at: datetime | None = None
    contradicted: bool = False
    attempts: int = 0
    run_id: str | None = None
    cause: Cause | None = None
    recovery_began_at: datetime | None = None
    resumed_at: datetime | None = None
    found_in: JobState | None = None
    watched_by: Trace = Trace("", "")

    @property
    def is_open(self) -> bool:
        """Whether the job is active: it occupies its VM context and somebody has to watch it."""
        return self.state in OPEN_STATES

    @property
    def seen_percent(self) -> float:
        """The last progress that was seen, of the least favourable disk where they were listed.

        A guess shows 100 %, which nobody has seen.
        """
        return self.progress_percent if self.least_percent is None else self.least_percent

    @property
    def is_guess(self) -> bool:
        """Whether the job's outcome was inferred from silence, and is still open to revision."""
        return self.outcome_basis is Basis.INFERRED and not self.contradicted

    @property
    def movement(self) -> Movement:
        """What changes while the job's worker is alive, as last recorded."""
        disks = {volume_id: disk.movement for volume_id, disk in self.disks.items()}
        return (self.bytes_transferred, self.progress_percent, self.phase, disks)

    def check(self, event: Event) -> None:
        """Check that the lifecycle allows the event in the job's state.

        Raises:
            IllegalTransition: it does not.

        """
        if (transition := transition_of(event)) is not None:
            check_transition(self.id, self.state, transition)

    def evolve(self, event: Event) -> None:
        """Assign what the event says."""
        before = self.state
        self.state = _next_state(before, event)
        match event:
            case JobRegistered():
                self._evolve_registered(event)
            case VMAStatusObserved():
                self._evolve_observed(event.observation, ended=self.state is not before)
            case RecoveryStarted():
                self.found_in, self.run_id, self.cause = event.from_state, event.run_id, event.cause
                self.recovery_began_at = event.recorded_at
            case RecoveryDecided():
                self._evolve_decided(event)
            case OutcomeRevised():
                self._evolve_revised(event)
            case OutcomeConfirmed():
                self.outcome_basis = Basis.OBSERVED
                self._assign_reading(event.observation)
            case OutcomeContradicted():
                self.contradicted = True
            case OperatorDecided():
                self._evolve_operator(event)
            case JobStalled() | JobMovedAgain():
                self._evolve_movement(event)
            case _:
                pass

    def _evolve_registered(self, event: JobRegistered) -> None:
        self.vm_name, self.vm_context_id = event.vm_name, event.vm_context_id
        self.volume_ids, self.vma = event.volume_ids, event.vma
        self.registered_at = self.moved_at = event.recorded_at
        self.progress_percent = self.registered_percent = self.least_percent = event.progress_percent
        self.left_over, self.unasked, self.vma_address = event.left_over, event.unasked, event.address
        self.unheard = tuple(one.volume_id for one in event.left_over if one.status is VMAStatus.UNANSWERED)
        self.progress_speaks_for = len(event.volume_ids)
        # Progress that was known at registration can only have come from the VMA.
        self.seen_on_vma = event.progress_percent > 0
        self.watched_by = Trace(event.correlation_id, event.ref)

    def _evolve_observed(self, observation: Observation, *, ended: bool) -> None:
        self._assign_reading(observation)
        if ended:
            self._end(Basis.OBSERVED, observation.observed_at)

    def _assign_reading(self, observation: Observation) -> None:
        self.vma_status, self.doubtful = observation.status, observation.doubtful
        self.last_observed_at = observation.observed_at
        self._assign_left_over(observation)
        if not observation.is_contact:
            return
        # A worker's own report does not say that the VMA knows the job.
        self.seen_on_vma = self.seen_on_vma or observation.is_of_vma
        self.last_contact_at = observation.observed_at
        self.vma_address = observation.address or self.vma_address
        before = self.movement
        self.phase, self.error = observation.phase or self.phase, observation.error
        if observation.progress_percent is not None:
            self.progress_percent = observation.progress_percent
            least = observation.least_percent
            self.least_percent = observation.progress_percent if least is None else least
            self.progress_speaks_for = observation.speaks_for
        if observation.bytes_transferred is not None or observation.total_bytes is not None:
            self.bytes_transferred, self.total_bytes = observation.bytes_transferred, observation.total_bytes
        self.disks = {**self.disks, **{disk.volume_id: disk for disk in observation.disks if disk.is_statement}}
        if self.movement != before:
            self.moved_at = observation.observed_at

    @property
    def left_over_elsewhere(self) -> tuple[Former, ...]:
        """What others may have left at another address: that nothing stood at one says nothing of the next."""
        known = {one.volume_id for one in self.left_over}
        unheard = (v for v in self.unheard if v not in known)
        return (*self.left_over, *(Former(volume_id=v, status=VMAStatus.UNANSWERED) for v in unheard))

    def _assign_left_over(self, observation: Observation) -> None:
        """Follow what the exports say of others, until this job's own worker writes there."""
        if not observation.is_of_vma:
            return
        own = {disk.volume_id: disk for disk in observation.disks if disk.is_statement}
        known = {one.volume_id: one for one in self.left_over}
        for said in observation.previous:
            known[said.volume_id] = as_former(said, known.get(said.volume_id))
        for volume_id in (v for v in self.unasked if v in own):
            # The first document of our worker may show figures that nobody has seen before.
            known.setdefault(volume_id, Former(volume_id=volume_id, status=own[volume_id].status, alive=False))
        kept = [after(one, own[one.volume_id]) if one.volume_id in own else one for one in known.values()]
        nothing = {disk.volume_id for disk in observation.disks if disk.status is VMAStatus.NOT_FOUND}
        unheard = {one.volume_id for one in self.left_over if one.status is VMAStatus.UNANSWERED}
        self.left_over = tuple(one for one in kept if one is not None and one.volume_id not in nothing & unheard)
        # An export that knows nothing holds nothing of others, and one where our worker writes is ours.
        answered = {disk.volume_id for disk in observation.disks if disk.status in NOTHING_LEFT}
        moved = not self.seen_on_vma and observation.address not in {None, self.vma_address}
        if moved and (answered or observation.is_contact):
            self.vma_address, self.unasked = observation.address, self.volume_ids
            self.left_over = self.left_over_elsewhere
        if observation.address == self.vma_address:
            self.unasked = tuple(v for v in self.unasked if v not in answered)

    def _evolve_decided(self, event: RecoveryDecided) -> None:
        self.decision = LastDecision(
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
            unheard_for=max(event.evidence.silence.unheard_for, self._waited()),
            attention_after=event.policy.attention_after,
        )
        self.attempts = event.attempt
        if not self.is_open:
            self._end(event.basis, event.recorded_at)
            return
        self.watched_by = Trace(event.correlation_id, event.ref)
        if self.state is JobState.REPLICATING:
            self.resumed_at = event.recorded_at

    def _evolve_revised(self, event: OutcomeRevised) -> None:
        self._assign_reading(event.observation)
        self.decision = LastDecision(
            outcome=OUTCOME_BEFORE[event.to_state].value,
            rule="outcome-revised",
            basis=Basis.OBSERVED.value,
            reason=event.reason,
            decided_at=event.recorded_at,
        )
        if not self.is_open:
            self._end(Basis.OBSERVED, event.recorded_at)
            return
        self.outcome_basis, self.ended_at = None, None
        if event.observation.progress_percent is None:
            self.progress_percent = self.seen_percent
        self.watched_by = Trace(event.correlation_id, event.ref)

    def _evolve_operator(self, event: OperatorDecided) -> None:
        self.decision = LastDecision(
            outcome=event.outcome.value,
            rule="operator",
            basis=None,
            reason=event.why,
            decided_at=event.recorded_at,
            who=event.who,
        )
        self.contradicted = False
        self._end(None, event.recorded_at)

    def _waited(self) -> float:
        """Return the seconds for which the job had waited already, before our own restart as well."""
        return self.decision.unheard_for if self.decision is not None and self.decision.is_retry else 0.0

    def _evolve_movement(self, event: JobStalled | JobMovedAgain) -> None:
        if isinstance(event, JobStalled):
            self.stalled_since = event.since
        else:
            self.stalled_since, self.moved_at = None, event.recorded_at

    def _end(self, basis: Basis | None, at: datetime) -> None:
        self.outcome_basis, self.ended_at, self.stalled_since = basis, at, None
        if self.state is JobState.COMPLETED:
            self.progress_percent = 100.0


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


def _next_state(state: JobState, event: Event) -> JobState:
    transition = transition_of(event)
    return state if transition is None else state_after(state, transition)


def state_said_by(observation: Observation) -> JobState | None:
    """Return the state that a replicating job has after the VMA's statement; None if that is not conclusive."""
    return TRANSITIONS[JobState.REPLICATING, _observed_transition(observation)] if observation.conclusive else None


def _observed_transition(observation: Observation) -> str:
    """Name the transition: only a conclusive outcome ends a job, a doubtful one is progress."""
    ends = observation.conclusive and observation.status in ENDS
    return f"observe_{observation.status.value}" if ends else "observe_progress"
