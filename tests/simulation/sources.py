"""The four sources of an outcome, each judged by the simulated truth at the moment of the outcome.

An outcome comes from the VMA's statement about the job's own worker, from an operator, from a VMA that knew the job and
says that it does not, or from a VMA that as a whole did not answer while it was asked. From nothing else.
"""

from collections.abc import Mapping

from domain.events import Event, OutcomeConfirmed, OutcomeRevised, RecoveryDecided, VMAStatusObserved
from domain.lifecycle import JobState
from domain.recovery_policy import Basis, Outcome, Rule
from domain.replication_job import ReplicationJob
from domain.transitions import reported_state
from tests.simulation.truth import Reality
from tests.simulation.violation import insist

ENDED = {JobState.COMPLETED, JobState.FAILED}
ENDS = {Outcome.COMPLETE: JobState.COMPLETED, Outcome.FAIL: JobState.FAILED}
MANY = 3


class Sources:
    """Looks at every event that calls a job completed or failed."""

    def __init__(self, reality: Reality, jobs: Mapping[str, ReplicationJob]) -> None:
        self._reality = reality
        self._jobs = jobs

    def look_at(self, event: Event) -> None:
        """See that the outcome has a source; `jobs` are as they were before the event."""
        match event:
            case VMAStatusObserved() if self._jobs[event.originator_id].state is JobState.REPLICATING:
                said = reported_state(event.observation)
                self._is_true(event, said if said in ENDED else None)
            case OutcomeRevised():
                self._is_true(event, event.to_state)
            case OutcomeConfirmed():
                self._is_true(event, self._jobs[event.originator_id].state)
            case RecoveryDecided() if event.outcome in ENDS and event.basis is Basis.OBSERVED:
                self._is_true(event, ENDS[event.outcome])
            case RecoveryDecided() if event.outcome in ENDS:
                self._guess(event)
            case _:
                pass

    def _is_true(self, event: Event, state: JobState | None) -> None:
        if state is None:
            return
        ever = self._reality.ever(event.originator_id)
        truly = "running" if state is JobState.REPLICATING else state.value
        insist(truly in ever, f"{event.ref}: {event.originator_id} is {truly} by observation, and was only ever {ever}")

    def _guess(self, event: RecoveryDecided) -> None:
        job_id = event.originator_id
        match event.rule:
            case Rule.UNREACHABLE_TOO_LONG:
                self._was_asked_in_vain(event)
            case Rule.GONE_NEAR_END:
                insist(self._reality.was_near_its_end(job_id), f"{event.ref}: {job_id} was never near its end")
                self._is_gone(event)
            case Rule.LOST:
                self._is_gone(event)
            case Rule.COMPLETED_WHILE_AWAY:
                self._said_completed(event)
            case _:
                insist(holds=False, wrong=f"{event.ref}: no outcome may come from {event.rule.value}")

    def _was_asked_in_vain(self, event: RecoveryDecided) -> None:
        job = self._reality.jobs[event.originator_id]
        ever_known = self._jobs[event.originator_id].seen_on_vma
        wrong = ever_known and job.vma in self._reality.wrong_sites
        insist(not wrong, f"{event.ref}: {job.vma} was asked at a wrong address")
        asked = self._reality.asked_in_vain_for(job.vma)
        grace = event.policy.unreachable_grace
        insist(asked >= grace, f"{event.ref}: {job.vma} was asked in vain for {asked:.2f} s, not {grace:g} s")

    def _is_gone(self, event: RecoveryDecided) -> None:
        job_id = event.originator_id
        job, truly = self._reality.jobs[job_id], self._reality.state(job_id)
        insist(job.vma not in self._reality.wrong_sites, f"{event.ref}: {job.vma} was asked at a wrong address")
        insist(not self._reality.has_just_reported(job_id), f"{event.ref}: the worker of {job_id} has just reported")
        if truly == "running":
            insist(self._may_be_taken_for_lost(job_id), f"{event.ref}: {job_id} runs, and is called {event.rule.value}")
        insist(truly != "waiting", f"{event.ref}: {job_id} has not begun, and is called {event.rule.value}")

    def _may_be_taken_for_lost(self, job_id: str) -> bool:
        """A VMA that has forgotten few jobs for long cannot be told from one that has lost them."""
        job = self._reality.jobs[job_id]
        same = [other for other in self._jobs.values() if other.vma == job.vma]
        others = [other for other in same if other.is_open and other.seen_on_vma]
        forgotten = sum(self._reality.is_forgotten(other.id) for other in others)
        plainly = forgotten >= MANY and forgotten > len(others) / 2
        return self._reality.is_forgotten(job_id) and not plainly

    def _said_completed(self, event: RecoveryDecided) -> None:
        """A worker that stops between two disks, or an earlier one that nobody knows, cannot be told from this one."""
        job_id = event.originator_id
        job, ever = self._reality.jobs[job_id], self._reality.ever(job_id)
        stopped = self._reality.state(job_id) == "gone" or job_id in self._reality.frozen
        insist(
            "completed" in ever or stopped or job.may_be_completed_by_another,
            f"{event.ref}: {job_id} was only ever {ever}",
        )
