"""Contact with the VMAs: every question goes through here, so that each job's silence and each VMA is known.

Three things can only be seen over many jobs: that a VMA is down (and when it is back), that it has forgotten its jobs,
and that another VMA answers at its address. The VMA keeps everything in memory; after its restart every id is unknown
until each worker's next update, and its reported uptime cannot be trusted, so a restart shows only in how many jobs it
does not know.
"""

from collections.abc import Callable

import msgspec

from domain.evidence import Amnesia, Circumstances, Silence
from domain.observing import probe
from domain.ports import VMA, Clock, ProbeTarget
from domain.recovery_policy import Policy
from domain.replication_job import ReplicationJob
from domain.silences import Silences
from domain.vma_status import Observation, VMAStatus

REPORT_COUNTS_FOR = 30.0
"""Seconds for which a worker's own report outweighs a VMA that knows nothing of the job; workers report every few."""

NOT_ASKED_YET = Silence(status=VMAStatus.UNANSWERED, held_for=0.0, probes=0)


class _Memory:
    """What one VMA last said of each open job, and what follows from it."""

    def __init__(self) -> None:
        self.found: set[str] = set()
        self.not_found: set[str] = set()
        self.amnesia: Amnesia | None = None
        self.is_down = self.has_answered = False
        self.recognised_at: str | None = None

    def heard_of(self, job_id: str) -> None:
        self.forget(job_id)
        self.found.add(job_id)

    def not_heard_of(self, job_id: str) -> None:
        self.found.discard(job_id)
        self.not_found.add(job_id)

    def forget(self, job_id: str) -> None:
        """Leave a job out; once none is missing any more, the amnesia is over."""
        self.found.discard(job_id)
        self.not_found.discard(job_id)
        if not self.not_found:
            self.amnesia = None


