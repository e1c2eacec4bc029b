"""Silence: the one place where it is measured for how long nothing new was heard of a job.

Measured in awake seconds of this process, and interrupted whenever nobody asked: our own absence, our own slowness and
a step of the machine's clock never count.
"""

from collections.abc import Callable

import msgspec

from domain.evidence import Silence
from domain.job_state import JobFields
from domain.ports import Clock
from domain.vma_status import Observation, VMAStatus


class _Heard(msgspec.Struct):
    """What was last heard of a job. Awake seconds; `last`, when it was asked about, and `contact` in monotonic ones."""

    contact: float
    since: float
    last: float
    key: tuple[VMAStatus, bool] | None = None
    probes: int = 0
    inconclusive_since: float | None = None


class Silences:
    """Follows the answers about each job; any change of status, and any pause, starts the count again."""

    def __init__(self, clock: Clock, awake: Callable[[], float], longest_pause: float) -> None:
        """`awake` counts seconds; a job was not asked about without a break if a pause was longer than `longest_pause`.

        A pause counts in monotonic seconds: our own absence is one, too.
        """
        self._clock = clock
        self._awake = awake
        self._longest_pause = longest_pause
        self._jobs: dict[str, _Heard] = {}
        self._vmas: dict[str, float] = {}

    def heard(self, job: JobFields, observation: Observation) -> Silence:
        """Count an answer in; return for how long the same one has held."""
        now, entry, asked_at = self._awake(), self._entry(job), self._clock.monotonic()
        if asked_at - entry.last > self._longest_pause:
            entry.key, entry.inconclusive_since = None, None
        key = (observation.status, observation.doubtful)
        if key != entry.key:
            entry.key, entry.since, entry.probes = key, now, 0
        entry.probes, entry.last = entry.probes + 1, asked_at
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
            self._vmas[observation.vma] = self._clock.monotonic()
        if observation.conclusive:
            entry.contact, entry.inconclusive_since = self._clock.monotonic(), None
        elif entry.inconclusive_since is None:
            entry.inconclusive_since = now

    def _entry(self, job: JobFields) -> _Heard:
        """Return the job's entry; a new one goes on from the time that the log has."""
        if job.id not in self._jobs:
            now, moment = self._clock.now(), self._clock.monotonic()
            ago = (now - (job.last_contact_at or job.registered_at or now)).total_seconds()
            self._jobs[job.id] = _Heard(contact=moment - max(0.0, ago), since=self._awake(), last=moment)
        return self._jobs[job.id]
