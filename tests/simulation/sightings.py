"""What the service was answered about each job, beside the true restarts of its VMA.

It tells apart a job that its VMA forgot by a restart, or lost while it was unreachable, from one that vanished alone.
"""

from collections import defaultdict
from collections.abc import Mapping

import msgspec

from domain.events import Event, OutcomeRevised, VMAStatusObserved
from domain.replication_job import ReplicationJob
from domain.vma_status import Observation, VMAStatus
from tests.simulation.ground_truth import GroundTruth

MANY = 3


class Sighting(msgspec.Struct):
    """The answers about a job since its VMA last knew it, in virtual seconds.

    `unreachable`: when the VMA last was, before it did not know the job; `is_in_log`: whether the log tells that.
    `forgotten`: whether the last answer showed that the VMA restarted meanwhile, and forgot most of its jobs.
    """

    vma: str
    first_found: float
    found: float
    unreachable: float | None = None
    is_in_log: bool = False
    missing: float | None = None
    forgotten: bool = False


class Sightings:
    """The answers about all jobs, as far as the present process of the service can know them."""

    def __init__(self, ground_truth: GroundTruth, jobs: Mapping[str, ReplicationJob]) -> None:
        self._ground_truth = ground_truth
        self._jobs = jobs
        self.by_several = False
        """Whether several instances ask: what an earlier owner knew of an outage is in the log, and not here."""
        self._seen: dict[str, Sighting] = {}
        self._lost: defaultdict[str, set[str]] = defaultdict(set)
        """The jobs that each VMA did not know any more."""
        self._lost_in_an_outage: defaultdict[str, list[float]] = defaultdict(list)

    def observed(self, observation: Observation) -> None:
        """Record an answer about an open job."""
        job = self._jobs.get(observation.job_id)
        if job is None or not job.is_open:
            return
        now, seen = self._ground_truth.now(), self._seen.get(job.id)
        if observation.is_contact:
            first = now if seen is None else seen.first_found
            # The log tells an outage until this answer is stored.
            self._seen[job.id] = Sighting(job.vma, first, now, is_in_log=seen is not None and seen.is_in_log)
        elif seen is not None and observation.status is VMAStatus.UNREACHABLE and seen.missing is None:
            seen.unreachable = now
        elif seen is not None and observation.status is VMAStatus.NOT_FOUND:
            self._missed(job.id, seen, now)

    def committed(self, event: Event) -> None:
        """Record what the next process knows from the log."""
        seen = self._seen.get(event.originator_id)
        match event:
            case OutcomeRevised():
                self._seen.pop(event.originator_id, None)
            case VMAStatusObserved() if seen is not None and event.observation.from_vma:
                is_outage = event.observation.status is VMAStatus.UNREACHABLE and seen.missing is None
                seen.is_in_log = (seen.is_in_log or is_outage) and not event.observation.is_contact
            case _:
                pass

    def restarted(self, vma: str | None = None) -> None:
        """Forget what only the last process knew, or the last owner of a VMA."""
        now = self._ground_truth.now()
        for seen in self._seen.values():
            if vma not in (None, seen.vma):
                continue
            seen.unreachable, seen.missing, seen.forgotten = now if seen.is_in_log else None, None, False

    def is_forgotten(self, job_id: str) -> bool:
        """Return whether the job's VMA plainly forgot it, by a true restart in an outage that the service saw."""
        return job_id in self._seen and self._seen[job_id].forgotten

    def may_be_forgotten(self, job_id: str) -> bool:
        """Return whether its VMA has restarted since it knew the job, lost a job in an outage, or lost many."""
        if self.by_several:
            return True
        vma, since = self._jobs[job_id].vma, self._seen[job_id].first_found if job_id in self._seen else 0.0
        times = [*self._ground_truth.restarts[vma], *self._lost_in_an_outage[vma]]
        return any(at >= since for at in times) or len(self._lost[vma]) >= MANY

    def _missed(self, job_id: str, seen: Sighting, now: float) -> None:
        if seen.missing is None:
            seen.missing = now
            self._lost[seen.vma].add(job_id)
        if seen.unreachable is not None:
            self._lost_in_an_outage[seen.vma].append(now)
            restarted = any(seen.found <= at <= seen.missing for at in self._ground_truth.restarts[seen.vma])
            seen.forgotten = restarted and self._most_are_missing(seen, seen.unreachable)

    def _most_are_missing(self, lost: Sighting, outage: float) -> bool:
        """Return whether the VMA misses more jobs since it knew this one than it knows from before the outage."""
        same = [seen for job_id, seen in self._seen.items() if seen.vma == lost.vma and self._jobs[job_id].is_open]
        missing = sum(seen.missing is not None and seen.missing > lost.found for seen in same)
        return missing > sum(seen.first_found < outage < seen.found for seen in same)