class Contact:
    """Asks the VMAs, and remembers of each job and each VMA what a decision needs beside the answer."""

    def __init__(self, vma: VMA, clock: Clock, policy: Policy, silences: Silences) -> None:
        """Wrap the VMA port."""
        self._vma = vma
        self._clock = clock
        self._policy = policy
        self._silences = silences
        self._memories: dict[str, _Memory] = {}
        self._silent: dict[str, Silence] = {}
        self._reports: dict[str, tuple[float, Observation]] = {}
        self._on_observed: list[Callable[[Observation], None]] = []
        self._on_back: list[Callable[[str], None]] = []
        self._on_missing: list[Callable[[str], None]] = []

    def on_observed(self, listener: Callable[[Observation], None]) -> None:
        """Have `listener` told every observation."""
        self._on_observed.append(listener)

    def on_back(self, listener: Callable[[str], None]) -> None:
        """Have `listener` told the name of a VMA that answers again after it was down."""
        self._on_back.append(listener)

    def on_missing(self, listener: Callable[[str], None]) -> None:
        """Have `listener` told the name of a VMA that does not know one of its jobs any more, while it knew all others.

        Whether it forgot them all shows only if all are asked about, also those that wait for their next retry.
        """
        self._on_missing.append(listener)

    async def ask(self, job: ReplicationJob) -> Observation:
        """Ask the job's VMA for it, and learn from the answer about the job's silence and the VMA itself.

        While the worker itself reports, its report stands where the VMA has nothing conclusive to say.
        """
        seen = await self._probe(job.target_at(self._vma.address_of(job.vma)))
        self._learn(job, seen)
        reported = self._fresh_report(job.id)
        if reported is not None and not seen.conclusive:
            answers = (*reported.answers, *seen.answers)
            seen = msgspec.structs.replace(reported, observed_at=seen.observed_at, answers=answers)
        self._silent[job.id] = self._silences.heard(job, seen)
        return seen

    def reported(self, job: ReplicationJob, observation: Observation) -> None:
        """Take a worker's own report: it is contact, too."""
        self._reports[job.id] = (self._clock.monotonic(), observation)
        self._silent[job.id] = self._silences.heard(job, observation)

    async def look(self, job_id: str, vma: str, volume_ids: tuple[str, ...]) -> Observation:
        """Ask what a VMA has for a job that is yet to be registered; nothing is learnt from it."""
        return await self._probe(ProbeTarget(job_id, vma, volume_ids, self._vma.address_of(vma)))

    def circumstances(self, job: ReplicationJob) -> Circumstances:
        """Return what is known beside the last answer about the job."""
        return Circumstances(
            silence=self._silent.get(job.id, NOT_ASKED_YET),
            without_contact=self._silences.without_contact(job),
            amnesia=self._amnesia_for(job),
            replaced=self._is_replaced(job),
            reached=job.vma_address == self._vma.address_of(job.vma) or self._memory(job.vma).has_answered,
        )

    def knows(self, vma: str) -> bool:
        """Return whether the VMA is in the settings."""
        return self._vma.address_of(vma) is not None

    def is_down(self, vma: str) -> bool:
        """Return whether the VMA as a whole was unreachable when it was last asked."""
        return self._memory(vma).is_down

    def restore(self, job: ReplicationJob) -> None:
        """Take over from a job's events that its VMA had forgotten its jobs, after our own restart."""
        if job.decision is not None and job.decision.amnesia is not None:
            memory = self._memory(job.vma)
            memory.not_heard_of(job.id)
            memory.amnesia = job.decision.amnesia

    def forget(self, job: ReplicationJob) -> None:
        """Leave a job that has ended."""
        self._memory(job.vma).forget(job.id)
        self._silences.forget(job.id)
        self._silent.pop(job.id, None)
        self._reports.pop(job.id, None)

    async def _probe(self, target: ProbeTarget) -> Observation:
        seen = await probe(self._vma, self._clock, target)
        for listener in self._on_observed:
            listener(seen)
        return seen

    def _fresh_report(self, job_id: str) -> Observation | None:
        at, observation = self._reports.get(job_id, (float("-inf"), None))
        return observation if self._clock.monotonic() - at <= REPORT_COUNTS_FOR else None

    def _learn(self, job: ReplicationJob, seen: Observation) -> None:
        """Learn of the VMA as a whole, from what it said itself: a worker's report does not speak for it."""
        memory = self._memory(job.vma)
        if seen.status is VMAStatus.NOT_ASKED:
            return
        was_down, memory.is_down = memory.is_down, seen.status is VMAStatus.UNREACHABLE
        if memory.is_down:
            return
        memory.has_answered = True
        if seen.is_contact and job.seen_on_vma and job.vma_address not in {None, seen.address}:
            memory.recognised_at = seen.address
        missed_none = not memory.not_found
        if job.is_open:
            self._count(memory, job, seen)
        for listener in self._on_back if was_down else ():
            listener(job.vma)
        for listener in self._on_missing if missed_none and memory.not_found else ():
            listener(job.vma)

    def _count(self, memory: _Memory, job: ReplicationJob, seen: Observation) -> None:
        """Count the job in; one that the VMA has never known cannot have been forgotten.

        An answer that is none about the job leaves it as it was.
        """
        if seen.is_contact:
            memory.heard_of(job.id)
        elif seen.status is VMAStatus.NOT_FOUND and job.seen_on_vma:
            memory.not_heard_of(job.id)

    def _amnesia_for(self, job: ReplicationJob) -> Amnesia | None:
        """Return the VMA's amnesia, if the job may have been forgotten in it.

        It lasts until no job is missing any more: workers announce themselves one after the other. It is judged from
        a job's second probe on: the first ten jobs of a hundred may all be the lost ones, and by then the others have
        been asked about, too.
        """
        memory, policy = self._memory(job.vma), self._policy
        missing, asked = len(memory.not_found), len(memory.not_found) + len(memory.found)
        if job.id not in memory.not_found:
            return None
        others_asked = self._silent.get(job.id, NOT_ASKED_YET).probes >= min(2, policy.confirmation_probes)
        if others_asked and missing >= policy.amnesia_at_least and missing > policy.amnesia_share * asked:
            since = memory.amnesia.since if memory.amnesia is not None else self._clock.now()
            memory.amnesia = Amnesia(since=since, not_found=missing, asked=asked)
        return memory.amnesia

    def _is_replaced(self, job: ReplicationJob) -> bool:
        address = self._vma.address_of(job.vma)
        was_elsewhere = job.seen_on_vma and job.vma_address not in {None, address}
        return was_elsewhere and self._memory(job.vma).recognised_at != address

    def _memory(self, vma: str) -> _Memory:
        return self._memories.setdefault(vma, _Memory())
