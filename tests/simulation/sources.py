"""Checks the four sources of an outcome by the ground truth at the moment of the outcome.

An outcome comes only from the VMA's statement about the job's own worker, from an operator, from a VMA that knew the
job and no longer does, or from a VMA that as a whole did not answer while it was asked.
"""

from collections.abc import Mapping

from domain.events import Event, OutcomeConfirmed, OutcomeRevised, RecoveryDecided, VMAStatusObserved
from domain.lifecycle import JobState
from domain.recovery_policy import Basis, Outcome, Rule
from domain.replication_job import ReplicationJob
from domain.transitions import reported_state
from domain.vma_status import VMAStatus
from tests.simulation.ground_truth import GroundTruth
from tests.simulation.sightings import MANY, Sightings
from tests.simulation.violation import require

BY_THEMSELVES = {JobState.REPLICATING, JobState.PENDING_RETRY}
"""The states in which an observation ends a job without a decision."""

ENDED = {JobState.COMPLETED, JobState.FAILED}
ENDS = {Outcome.COMPLETE: JobState.COMPLETED, Outcome.FAIL: JobState.FAILED}


class Sources:
    """Checks every event that completes or fails a job."""

    def __init__(self, ground_truth: GroundTruth, jobs: Mapping[str, ReplicationJob], sightings: Sightings) -> None:
        self._ground_truth = ground_truth
        self._sightings = sightings
        self._jobs = jobs

    def check(self, event: Event) -> None:
        """Require that the outcome has a source; `jobs` are as they were before the event."""
        match event:
            case VMAStatusObserved() if self._jobs[event.originator_id].state in BY_THEMSELVES:
                reported = reported_state(event.observation)
                self._is_true(event, reported if reported in ENDED else None)
            case OutcomeRevised():
                self._is_true(event, event.to_state)
            case OutcomeConfirmed():
                self._is_true(event, self._jobs[event.originator_id].state)
            case RecoveryDecided() if event.outcome in ENDS and event.basis is Basis.OBSERVED:
                self._is_true(event, ENDS[event.outcome])
            case RecoveryDecided() if event.outcome in ENDS:
                self._inferred(event)
            case RecoveryDecided() if event.rule is Rule.VMA_AMNESIA:
                may = self._sightings.may_be_forgotten(event.originator_id)
                require(may, f"{event.ref}: the VMA of {event.originator_id} has not forgotten its jobs")
            case _:
                pass

    def _is_true(self, event: Event, state: JobState | None) -> None:
        if state is None:
            return
        ever = self._ground_truth.ever(event.originator_id)
        truly = "running" if state is JobState.REPLICATING else state.value
        require(
            truly in ever, f"{event.ref}: {event.originator_id} is {truly} by observation, and was only ever {ever}"
        )

    def _inferred(self, event: RecoveryDecided) -> None:
        job_id = event.originator_id
        match event.rule:
            case Rule.UNREACHABLE_TOO_LONG:
                self._was_silent(event)
            case Rule.GONE_NEAR_END:
                require(self._ground_truth.was_near_its_end(job_id), f"{event.ref}: {job_id} was never near its end")
                self._is_gone(event)
            case Rule.LOST:
                self._is_gone(event)
            case Rule.COMPLETED_WHILE_AWAY:
                self._stated_completed(event)
            case _:
                require(condition=False, violation=f"{event.ref}: no outcome may come from {event.rule.value}")

    def _was_silent(self, event: RecoveryDecided) -> None:
        job = self._ground_truth.jobs[event.originator_id]
        ever_known = self._jobs[event.originator_id].seen_on_vma
        wrong = ever_known and job.vma in self._ground_truth.wrong_sites
        require(not wrong, f"{event.ref}: {job.vma} was asked at a wrong address")
        silent = self._ground_truth.silent_for(job.vma)
        grace = event.policy.unreachable_grace
        require(silent >= grace, f"{event.ref}: {job.vma} was silent for {silent:.2f} s, not {grace:g} s")

    def _is_gone(self, event: RecoveryDecided) -> None:
        job_id = event.originator_id
        job, truly = self._ground_truth.jobs[job_id], self._ground_truth.state(job_id)
        is_given_up = event.rule is Rule.LOST and event.evidence.silence.duration > event.policy.unreachable_timeout
        forgotten = self._sightings.is_forgotten(job_id) and not is_given_up
        require(not forgotten, f"{event.ref}: {job.vma} restarted in an outage, and {job_id} is {event.rule.value}")
        require(job.vma not in self._ground_truth.wrong_sites, f"{event.ref}: {job.vma} was asked at a wrong address")
        require(
            not self._ground_truth.has_just_reported(job_id), f"{event.ref}: the worker of {job_id} has just reported"
        )
        if truly == "running":
            require(self._may_be_taken_for_lost(event), f"{event.ref}: {job_id} runs, and is called {event.rule.value}")
        require(truly != "waiting", f"{event.ref}: {job_id} has not begun, and is called {event.rule.value}")

    def _may_be_taken_for_lost(self, event: RecoveryDecided) -> bool:
        """Return whether the job is one of few that its VMA had forgotten when it was asked.

        These look as if they were lost. The worker may have written again between the answer and the decision.
        """
        job = self._ground_truth.jobs[event.originator_id]
        forgotten_then = all(answer.status is VMAStatus.NOT_FOUND for answer in event.evidence.observation.answers)
        same = [other for other in self._jobs.values() if other.vma == job.vma]
        others = [other for other in same if other.is_open and other.seen_on_vma]
        forgotten = sum(self._ground_truth.is_forgotten(other.id) for other in others)
        plainly = forgotten >= MANY and forgotten > len(others) / 2
        return forgotten_then and not plainly

    def _stated_completed(self, event: RecoveryDecided) -> None:
        """Require that the worker completed, stopped between two disks, or follows an unknown one."""
        job_id = event.originator_id
        job, ever = self._ground_truth.jobs[job_id], self._ground_truth.ever(job_id)
        stopped = self._ground_truth.state(job_id) == "gone" or job_id in self._ground_truth.frozen
        require(
            "completed" in ever or stopped or job.may_be_completed_by_another,
            f"{event.ref}: {job_id} was only ever {ever}",
        )
