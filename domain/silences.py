"""Silences: the only place that measures for how long the answers about a job have been the same.

Measured on the monotonic clock of this process, and interrupted whenever it did not ask: its own absence, its own
delays and a step of the machine's clock never count.
"""

from collections.abc import Callable

import msgspec

from domain.evidence import Silence
from domain.job_state import JobFields
from domain.ports import Clock
from domain.recovery_policy import Rule
from domain.vma_status import Observation, VMAStatus


class _Entry(msgspec.Struct):
    """The last answers about a job, in monotonic seconds. `absences` is the count of this process's at the last one."""

    contact: float
    since: float
    last: float
    absences: int
    key: tuple[object, ...] | None = None
    probes: int = 0
    inconclusive_since: float | None = None


class Silences:
    """Records the answers about each job; another answer, or a pause, starts the measurement again."""

    def __init__(self, clock: Clock, absences: Callable[[], int], longest_pause: float) -> None:
        """`absences` counts those of this process. A job not asked about for `longest_pause` seconds starts again."""
        self._clock = clock
        self._absences = absences
        self._longest_pause = longest_pause
        self._jobs: dict[str, _Entry] = {}
        self._vmas: dict[str, float] = {}

    def record(self, job: JobFields, observation: Observation) -> Silence:
        """Record an answer about an open job; return for how long it has been the same."""
        now, entry, absences = self._clock.monotonic(), self._entry(job), self._absences()
        if now - entry.last > self._longest_pause or absences != entry.absences:
            entry.key, entry.inconclusive_since = None, None
        key = _key(observation)
        if key != entry.key:
            entry.key, entry.since, entry.probes = key, now, 0
        entry.probes, entry.last, entry.absences = entry.probes + 1, now, absences
        self.record_vma(observation)
        if observation.conclusive:
            entry.contact, entry.inconclusive_since = now, None
        elif entry.inconclusive_since is None:
            entry.inconclusive_since = now
        return Silence(
            status=observation.status,
            duration=now - entry.since,
            probes=entry.probes,
            inconclusive_for=0.0 if entry.inconclusive_since is None else now - entry.inconclusive_since,
        )

    def record_vma(self, observation: Observation) -> None:
        """Record that the VMA as a whole was not silent: it has answered, or it could not be asked."""
        if observation.status is not VMAStatus.UNREACHABLE:
            self._vmas[observation.vma] = self._clock.monotonic()

    def without_contact(self, job: JobFields) -> float:
        """Return the seconds in which the VMA could be asked, and there was no contact with it nor with the job."""
        contact = max(self._entry(job).contact, self._vmas.get(job.vma, float("-inf")))
        return self._clock.monotonic() - contact

    def forget(self, job_id: str) -> None:
        """Remove a job that has ended."""
        self._jobs.pop(job_id, None)

    def _entry(self, job: JobFields) -> _Entry:
        """Return the job's entry; a new one begins with the last contact in the event log."""
        if job.id not in self._jobs:
            monotonic = self._clock.monotonic()
            contact = monotonic - self._seconds_since_contact(job)
            self._jobs[job.id] = _Entry(contact=contact, since=monotonic, last=monotonic, absences=self._absences())
        return self._jobs[job.id]

    def _seconds_since_contact(self, job: JobFields) -> float:
        """Return the seconds since the last contact in the event log.

        A job that waits for any other reason than its VMA's silence waits although the VMA answered until this process
        began: such answers are not stored.
        """
        if job.decision is not None and job.decision.is_retry and job.decision.rule != Rule.UNREACHABLE_RECENT:
            return 0.0
        now = self._clock.now()
        return max(0.0, (now - (job.last_contact_at or job.registered_at or now)).total_seconds())


def _key(observation: Observation) -> tuple[object, ...]:
    """Return what is compared of two answers.

    A worker that shares an id among several disks reports `completed` after each: with other figures, of a later one.
    """
    if not observation.doubtful:
        return (observation.status,)
    return (observation.status, observation.covered, observation.total_bytes, observation.movement)
