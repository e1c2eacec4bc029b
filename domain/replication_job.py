"""The replication job: the commands on one job of one VM, from registration to its outcome.

Each command checks, decides and records; `job_state` has the state that its events lead to.
"""

from collections.abc import Callable, Container
from datetime import datetime
from typing import ClassVar

import msgspec

from domain.attribution import InitialReadings, PreviousReading, as_previous, unobserved
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
from domain.evidence import Circumstances, DiskProgress, Evidence
from domain.job_state import JobFields
from domain.lifecycle import JobState
from domain.ports import ProbeTarget
from domain.recovery_policy import Basis, Decision, Outcome, Policy, decide
from domain.transitions import reported_state
from domain.vma_status import Observation, VMAStatus

NO_READINGS = InitialReadings()


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """The request to register a job; progress in percent, if it is known."""

    job_id: str
    vm_name: str
    vm_context_id: str
    volume_ids: tuple[str, ...]
    vma: str
    progress_percent: float = 0.0


class ReplicationJob(JobFields, kw_only=True):
    """One replication job and its commands."""

    kind: ClassVar[str] = "replication-job"
    begins_with: ClassVar[type[Event]] = JobRegistered

    def register(
        self, asked: Registration, at: datetime, trace: Trace, readings: InitialReadings = NO_READINGS
    ) -> None:
        """Register the job. The caller has checked that its id, its VM context and its volumes are free."""
        content = msgspec.structs.asdict(asked)
        del content["job_id"]
        self.record(JobRegistered, at, trace, **content, **msgspec.structs.asdict(readings))

    def target_at(self, address: str | None) -> ProbeTarget:
        """Return what must be known of the job to ask its VMA at that address.

        What the VMA had at another address tells nothing about what it has there: another VMA may have the end of an
        earlier job of the volumes.
        """
        was_asked_elsewhere = not self.seen_on_vma and self.vma_address != address
        is_elsewhere = was_asked_elsewhere or self.was_seen_elsewhere(address)
        unasked = frozenset(self.volume_ids if is_elsewhere else self.unasked)
        # Of a job that was seen, what was never observed is of no account any more: its own worker has written.
        previous = self.readings.elsewhere(self.unseen) if was_asked_elsewhere else self.previous_readings
        reused = frozenset(self.volume_ids if is_elsewhere else self.reused)
        seen = frozenset(self.disks)
        return ProbeTarget(self.id, self.vma, self.volume_ids, address, previous, unasked, seen, reused)

    def last_reading(self, volume_id: str) -> PreviousReading:
        """Return the last reading of this job's worker on the volume's export, for the volume's next job."""
        own, given_up = self.disks.get(volume_id), self.outcome_basis is not Basis.OBSERVED
        if own is None:
            # If one disk of a job fails, its worker copies the others on.
            goes_on = given_up or (self.state is JobState.FAILED and len(self.volume_ids) > 1)
            may_run = goes_on and self.vma_status not in {None, VMAStatus.NOT_FOUND}
            return msgspec.structs.replace(unobserved(volume_id), alive=True if may_run else None)
        one_disk = len(self.volume_ids) == 1 or len(self.disks) > 1
        # A worker's own report has no start time, and its figures are not exactly those of the VMA's document.
        has_figures = own.started is not None
        last = as_previous(own, None) if has_figures else PreviousReading(volume_id=volume_id, status=own.status)
        return msgspec.structs.replace(last, one_disk=one_disk, alive=True if given_up and not one_disk else None)

    def is_same_registration(self, asked: Registration) -> bool:
        """Return whether a registration has the content of this job, so that it is harmless to repeat."""
        return asked == Registration(
            job_id=self.id,
            vm_name=self.vm_name,
            vm_context_id=self.vm_context_id,
            volume_ids=self.volume_ids,
            vma=self.vma,
            progress_percent=self.registered_percent,
        )

    def observe(self, observation: Observation, at: datetime, trace: Trace | None = None) -> None:
        """Record an observation by polling, or a worker's report. A conclusive end ends the job, nothing else does.

        Raises:
            IllegalTransition: a recovery run is deciding the job, or it waits for a retry and this is no end.

        """
        if self.state is JobState.RECOVERING:
            raise IllegalTransition(self.id, self.state.value, "an observation outside its recovery run")
        recorded = observation.for_log(raw=not observation.conclusive)
        self.record(VMAStatusObserved, at, trace or self.watched_by, observation=recorded)

    def mark_stalled(self, since: datetime, at: datetime) -> None:
        """Record that a job which the VMA reports as running has no progress. Safe to repeat."""
        if self.state is JobState.REPLICATING and self.stalled_since is None:
            stalled = {"since": since, "stalled_for": (at - since).total_seconds()}
            figures = {"progress_percent": self.progress_percent, "phase": self.phase}
            self.record(JobStalled, at, self.watched_by, **stalled, **figures)

    def mark_moving(self, observation: Observation, at: datetime) -> None:
        """Record that a stalled job has progress again. Safe to repeat."""
        if self.stalled_since is not None and self.state is JobState.REPLICATING:
            self.record(JobMovedAgain, at, self.watched_by, progress_percent=observation.progress_percent)

    def begin_recovery(self, run_id: str, cause: Cause, at: datetime, causation_id: str) -> None:
        """Record that a recovery run begins with the job, also with one that a crash left in `recovering`.

        Safe to repeat: a run that could not store its decision begins again, and the job was found as it was before. So
        does a run whose decision is stored although its write reported an error.
        """
        if self._decision_of(run_id) or (self.state is JobState.RECOVERING and self.run_id == run_id):
            return
        trace = Trace(run_id, causation_id)
        self.record(RecoveryStarted, at, trace, run_id=run_id, cause=cause, from_state=self.state)

    def recover(  # noqa: PLR0913 - what a decision is made from
        self,
        run_id: str,
        observation: Observation,
        circumstances: Circumstances,
        policy: Policy,
        backoff: Callable[[int], float],
        at: datetime,
    ) -> Decision | None:
        """Record an observation and, if it is sufficient, a decision; return that, or None to ask again.

        Safe to repeat: a run that has decided the job returns that decision, and records nothing.
        """
        if (made := self._decision_of(run_id)) is not None:
            return made
        evidence = self.evidence(observation.for_log(raw=True), circumstances, at)
        return self._decide(run_id, evidence, policy, backoff, Trace(run_id, self.last_ref))

    def recover_by_report(  # noqa: PLR0913 - what a decision is made from
        self,
        observation: Observation,
        circumstances: Circumstances,
        policy: Policy,
        backoff: Callable[[int], float],
        at: datetime,
        trace: Trace,
    ) -> None:
        """Record a worker's report as what the present recovery run decides by; `trace` is the request.

        Raises:
            IllegalTransition: no run is deciding the job.

        """
        if self.state is not JobState.RECOVERING or self.run_id is None:
            raise IllegalTransition(self.id, self.state.value, "recovery by its worker's report")
        evidence = self.evidence(observation.for_log(raw=True), circumstances, at)
        self._decide(self.run_id, evidence, policy, backoff, trace)

    def _decide(
        self, run_id: str, evidence: Evidence, policy: Policy, backoff: Callable[[int], float], trace: Trace
    ) -> Decision | None:
        at = evidence.decided_at
        self.record(VMAStatusObserved, at, trace, observation=evidence.observation, run_id=run_id)
        decision = decide(evidence, policy)
        if decision is not None:
            attempt = self.attempts + 1 if decision.outcome is Outcome.RETRY else 0
            self.record(
                RecoveryDecided,
                at,
                Trace(run_id, self.last_ref),
                **msgspec.structs.asdict(decision),
                run_id=run_id,
                evidence=evidence,
                policy=policy,
                policy_hash=policy.hash,
                attempt=attempt,
                retry_in=backoff(attempt) if attempt else None,
            )
        return decision

    def _decision_of(self, run_id: str) -> Decision | None:
        """Return what a run has decided about the job; None if it has not, or if another decision followed."""
        return self.decision.by_recovery if self.decision and self.decision.run_id == run_id else None

    def revise(
        self,
        observation: Observation,
        newer_job: str | None,
        at: datetime,
        trace: Trace | None = None,
        *,
        taken: Container[str] = (),
    ) -> None:
        """Confirm, revise or mark as contradicted an inferred outcome, by what is reported now.

        `trace` is the request of a worker's report; None for reconciliation, which the inference itself began.
        `taken` are the volumes that have a newer job: what their exports have is that job's by now.
        Only a conclusive observation counts. An observed outcome, or an operator's, is final.
        """
        target = reported_state(observation)
        if not self.is_guess or target is None or observation.is_only_of(taken):
            return
        if target is self.state and newer_job is not None:
            # The exports may be the newer job's already: the VMA may confirm that one.
            return
        trace = trace or self.watched_by
        recorded = observation.for_log(raw=True)
        reason = f"inferred {self.state.value}, but the {observation.source} says {observation.status.value}"
        if target is self.state:
            reason = f"inferred {self.state.value}, and the {observation.source} says so"
            self.record(OutcomeConfirmed, at, trace, reason=reason, observation=recorded)
        elif newer_job is not None:
            reason = f"{reason}; the VM or a disk of it has the newer job {newer_job}, so the outcome stays"
            self.record(OutcomeContradicted, at, trace, newer_job=newer_job, reason=reason, observation=recorded)
        else:
            states = {"from_state": self.state, "to_state": target}
            self.record(OutcomeRevised, at, trace, **states, reason=reason, observation=recorded)

    def operator_decide(self, outcome: Outcome, who: str, why: str, at: datetime, trace: Trace) -> None:
        """Record an operator's decision on an open job, or on an outcome that was inferred.

        Raises:
            IllegalTransition: the outcome was observed, or an operator's.

        """
        if not self.is_open and self.outcome_basis is not Basis.INFERRED:
            raise IllegalTransition(self.id, self.state.value, f"operator_{outcome.value}", self._why_final())
        self.record(OperatorDecided, at, trace, outcome=outcome, who=who, why=why)

    def _why_final(self) -> str:
        """Return since when, and by whose word, the outcome is final; it follows the job's state in a sentence."""
        if self.ended is not None and self.ended.who is not None:
            return f", as {self.ended.who} decided{_at(self.ended_at)}: what an operator decided is final"
        # Of a guess that was confirmed, `ended` is of the guess, but the last observation confirmed it.
        return f", as was reported{_at(self.last_observed_at)}: an outcome that was observed is final"

    def evidence(self, observation: Observation, circumstances: Circumstances, at: datetime) -> Evidence:
        """Return everything that a decision about this job is made from.

        During recovery, `state_before` is the state in which the run found the job.
        """
        recovering = self.state is JobState.RECOVERING
        state_before = self.found_in if recovering and self.found_in else self.state
        registered_at = self.registered_at or at
        return Evidence(
            state_before=state_before.value,
            observation=observation,
            decided_at=at,
            registered_at=registered_at,
            last_contact_at=self.last_contact_at or registered_at,
            seen_on_vma=self.seen_on_vma,
            progress_percent=self.seen_percent,
            progress_covers=self.progress_covers,
            disks=tuple(
                DiskProgress(volume_id=v, progress_percent=self.disks[v].progress_percent if v in self.disks else None)
                for v in self.volume_ids
            ),
            silence=circumstances.silence,
            contact_age=circumstances.without_contact,
            amnesia=circumstances.amnesia,
            replaced=circumstances.replaced,
            reached=circumstances.reached,
        )


def _at(time: datetime | None) -> str:
    return f" at {time:%Y-%m-%dT%H:%M:%SZ}" if time is not None else ""
