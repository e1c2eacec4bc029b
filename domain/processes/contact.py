"""Contact with the VMAs: every question goes through here, so that each VMA is known as a whole.

Two things can only be seen over many jobs: that a VMA is down (and when it is back), and that it has forgotten
its jobs. The VMA keeps everything in memory; after its restart every id is unknown until each worker's next
update, and its reported uptime cannot be trusted, so a restart shows only in how many jobs it does not know.
"""

from collections.abc import Callable

from domain.ports import VMA, Clock, ProbeTarget
from domain.recovery_policy import Amnesia, Policy, Rule
from domain.replication_job import ReplicationJob
from domain.vma_status import Observation, VMAStatus

DOWN_AFTER = 3
"""Unreachable answers in a row, with none in between, after which a VMA counts as down."""


class _Memory:
    """What one VMA last said of each open job, and what follows from it."""

    def __init__(self) -> None:
        self.found: set[str] = set()
        self.not_found: set[str] = set()
        self.returned: set[str] = set()
        self.unreachable_in_a_row = 0
        self.amnesia: Amnesia | None = None

    def heard_of(self, job_id: str) -> None:
        came_back = job_id in self.not_found or job_id in self.returned
        self.forget(job_id)
        (self.returned if came_back else self.found).add(job_id)

    def not_heard_of(self, job_id: str) -> None:
        self.forget(job_id)
        self.not_found.add(job_id)

    def forget(self, job_id: str) -> None:
        for group in (self.found, self.not_found, self.returned):
            group.discard(job_id)

    def census(self) -> tuple[int, int]:
        """How many jobs were not found, and of how many. One that came back had been forgotten, too."""
        if not self.not_found:
            self.found |= self.returned
            self.returned.clear()
        missing = len(self.not_found) + len(self.returned)
        return missing, missing + len(self.found)

    @property
    def is_down(self) -> bool:
        return self.unreachable_in_a_row >= DOWN_AFTER


class Contact:
    """Asks the VMAs, and remembers per VMA what only shows over many jobs."""

    def __init__(self, vma: VMA, clock: Clock, policy: Policy) -> None:
        """Wrap the VMA port."""
        self._vma = vma
        self._clock = clock
        self._policy = policy
        self._memories: dict[str, _Memory] = {}
        self._on_back: list[Callable[[str], None]] = []

    def on_back(self, listener: Callable[[str], None]) -> None:
        """Have `listener` told the name of a VMA that answers again after it was down."""
        self._on_back.append(listener)

    async def ask(self, job: ReplicationJob) -> Observation:
        """Ask the job's VMA for it, and learn from the answer about the VMA itself.

        Raises:
            CouldNotAsk: this machine has no means to ask now.

        """
        target = ProbeTarget(job.id, job.vma, job.volume_ids, job.left_over)
        observation = await self._vma.probe(target)
        self._learn(job, observation)
        return observation

    def is_down(self, vma: str) -> bool:
        """Whether the VMA has been unreachable for all of the last questions."""
        return self._memory(vma).is_down

    def restore(self, job: ReplicationJob) -> None:
        """Take over from a job's events that its VMA had forgotten its jobs, after our own restart."""
        amnesia = _standing_amnesia(job)
        memory = self._memory(job.vma)
        if amnesia and (memory.amnesia is None or memory.amnesia.since < amnesia.since):
            memory.amnesia = amnesia

    def forget(self, job: ReplicationJob) -> None:
        """Leave a job that has ended out of the count."""
        self._memory(job.vma).forget(job.id)

    def amnesia_for(self, job: ReplicationJob) -> Amnesia | None:
        """Return the VMA's amnesia, if the job may have been forgotten in it.

        A job that was heard of since then is not affected. One that was judged under an earlier amnesia stays
        under it, so that it ends after the unreachable timeout whatever else the VMA forgets.

        The count is taken now, not as answers come in: the first ten jobs of a hundred may all be the lost ones.
        """
        contact = job.last_contact_at or job.registered_at or self._clock.now()
        for amnesia in (_standing_amnesia(job), self._memory(job.vma).amnesia):
            if amnesia is not None and contact <= amnesia.since:
                return amnesia
        return self._take_census(job)

    def _learn(self, job: ReplicationJob, observation: Observation) -> None:
        memory = self._memory(job.vma)
        if observation.status is VMAStatus.UNREACHABLE:
            memory.unreachable_in_a_row += 1
            return
        was_down, memory.unreachable_in_a_row = memory.is_down, 0
        if was_down:
            for listener in self._on_back:
                listener(job.vma)
        if job.is_open:
            self._count(memory, job, observation)

    def _count(self, memory: _Memory, job: ReplicationJob, observation: Observation) -> None:
        if observation.status is not VMAStatus.NOT_FOUND:
            memory.heard_of(job.id)
        elif self._is_starting(job):
            memory.forget(job.id)
        else:
            memory.not_heard_of(job.id)

    def _take_census(self, job: ReplicationJob) -> Amnesia | None:
        memory, policy = self._memory(job.vma), self._policy
        missing, asked = memory.census()
        if job.id not in memory.not_found:
            return None
        if missing < policy.amnesia_at_least or missing <= policy.amnesia_share * asked:
            return None
        memory.amnesia = Amnesia(since=self._clock.now(), not_found=missing, asked=asked)
        return memory.amnesia

    def _is_starting(self, job: ReplicationJob) -> bool:
        """A job that the VMA has not known yet cannot have been forgotten."""
        age = (self._clock.now() - job.registered_at).total_seconds() if job.registered_at else 0.0
        return not job.seen_on_vma and age <= self._policy.startup_grace

    def _memory(self, vma: str) -> _Memory:
        return self._memories.setdefault(vma, _Memory())


def _standing_amnesia(job: ReplicationJob) -> Amnesia | None:
    decision = job.decision
    if decision is None or decision.rule != Rule.VMA_AMNESIA.value:
        return None
    return decision.amnesia
