"""The state of a replication job: its fields, and how each event assigns them.

Appliers only assign, so that a rule that becomes stricter never makes history unloadable.
"""

from datetime import datetime

import msgspec

from domain.aggregate import Aggregate
from domain.attribution import InitialReadings, PreviousReading, updated_readings
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
from domain.last_decision import Ending, LastDecision, decision_after, ended_by_decision, ended_by_observation
from domain.lifecycle import OPEN_STATES, JobState, check_transition
from domain.recovery_policy import Basis
from domain.transitions import next_state, transition_of
from domain.vma_status import DiskReading, Movement, Observation, VMAStatus


class JobFields(Aggregate, kw_only=True):
    """The state of one replication job. Progress in percent, times in UTC.

    `outcome_basis` tells whether a completed or failed job's outcome was observed or inferred; it is None while the
    job is open, and for an operator's decision, which is neither. `progress_covers` is the number of disks that the
    progress is of. `previous_readings` is what exports have of earlier jobs; `unasked` are the volumes of which that
    is not known, and `unseen` those with an earlier job that was not observed at registration. `reused` are all volumes
    whose export had, or may have had, a document of an earlier job. `vma_address` is where
    the VMA last knew the job or, before that, where its exports were asked. `was_unreachable`: the VMA was, after it
    last knew the job.
    """

    state: JobState = JobState.REPLICATING
    vm_name: str = ""
    vm_context_id: str = ""
    volume_ids: tuple[str, ...] = ()
    vma: str = ""
    registered_at: datetime | None = None
    progress_percent: float = 0.0
    least_percent: float | None = None
    progress_covers: int = msgspec.field(default=0, name="progress_speaks_for")
    registered_percent: float = 0.0
    phase: str | None = None
    bytes_transferred: int | None = None
    total_bytes: int | None = None
    disks: dict[str, DiskReading] = msgspec.field(default_factory=dict)
    previous_readings: tuple[PreviousReading, ...] = msgspec.field(default=(), name="left_over")
    unasked: tuple[str, ...] = ()
    unseen: tuple[str, ...] = msgspec.field(default=(), name="unheard")
    reused: tuple[str, ...] = ()
    vma_address: str | None = None
    vma_status: VMAStatus | None = None
    doubtful: bool = False
    error: str | None = None
    seen_on_vma: bool = False
    was_unreachable: bool = False
    last_contact_at: datetime | None = None
    last_observed_at: datetime | None = None
    moved_at: datetime | None = None
    stalled_since: datetime | None = None
    decision: LastDecision | None = None
    outcome_basis: Basis | None = None
    ended_at: datetime | None = None
    ended: Ending | None = None
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
        """Return whether the job is active: it occupies its VM context and needs a watcher."""
        return self.state in OPEN_STATES

    @property
    def seen_percent(self) -> float:
        """Return the last observed progress, of the least favourable disk where they were listed.

        `progress_percent` of an inferred completion is 100, which was not observed.
        """
        return self.progress_percent if self.least_percent is None else self.least_percent

    @property
    def is_guess(self) -> bool:
        """Return whether the job's outcome was inferred and can still be revised."""
        return self.outcome_basis is Basis.INFERRED and not self.contradicted

    @property
    def is_watched(self) -> bool:
        """Return whether a process asks about the job: it is open, or its outcome is a guess."""
        return self.is_open or self.is_guess

    def was_seen_elsewhere(self, address: str | None) -> bool:
        """Return whether its VMA knew the job at another address than this one."""
        return self.seen_on_vma and self.vma_address not in {None, address}

    @property
    def movement(self) -> Movement:
        """Return what changes while the job's worker is alive, as last recorded."""
        disks = {volume_id: disk.movement for volume_id, disk in self.disks.items()}
        return (self.bytes_transferred, self.progress_percent, self.phase, disks)

    @property
    def readings(self) -> InitialReadings:
        """Return what the VMA has of earlier jobs of the volumes."""
        return InitialReadings(previous_readings=self.previous_readings, unasked=self.unasked, address=self.vma_address)

    def check(self, event: Event) -> None:
        """Check that the lifecycle allows the event in the job's state.

        Raises:
            IllegalTransition: it does not.

        """
        if (transition := transition_of(event)) is not None:
            check_transition(self.id, self.state, transition)

    def evolve(self, event: Event) -> None:
        """Assign what the event states."""
        before, self.state = self.state, next_state(self.state, event)
        match event:
            case JobRegistered():
                self._evolve_registered(event)
            case VMAStatusObserved():
                self._evolve_observed(event, ended=self.state is not before)
            case RecoveryStarted():
                self.found_in, self.run_id, self.cause = event.from_state, event.run_id, event.cause
                self.recovery_began_at = event.recorded_at
            case RecoveryDecided():
                self._evolve_decided(event)
            case OutcomeRevised():
                self._evolve_revised(event)
            case OutcomeConfirmed():
                self.outcome_basis = Basis.OBSERVED
                self._assign_observation(event.observation)
            case OutcomeContradicted():
                self.contradicted = True
            case OperatorDecided():
                self.contradicted = False
                self._assign_decision(event, None)
            case JobStalled() | JobMovedAgain():
                self._evolve_movement(event)
            case _:
                pass

    def _evolve_registered(self, event: JobRegistered) -> None:
        self.vm_name, self.vm_context_id = event.vm_name, event.vm_context_id
        self.volume_ids, self.vma = event.volume_ids, event.vma
        self.registered_at = self.moved_at = event.recorded_at
        self.progress_percent = self.registered_percent = self.least_percent = event.progress_percent
        self.previous_readings, self.unasked, self.vma_address = event.previous_readings, event.unasked, event.address
        self.unseen = tuple(r.volume_id for r in event.previous_readings if r.status is VMAStatus.UNANSWERED)
        self._assign_reused()
        self.progress_covers = len(event.volume_ids)
        # Progress that was known at registration can only have come from the VMA.
        self.seen_on_vma = event.progress_percent > 0
        self.watched_by = Trace(event.correlation_id, event.ref)

    def _evolve_observed(self, event: VMAStatusObserved, *, ended: bool) -> None:
        self._assign_observation(event.observation)
        if ended:
            self._end(event, Basis.OBSERVED, ended_by_observation(event, self.state))

    def _evolve_movement(self, event: JobStalled | JobMovedAgain) -> None:
        if isinstance(event, JobStalled):
            self.stalled_since = event.since
        else:
            self.stalled_since, self.moved_at = None, event.recorded_at

    def _evolve_decided(self, event: RecoveryDecided) -> None:
        self.attempts = event.attempt
        self._assign_decision(event, event.basis)
        if self.state is JobState.REPLICATING:
            self.resumed_at = event.recorded_at

    def _evolve_revised(self, event: OutcomeRevised) -> None:
        self._assign_observation(event.observation)
        self._assign_decision(event, Basis.OBSERVED)
        if self.is_open:
            self.outcome_basis, self.ended_at, self.ended = None, None, None
            if event.observation.progress_percent is None:
                self.progress_percent = self.seen_percent

    def _assign_observation(self, observation: Observation) -> None:
        self.vma_status, self.doubtful = observation.status, observation.doubtful
        self.last_observed_at = observation.observed_at
        if observation.from_vma:
            self._assign_readings(observation)
            if observation.is_contact or observation.status is VMAStatus.UNREACHABLE:
                self.was_unreachable = not observation.is_contact
        if not observation.is_contact:
            return
        # A worker's own report does not tell whether the VMA knows the job.
        self.seen_on_vma = self.seen_on_vma or observation.from_vma
        self.last_contact_at = observation.observed_at
        self.vma_address = observation.address or self.vma_address
        before = self.movement
        self._assign_figures(observation)
        if self.movement != before:
            self.moved_at = observation.observed_at

    def _assign_readings(self, observation: Observation) -> None:
        after = updated_readings(
            self.readings, observation, self.volume_ids, self.unseen, may_move=not self.seen_on_vma
        )
        self.previous_readings, self.unasked, self.vma_address = after.previous_readings, after.unasked, after.address
        self._assign_reused()

    def _assign_reused(self) -> None:
        previous = {reading.volume_id for reading in self.previous_readings}.union(self.unasked, self.reused)
        self.reused = tuple(volume_id for volume_id in self.volume_ids if volume_id in previous)

    def _assign_figures(self, observation: Observation) -> None:
        self.phase, self.error = observation.phase or self.phase, observation.error
        if observation.progress_percent is not None:
            self.progress_percent = observation.progress_percent
            least = observation.least_percent
            self.least_percent = observation.progress_percent if least is None else least
            self.progress_covers = observation.progress_covers
        if observation.bytes_transferred is not None or observation.total_bytes is not None:
            self.bytes_transferred, self.total_bytes = observation.bytes_transferred, observation.total_bytes
        self.disks = {**self.disks, **{disk.volume_id: disk for disk in observation.disks if disk.is_statement}}

    def _assign_decision(self, event: RecoveryDecided | OutcomeRevised | OperatorDecided, basis: Basis | None) -> None:
        self.decision = decision_after(event, self.decision)
        self.watched_by = Trace(event.correlation_id, event.ref)
        if not self.is_open:
            self._end(event, basis, ended_by_decision(self.decision, event.originator_version))

    def _end(self, event: Event, basis: Basis | None, ended: Ending) -> None:
        self.outcome_basis, self.ended_at, self.ended, self.stalled_since = basis, event.recorded_at, ended, None
        if self.state is JobState.COMPLETED:
            self.progress_percent = 100.0
