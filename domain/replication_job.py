"""The replication job: the commands on one job of one VM, from registration to its outcome.

Each command checks, decides and records; what the events then add up to is in `job_state`.
"""

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

import msgspec

from domain.attribution import Former, Standing, as_former
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
from domain.job_state import JobFields, state_said_by
from domain.lifecycle import JobState
from domain.ports import ProbeTarget
from domain.recovery_policy import Basis, Decision, Outcome, Policy, decide
from domain.vma_status import Observation, VMAStatus

NOTHING_STANDS = Standing()


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked when a job is registered; progress in percent, as far as it is known already."""

    job_id: str
    vm_name: str
    vm_context_id: str
    volume_ids: tuple[str, ...]
    vma: str
    progress_percent: float = 0.0


class ReplicationJob(JobFields, kw_only=True):
    """One replication job: what can be done with it."""

    kind: ClassVar[str] = "replication-job"
    begins_with: ClassVar[type[Event]] = JobRegistered

    def register(self, asked: Registration, at: datetime, trace: Trace, standing: Standing = NOTHING_STANDS) -> None:
        """Put the job under watch. The caller has made sure that its id and its volumes are free."""
        content = msgspec.structs.asdict(asked)
        del content["job_id"]
        self.record(JobRegistered, at, trace, **content, **msgspec.structs.asdict(standing))

    def target_at(self, address: str | None) -> ProbeTarget:
        """Return what has to be known of the job to ask its VMA for it there.

        What stood at another address, before the job's worker was seen, says nothing of what stands there.
        """
        elsewhere = not self.seen_on_vma and self.vma_address != address
        unasked = frozenset(self.volume_ids if elsewhere else self.unasked)
        left_over = self.left_over_elsewhere if elsewhere else self.left_over
        return ProbeTarget(self.id, self.vma, self.volume_ids, address, left_over, unasked, frozenset(self.disks))

    def left_on(self, volume_id: str) -> Former:
        """Return what the volume's export last said of this job's worker, or that nothing was heard of it."""
        own = self.disks.get(volume_id)
        if own is None:
            return Former(volume_id=volume_id, status=VMAStatus.UNANSWERED)
        one_disk = len(self.volume_ids) == 1 or len(self.disks) > 1
        # A worker's own report has no start time, and figures that are not exactly those of the VMA's document.
        left = Former(volume_id=volume_id, status=own.status) if own.started is None else as_former(own, None)
        given_up = not one_disk and self.outcome_basis is not Basis.OBSERVED
        return msgspec.structs.replace(left, one_disk=one_disk, alive=True if given_up else None)

    def is_same_registration(self, asked: Registration) -> bool:
        """Return whether a registration asks for what this job already is, so that repeating it is harmless."""
        return asked == Registration(
            job_id=self.id,
            vm_name=self.vm_name,
            vm_context_id=self.vm_context_id,
            volume_ids=self.volume_ids,
            vma=self.vma,
            progress_percent=self.registered_percent,
        )

    def observe(self, observation: Observation, at: datetime, trace: Trace | None = None) -> None:
        """Record what polling saw. A conclusive outcome ends the job; anything less leaves it replicating."""
        if self.state is JobState.RECOVERING:
            raise IllegalTransition(self.id, self.state.value, "polling (a recovery run holds the job)")
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
            self.record(JobMovedAgain, at, self.watched_by, progress_percent=observation.progress_percent)

    def begin_recovery(self, run_id: str, cause: Cause, at: datetime, causation_id: str) -> None:
        """Take the job up in a recovery run; a job left in recovering by a crash is taken up again."""
        self.record(
            RecoveryStarted,
            at,
            Trace(run_id, causation_id),
            run_id=run_id,
            cause=cause,
            from_state=self.state,
        )

    def recover(  # noqa: PLR0913 - what a decision is made from
        self,
        run_id: str,
        observation: Observation,
        circumstances: Circumstances,
        policy: Policy,
        backoff: Callable[[int], float],
        at: datetime,
    ) -> Decision | None:
        """Record what the VMA said and, if that suffices, decide. Returns None if it must be asked again."""
        evidence = self.evidence(observation.for_log(raw=True), circumstances, at)
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
        target = state_said_by(observation)
        if not self.is_guess or target is None:
            return
        trace = Trace(self.watched_by.correlation_id, self.last_ref)
        recorded = observation.for_log(raw=True)
        reason = f"inferred {self.state.value}, but the VMA says {observation.status.value}"
        if target is self.state and newer_job is not None:
            # The exports may be the newer job's by now: what they confirm is that one.
            return
        if target is self.state:
            confirmed = f"inferred {self.state.value}, and the VMA says so"
            self.record(OutcomeConfirmed, at, trace, reason=confirmed, observation=recorded)
        elif newer_job is not None:
            self.record(
                OutcomeContradicted,
                at,
                trace,
                newer_job=newer_job,
                reason=f"{reason}; the VM or a disk of it has the newer job {newer_job}, so nothing is revived",
                observation=recorded,
            )
        else:
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
        """Complete or fail an open job on a person's word, or correct an outcome that was inferred.

        Raises:
            IllegalTransition: the outcome was observed, or an operator's.

        """
        if not self.is_open and self.outcome_basis is not Basis.INFERRED:
            raise IllegalTransition(self.id, self.state.value, f"operator_{outcome.value}")
        self.record(OperatorDecided, at, trace, outcome=outcome, who=who, why=why)

    def evidence(self, observation: Observation, circumstances: Circumstances, at: datetime) -> Evidence:
        """Put together everything that a decision about this job is made from."""
        registered_at = self.registered_at or at
        readings = (self.disks.get(volume_id) for volume_id in self.volume_ids)
        return Evidence(
            state_before=self._state_before().value,
            observation=observation,
            decided_at=at,
            registered_at=registered_at,
            last_contact_at=self.last_contact_at or registered_at,
            seen_on_vma=self.seen_on_vma,
            progress_percent=self.seen_percent,
            progress_speaks_for=self.progress_speaks_for,
            disks=tuple(
                DiskProgress(volume_id=v, progress_percent=r.progress_percent if r else None)
                for v, r in zip(self.volume_ids, readings, strict=True)
            ),
            silence=circumstances.silence,
            contact_age=circumstances.without_contact,
            amnesia=circumstances.amnesia,
            replaced=circumstances.replaced,
            reached=circumstances.reached,
        )

    def _record_decision(  # noqa: PLR0913 - what a decision event holds
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

    def _state_before(self) -> JobState:
        """The state in which a recovery run found the job, while one holds it."""
        recovering = self.state is JobState.RECOVERING
        return self.found_in if recovering and self.found_in else self.state
