"""The replication job: one job of one VM, from registration to its outcome."""

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

import msgspec

from domain.aggregate import Aggregate
from domain.errors import IllegalTransition
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
from domain.lifecycle import OPEN_STATES, JobState, step
from domain.recovery_policy import (
    Amnesia,
    Basis,
    Decision,
    DiskProgress,
    Evidence,
    Outcome,
    Policy,
    Silence,
    decide,
)
from domain.vma_status import CONCLUSIVE, DiskReading, Observation, VMAStatus

MATERIAL_PERCENT = 1.0
MATERIAL_SECONDS = 60.0

STATE_AFTER = {
    Outcome.RESUME: JobState.REPLICATING,
    Outcome.COMPLETE: JobState.COMPLETED,
    Outcome.FAIL: JobState.FAILED,
    Outcome.RETRY: JobState.PENDING_RETRY,
}


class LastDecision(msgspec.Struct, frozen=True, kw_only=True):
    """The last decision about the job, whoever made it (`rule` is `operator` for a person)."""

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
    who: str | None = None


class ReplicationJob(Aggregate, kw_only=True):
    """One replication job. Progress in percent, times in UTC.

    `outcome_basis` says whether a completed or failed job's outcome was observed or inferred; it is None while the
    job is open, and for an operator's decision, which is neither.
    """

    kind: ClassVar[str] = "replication-job"

    state: JobState = JobState.REPLICATING
    vm_name: str = ""
    vm_context_id: str = ""
    volume_ids: tuple[str, ...] = ()
    vma: str = ""
    registered_at: datetime | None = None
    progress_percent: float = 0.0
    progress_speaks_for: int = 0
    phase: str | None = None
    bytes_transferred: int | None = None
    total_bytes: int | None = None
    disks: dict[str, DiskReading] = {}
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
    watched_by: Trace = Trace("", "")

    @property
    def is_open(self) -> bool:
        """Whether the job is active: it occupies its VM context and somebody has to watch it."""
        return self.state in OPEN_STATES

    @property
    def is_guess(self) -> bool:
        """Whether the job's outcome was inferred from silence, and is still open to revision."""
        return self.outcome_basis is Basis.INFERRED and not self.contradicted

    # Commands: check, decide, record.

    def register(
        self,
        vm_name: str,
        vm_context_id: str,
        volume_ids: tuple[str, ...],
        vma: str,
        progress_percent: float,
        at: datetime,
        trace: Trace,
    ) -> None:
        """Put the job under watch. The caller has made sure that the id is free."""
        self.record(
            JobRegistered,
            at,
            trace,
            vm_name=vm_name,
            vm_context_id=vm_context_id,
            volume_ids=volume_ids,
            vma=vma,
            progress_percent=progress_percent,
        )

    def is_same_registration(self, vm_name: str, vm_context_id: str, volume_ids: tuple[str, ...], vma: str) -> bool:
        """Whether a registration asks for what this job already is, so that repeating it is harmless."""
        mine = (self.vm_name, self.vm_context_id, self.volume_ids, self.vma)
        return mine == (vm_name, vm_context_id, volume_ids, vma)

    def is_material(self, observation: Observation) -> bool:
        """Whether a polled observation is worth an event; what is not stays in the poller's memory.

        A long job so has hundreds of events, not tens of thousands.
        """
        if (observation.status, observation.doubtful) != (self.vma_status, self.doubtful):
            return True
        if self.last_observed_at is None or self._seconds_since_last(observation) >= MATERIAL_SECONDS:
            return True
        if observation.status not in CONCLUSIVE:
            return False
        return observation.phase != self.phase or self._progress_changed(observation)

    def observe(self, observation: Observation, at: datetime, trace: Trace | None = None) -> None:
        """Record what polling saw. A conclusive outcome ends the job; anything less leaves it replicating."""
        if self.state is JobState.RECOVERING:
            raise IllegalTransition(self.id, self.state.value, "polling (a recovery run holds the job)")
        step(self.id, self.state, _observation_event(observation))
        raw = not observation.conclusive
        recorded = observation.for_log(raw=raw)
        self.record(VMAStatusObserved, at, trace or self.watched_by, observation=recorded)

    def mark_stalled(self, since: datetime, at: datetime) -> None:
        """Note that a job which the VMA calls running does not move. Safe to repeat."""
        if self.state is not JobState.REPLICATING or self.stalled_since is not None:
            return
        self.record(
            JobStalled,
            at,
            self.watched_by,
            since=since,
            stalled_for=(at - since).total_seconds(),
            progress_percent=self.progress_percent,
            phase=self.phase,
        )

    def mark_moving(self, observation: Observation, at: datetime) -> None:
        """Note that a stalled job moves again. Safe to repeat."""
        if self.stalled_since is not None and self.state is JobState.REPLICATING:
            self.record(
                JobMovedAgain, at, self.watched_by, progress_percent=observation.progress_percent
            )

    def begin_recovery(self, run_id: str, cause: Cause, at: datetime, causation_id: str) -> None:
        """Take the job up in a recovery run; a job left in recovering by a crash is taken up again."""
        step(self.id, self.state, "begin_recovery")
        self.record(RecoveryStarted, at, Trace(run_id, causation_id), run_id=run_id, cause=cause)

    def recover(  # noqa: PLR0913 - what a decision is made from
        self,
        run_id: str,
        observation: Observation,
        silence: Silence,
        amnesia: Amnesia | None,
        policy: Policy,
        backoff: Callable[[int], float],
        at: datetime,
    ) -> Decision | None:
        """Record what the VMA said and, if that suffices, decide. Returns None if it must be asked again."""
        step(self.id, self.state, _observation_event(observation))
        evidence = self.evidence(observation.for_log(raw=True), silence, amnesia, at)
        self.record(
            VMAStatusObserved,
            at,
            Trace(run_id, self.last_ref),
            observation=evidence.observation,
            run_id=run_id,
        )
        decision = decide(evidence, policy)
        if decision is not None:
            self._record_decision(run_id, decision, evidence, policy, backoff, at)
        return decision

    def revise(self, observation: Observation, newer_job: str | None, at: datetime) -> None:
        """Set an inferred outcome against what the VMA now says itself.

        Only a conclusive word counts. An observed outcome, or an operator's, is final.
        """
        target = _state_said_by(observation)
        if not self.is_guess or target is None:
            return
        trace = Trace(self.watched_by.correlation_id, self.last_ref)
        recorded = observation.for_log(raw=True)
        reason = f"inferred {self.state.value}, but the VMA says {observation.status.value}"
        if target is self.state:
            confirmed = f"inferred {self.state.value}, and the VMA says so"
            self.record(OutcomeConfirmed, at, trace, reason=confirmed, observation=recorded)
        elif newer_job is not None:
            self.record(
                OutcomeContradicted,
                at,
                trace,
                newer_job=newer_job,
                reason=f"{reason}; the VM has the newer job {newer_job}, so nothing is revived",
                observation=recorded,
            )
        else:
            step(self.id, self.state, f"revise_to_{target.value}")
            self.record(
                OutcomeRevised,
                at,
                trace,
                from_state=self.state,
                to_state=target,
                reason=reason,
                observation=recorded,
            )

    def operator_decide(self, outcome: Outcome, who: str, why: str, at: datetime, trace: Trace) -> None:
        """Complete or fail an open job on a person's word.

        Raises:
            IllegalTransition: the job has ended already.

        """
        step(self.id, self.state, f"operator_{outcome.value}")
        self.record(OperatorDecided, at, trace, outcome=outcome, who=who, why=why)

    def evidence(
        self, observation: Observation, silence: Silence, amnesia: Amnesia | None, at: datetime
    ) -> Evidence:
        """Put together everything that a decision about this job is made from."""
        registered_at = self.registered_at or at
        readings = (self.disks.get(volume_id) for volume_id in self.volume_ids)
        return Evidence(
            state_before=self.state.value,
            observation=observation,
            decided_at=at,
            registered_at=registered_at,
            last_contact_at=self.last_contact_at or registered_at,
            seen_on_vma=self.seen_on_vma,
            progress_percent=self.progress_percent,
            progress_speaks_for=self.progress_speaks_for,
            disks=tuple(
                DiskProgress(volume_id=v, progress_percent=r.progress_percent if r else None)
                for v, r in zip(self.volume_ids, readings, strict=True)
            ),
            silence=silence,
            amnesia=amnesia,
        )

    # State mutators: only assign.

    def evolve(self, event: Event) -> None:
        """Assign what the event says."""
        match event:
            case JobRegistered():
                self._evolve_registered(event)
            case VMAStatusObserved():
                self._evolve_observed(event.observation)
            case RecoveryStarted():
                self.state = JobState.RECOVERING
                self.run_id, self.cause = event.run_id, event.cause
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
            case JobStalled():
                self.stalled_since = event.since
            case JobMovedAgain():
                self.stalled_since, self.moved_at = None, event.recorded_at
            case _:
                pass

    def _evolve_registered(self, event: JobRegistered) -> None:
        self.vm_name, self.vm_context_id = event.vm_name, event.vm_context_id
        self.volume_ids, self.vma = event.volume_ids, event.vma
        self.registered_at = self.moved_at = event.recorded_at
        self.progress_percent = event.progress_percent
        self.progress_speaks_for = len(event.volume_ids)
        # Progress that was known at registration can only have come from the VMA.
        self.seen_on_vma = event.progress_percent > 0
        self.watched_by = Trace(event.correlation_id, event.ref)

    def _evolve_observed(self, observation: Observation) -> None:
        self._assign_reading(observation)
        if self.state is JobState.REPLICATING:
            ended = _state_said_by(observation)
            if ended in {JobState.COMPLETED, JobState.FAILED}:
                self._end(ended, Basis.OBSERVED, observation.observed_at)

    def _assign_reading(self, observation: Observation) -> None:
        self.vma_status, self.doubtful = observation.status, observation.doubtful
        self.last_observed_at = observation.observed_at
        if observation.status not in CONCLUSIVE:
            return
        self.seen_on_vma = True
        self.last_contact_at = observation.observed_at
        before = self._movement()
        self.phase, self.error = observation.phase, observation.error
        if observation.progress_percent is not None:
            self.progress_percent = observation.progress_percent
            self.progress_speaks_for = observation.speaks_for
        self.bytes_transferred = observation.bytes_transferred
        self.total_bytes = observation.total_bytes
        said = {d.volume_id: d for d in observation.disks if d.status in CONCLUSIVE}
        self.disks = {**self.disks, **said}
        if self._movement() != before:
            self.moved_at = observation.observed_at

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
        )
        self.attempts = event.attempt
        state = STATE_AFTER[event.outcome]
        if state in OPEN_STATES:
            self.state = state
            self.watched_by = Trace(event.correlation_id, event.ref)
        else:
            self._end(state, event.basis, event.recorded_at)

    def _evolve_revised(self, event: OutcomeRevised) -> None:
        self._assign_reading(event.observation)
        self.decision = LastDecision(
            outcome=_outcome_of(event.to_state).value,
            rule="outcome-revised",
            basis=Basis.OBSERVED.value,
            reason=event.reason,
            decided_at=event.recorded_at,
        )
        if event.to_state is JobState.REPLICATING:
            self.state, self.outcome_basis, self.ended_at = event.to_state, None, None
            self.watched_by = Trace(event.correlation_id, event.ref)
        else:
            self._end(event.to_state, Basis.OBSERVED, event.recorded_at)

    def _evolve_operator(self, event: OperatorDecided) -> None:
        self.decision = LastDecision(
            outcome=event.outcome.value,
            rule="operator",
            basis=None,
            reason=event.why,
            decided_at=event.recorded_at,
            who=event.who,
        )
        self._end(STATE_AFTER[event.outcome], None, event.recorded_at)

    def _end(self, state: JobState, basis: Basis | None, at: datetime) -> None:
        self.state, self.outcome_basis, self.ended_at = state, basis, at
        self.stalled_since = None
        if state is JobState.COMPLETED:
            self.progress_percent = 100.0

    def _record_decision(
        self,
        run_id: str,
        decision: Decision,
        evidence: Evidence,
        policy: Policy,
        backoff: Callable[[int], float],
        at: datetime,
    ) -> None:
        retry = decision.outcome is Outcome.RETRY
        attempt = self.attempts + 1 if retry else 0
        step(self.id, self.state, f"decide_{decision.outcome.value}")
        self.record(
            RecoveryDecided,
            at,
            Trace(run_id, self.last_ref),
            run_id=run_id,
            outcome=decision.outcome,
            rule=decision.rule,
            basis=decision.basis,
            reason=decision.reason,
            evidence=evidence,
            policy=policy,
            policy_hash=policy.hash,
            attempt=attempt,
            retry_in=backoff(attempt) if retry else None,
        )

    def _movement(self) -> tuple[object, ...]:
        disks = tuple((d.bytes_transferred, d.progress_percent, d.phase) for d in self.disks.values())
        return (self.bytes_transferred, self.progress_percent, self.phase, disks)

    def _seconds_since_last(self, observation: Observation) -> float:
        last = self.last_observed_at or observation.observed_at
        return (observation.observed_at - last).total_seconds()

    def _progress_changed(self, observation: Observation) -> bool:
        if _moved(self.progress_percent, observation.progress_percent):
            return True
        return any(self._disk_changed(disk) for disk in observation.disks)

    def _disk_changed(self, now: DiskReading) -> bool:
        before = self.disks.get(now.volume_id)
        if before is None:
            return now.status in CONCLUSIVE
        if (before.status, before.phase) != (now.status, now.phase):
            return now.status in CONCLUSIVE
        return _moved(before.progress_percent, now.progress_percent)


def _moved(before: float | None, now: float | None) -> bool:
    if before is None or now is None:
        return before is None and now is not None
    return abs(now - before) >= MATERIAL_PERCENT


def _observation_event(observation: Observation) -> str:
    """Name the lifecycle's event: only a conclusive outcome ends a job, a doubtful one is progress."""
    if observation.conclusive and observation.status is not VMAStatus.RUNNING:
        return f"observe_{observation.status.value}"
    return "observe_progress"


def _state_said_by(observation: Observation) -> JobState | None:
    """Return the state that the VMA's word amounts to; None if it is not conclusive."""
    if not observation.conclusive:
        return None
    return {
        VMAStatus.RUNNING: JobState.REPLICATING,
        VMAStatus.COMPLETED: JobState.COMPLETED,
        VMAStatus.FAILED: JobState.FAILED,
    }[observation.status]


def _outcome_of(state: JobState) -> Outcome:
    return next(outcome for outcome, after in STATE_AFTER.items() if after is state)
