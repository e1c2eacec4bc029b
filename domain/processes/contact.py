"""Contact with the VMAs: every request goes through here, so that each job's silence and each VMA's state is known.

Three things are visible only over many jobs: that a VMA is down (and when it answers again), that it has restarted, and
that another VMA answers at its address.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec

from domain.errors import JobRecoveryError
from domain.evidence import Amnesia, Circumstances, Silence
from domain.observing import probe
from domain.ports import VMA, Clock, ProbeTarget
from domain.processes.vma_memory import VMAMemory
from domain.recovery_policy import Policy
from domain.replication_job import ReplicationJob
from domain.silences import Silences
from domain.vma_status import Observation, VMAStatus

REPORT_VALID_FOR = 30.0
"""Seconds for which a worker's own report has priority over an inconclusive VMA. Workers report every few seconds."""

LOOK = 0.1
"""Seconds between two looks at the requests in progress."""

NOT_ASKED_YET = Silence(status=VMAStatus.UNANSWERED, duration=0.0, probes=0)


class _VMAState:
    """The state of one VMA as a whole, and what it knows of its open jobs."""

    def __init__(self) -> None:
        self.memory = VMAMemory()
        self.is_down = self.has_answered = False
        self.recognised_at: str | None = None


class Contact:
    """Asks the VMAs, and has what a decision needs besides the answer."""

    def __init__(
        self, vma: VMA, clock: Clock, policy: Policy, silences: Silences, may_be_open: Callable[[str], bool]
    ) -> None:
        """Ask through the VMA port; `may_be_open` returns whether a job is open now, or may be."""
        self._vma = vma
        self._may_be_open = may_be_open
        self._clock = clock
        self._policy = policy
        self._silences = silences
        self._vmas: dict[str, _VMAState] = {}
        self._silent: dict[str, Silence] = {}
        self._reports: dict[str, tuple[float, Observation]] = {}
        """The last report of each job, and when it came; infinity while it is stored."""
        self._on_observed: list[Callable[[Observation], None]] = []
        self._on_back: list[Callable[[str], None]] = []
        self._on_missing: list[Callable[[str], None]] = []
        self._asking = Counter[str]()

    def on_observed(self, listener: Callable[[Observation], None]) -> None:
        """Call `listener` with every observation."""
        self._on_observed.append(listener)

    def on_back(self, listener: Callable[[str], None]) -> None:
        """Call `listener` with the name of a VMA that answers again after it was down."""
        self._on_back.append(listener)

    def on_missing(self, listener: Callable[[str], None]) -> None:
        """Call `listener` with the name of a VMA that does not know one of its jobs, the first since it knew it.

        Whether it has restarted is visible only if all jobs are asked about, including those that wait for a retry.
        """
        self._on_missing.append(listener)

    async def ask(self, job: ReplicationJob) -> Observation:
        """Ask the job's VMA about it; record the job's silence and the VMA's state.

        If the VMA is inconclusive, a recent report of the worker counts instead.
        """
        self._asking[job.vma] += 1
        try:
            seen = await self._probe(job.target_at(self._vma.address_of(job.vma)))
        finally:
            self._asking[job.vma] -= 1
        self._record_vma(job, seen)
        reported = self._fresh_report(job.id)
        if reported is not None and not seen.conclusive:
            answers = (*reported.answers, *seen.answers)
            seen = msgspec.structs.replace(reported, observed_at=seen.observed_at, answers=answers)
        self._record_silence(job, seen)
        return seen

    @contextmanager
    def reporting(self, job_id: str, observation: Observation) -> Iterator[None]:
        """Know a worker's report while it is stored, however long that takes; forget it if it cannot be stored.

        A poll that ends meanwhile would otherwise store the report before this one, after it. And a run would decide
        without an end that is known, after an outage of the event log.
        """
        before = self._reports.get(job_id)
        self._reports[job_id] = known = (math.inf, observation)
        try:
            yield
        except JobRecoveryError:
            if self._reports.get(job_id) is known:
                self._reports.pop(job_id)
                if before is not None:
                    self._reports[job_id] = before
            raise

    def record_report(self, job: ReplicationJob, observation: Observation) -> None:
        """Record a worker's own report, which is contact, too."""
        if job.is_watched:
            self._reports[job.id] = (self._clock.monotonic(), observation)
        else:
            self._reports.pop(job.id, None)
        self._record_silence(job, observation)

    def record_late_report(self, job_id: str) -> None:
        """Record that the worker of a job has reported, although what it reports is older than its last report."""
        if job_id in self._reports:
            at, known = self._reports[job_id]
            self._reports[job_id] = (max(at, self._clock.monotonic()), known)

    async def probe_unregistered(self, job_id: str, vma: str, volume_ids: tuple[str, ...]) -> Observation:
        """Ask what a VMA has of a job that is not yet registered; nothing is recorded."""
        return await self._probe(ProbeTarget(job_id, vma, volume_ids, self._vma.address_of(vma)))

    def circumstances(self, job: ReplicationJob) -> Circumstances:
        """Return what is known besides the last answer about the job."""
        return Circumstances(
            silence=self._silent.get(job.id, NOT_ASKED_YET),
            without_contact=self._silences.without_contact(job),
            amnesia=self._amnesia_for(job),
            replaced=self._is_replaced(job),
            reached=job.vma_address == self._vma.address_of(job.vma) or self._state(job.vma).has_answered,
        )

    def knows(self, vma: str) -> bool:
        """Return whether the VMA is in the settings."""
        return self._vma.address_of(vma) is not None

    def is_down(self, vma: str) -> bool:
        """Return whether the VMA as a whole was unreachable when it was last asked."""
        return self._state(vma).is_down

    def restore(self, job: ReplicationJob) -> None:
        """Restore what the log tells of a job's VMA, after a restart of this process: amnesia, an outage."""
        decision, memory = job.decision, self._state(job.vma).memory
        if decision is not None and decision.amnesia is not None:
            memory.restore(job.id, decision.amnesia)
        elif job.was_unreachable:
            memory.mark_unreachable(job.id)

    async def quiet(self, vma: str, within: float) -> None:
        """Return when no request to a VMA is in progress, or after `within` seconds."""
        give_up = self._clock.monotonic() + within
        while self._asking[vma] and self._clock.monotonic() < give_up:
            await self._clock.sleep(LOOK)

    def forget(self, job: ReplicationJob) -> None:
        """Remove a job that has ended, or that another instance watches from now on."""
        self._state(job.vma).memory.forget(job.id)
        self._silences.forget(job.id)
        self._silent.pop(job.id, None)
        self._reports.pop(job.id, None)

    async def _probe(self, target: ProbeTarget) -> Observation:
        seen = await probe(self._vma, self._clock, target)
        for listener in self._on_observed:
            listener(seen)
        return seen

    def _record_silence(self, job: ReplicationJob, seen: Observation) -> None:
        if self._is_open(job):
            self._silent[job.id] = self._silences.record(job, seen)
        else:
            self._silences.record_vma(seen)

    def _is_open(self, job: ReplicationJob) -> bool:
        """Return whether the job is open, also if its state is an older one.

        It may have ended while it was asked about. What is recorded of it after it was forgotten would stay for ever,
        and hide that its VMA has forgotten all others.
        """
        return job.is_open and self._may_be_open(job.id)

    def _fresh_report(self, job_id: str) -> Observation | None:
        at, observation = self._reports.get(job_id, (float("-inf"), None))
        return observation if self._clock.monotonic() - at <= REPORT_VALID_FOR else None

    def _record_vma(self, job: ReplicationJob, seen: Observation) -> None:
        """Record the state of the VMA as a whole, from its own answer; a worker's report tells nothing about it."""
        state = self._state(job.vma)
        if seen.status is VMAStatus.NOT_ASKED:
            return
        was_down, state.is_down = state.is_down, seen.status is VMAStatus.UNREACHABLE
        if state.is_down:
            if self._is_open(job):
                state.memory.mark_unreachable(job.id)
            return
        state.has_answered = True
        if seen.is_contact and job.was_seen_elsewhere(seen.address):
            state.recognised_at = seen.address
        is_first_missing = self._is_open(job) and self._count(state.memory, job, seen)
        for listener in self._on_back if was_down else ():
            listener(job.vma)
        for listener in self._on_missing if is_first_missing else ():
            listener(job.vma)

    def _count(self, memory: VMAMemory, job: ReplicationJob, seen: Observation) -> bool:
        """Count the job as found or missing, and return whether it is the first that is missing.

        An answer that tells nothing about the job changes nothing. A job that the VMA has never known cannot be
        missing.
        """
        if seen.is_contact:
            memory.mark_found(job.id, known_before=job.seen_on_vma)
        elif seen.status is VMAStatus.NOT_FOUND and job.seen_on_vma:
            return memory.mark_missing(job.id)
        return False

    def _amnesia_for(self, job: ReplicationJob) -> Amnesia | None:
        """Return the VMA's amnesia, if it can be why the VMA does not know the job.

        It is detected from a job's second probe on: the first ten of a hundred jobs may all be lost ones, and by then
        the others have been asked about.
        """
        memory, policy = self._state(job.vma).memory, self._policy
        if self._silent.get(job.id, NOT_ASKED_YET).probes >= min(2, policy.confirmation_probes):
            memory.detect_amnesia(job.id, policy, self._clock.now())
        return memory.amnesia_of(job.id)

    def _is_replaced(self, job: ReplicationJob) -> bool:
        address = self._vma.address_of(job.vma)
        return job.was_seen_elsewhere(address) and self._state(job.vma).recognised_at != address

    def _state(self, vma: str) -> _VMAState:
        return self._vmas.setdefault(vma, _VMAState())
