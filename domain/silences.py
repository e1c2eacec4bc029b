"""Silence: the one place where it is measured for how long nothing new was heard of a job.

Measured on the monotonic clock of this process, and interrupted whenever nobody asked: our own absence, our own
slowness and a step of the machine's clock never count.
"""

from collections.abc import Callable

import msgspec

from domain.evidence import Silence
from domain.job_state import JobFields
from domain.ports import Clock
from domain.vma_status import Observation, VMAStatus


class _Heard(msgspec.Struct):
    """What was last heard of a job, in monotonic seconds, and after how many absences of ours."""

    contact: float
    since: float
    last: float
    absences: int
    key: tuple[VMAStatus, bool] | None = None
    probes: int = 0
    inconclusive_since: float | None = None


class Silences:
    """Follows the answers about each job; any change of status, and any pause, starts the count again."""

    def __init__(self, clock: Clock, absences: Callable[[], int], longest_pause: float) -> None:
        """`absences` counts our own; a job that was not asked about for `longest_pause` seconds begins anew, too."""
        self._clock = clock
        self._absences = absences
        self._longest_pause = longest_pause
        self._jobs: dict[str, _Heard] = {}
        self._vmas: dict[str, float] = {}

    def heard(self, job: JobFields, observation: Observation) -> Silence:
        """Count an answer in; return for how long the same one has held."""
        now, entry, absences = self._clock.monotonic(), self._entry(job), self._absences()
        if now - entry.last > self._longest_pause or absences != entry.absences:
            entry.key, entry.inconclusive_since = None, None
        key = (observation.status, observation.doubtful)
        if key != entry.key:
            entry.key, entry.since, entry.probes = key, now, 0
        entry.probes, entry.last, entry.absences = entry.probes + 1, now, absences
        self._note_contact(entry, observation, now)
        since = now if entry.inconclusive_since is None else entry.inconclusive_since
        return Silence(
            status=observation.status, held_for=now - entry.since, probes=entry.probes, unheard_for=now - since
        )

    def without_contact(self, job: JobFields) -> float:
        """Return the seconds since the job, or its VMA as a whole, was last heard of."""
        contact = max(self._entry(job).contact, self._vmas.get(job.vma, float("-inf")))
        return self._clock.monotonic() - contact

    def forget(self, job_id: str) -> None:
        """Leave a job that has ended."""
        self._jobs.pop(job_id, None)

    def _note_contact(self, entry: _Heard, observation: Observation, now: float) -> None:
        if observation.status not in {VMAStatus.UNREACHABLE, VMAStatus.NOT_ASKED}:
            self._vmas[observation.vma] = now
        if observation.conclusive:
            entry.contact, entry.inconclusive_since = now, None
        elif entry.inconclusive_since is None:
            entry.inconclusive_since = now

    def _entry(self, job: JobFields) -> _Heard:
        """Return the job's entry; a new one goes on from the time that the log has."""
        if job.id not in self._jobs:
            now, moment = self._clock.now(), self._clock.monotonic()
            ago = (now - (job.last_contact_at or job.registered_at or now)).total_seconds()
            contact = moment - max(0.0, ago)
            self._jobs[job.id] = _Heard(contact=contact, since=moment, last=moment, absences=self._absences())
        return self._jobs[job.id]
