"""VMA memory: which of its open jobs a VMA knows, and whether it has restarted and forgotten them.

A VMA has everything in memory. After its restart, every id is unknown until the worker's next update, and its reported
uptime is not reliable. So a restart is visible only in how many jobs the VMA does not know, or did not know a moment
ago; after an outage of the VMA, fewer of them tell it (ADR 4).
"""

from datetime import datetime

import msgspec

from domain.evidence import Amnesia
from domain.recovery_policy import Policy

NEVER = -1


class _Missing(msgspec.Struct, frozen=True):
    """A job that its VMA does not know: when it was last found, and since when it is missing."""

    last_found: int
    since: int


class VMAMemory:
    """What one VMA knows of its open jobs. Its answers are numbered, and their numbers are the times here.

    A job was forgotten if it is missing, or was and is found again. Amnesia is detected for a missing job by the other
    jobs since it was last found, and is then shared by all that are missing.
    """

    def __init__(self) -> None:
        """Begin with a VMA that was not asked yet."""
        self._answers = 0
        self._found: dict[str, int] = {}
        self._first_found: dict[str, int] = {}
        """When each job was first found; before all numbers, if that was before this process."""
        self._missing: dict[str, _Missing] = {}
        self._returned: dict[str, int] = {}
        """When a job was found again that had been missing."""
        self._unreachable: dict[str, int] = {}
        """When the VMA last was unreachable as it was asked about a job that it has not known since."""
        self._amnesia: Amnesia | None = None
        self._amnesia_at = NEVER

    def mark_unreachable(self, job_id: str) -> None:
        """Record that the VMA was unreachable when it was asked about a job; nothing, if the job is missing already."""
        if job_id not in self._missing:
            self._unreachable[job_id] = self._next()

    def mark_found(self, job_id: str, *, known_before: bool = False) -> None:
        """Record that the VMA knows a job; `known_before`: it has known the job before this answer."""
        at = self._next()
        self._first_found.setdefault(job_id, NEVER if known_before else at)
        if job_id in self._missing:
            self._returned[job_id] = at
        self._drop(job_id)
        self._found[job_id] = at

    def mark_missing(self, job_id: str) -> bool:
        """Record that the VMA does not know a job; return whether it is the first since the VMA knew it."""
        if job_id in self._missing:
            return False
        self._returned.pop(job_id, None)
        missing = _Missing(self._found.pop(job_id, NEVER), self._next())
        is_first = not self._missing_since(missing.last_found)
        self._missing[job_id] = missing
        return is_first

    def restore(self, job_id: str, amnesia: Amnesia) -> None:
        """Record what was known before a restart of this process: the VMA had forgotten the job."""
        self.mark_missing(job_id)
        self._amnesia, self._amnesia_at = amnesia, self._next()

    def forget(self, job_id: str) -> None:
        """Remove a job that has ended."""
        self._drop(job_id)
        self._returned.pop(job_id, None)
        self._first_found.pop(job_id, None)

    def detect_amnesia(self, job_id: str, policy: Policy, now: datetime) -> None:
        """Detect from the other jobs whether the VMA has forgotten a job that is missing.

        A VMA that was unreachable before it did not know the job may have restarted then: fewer jobs than otherwise
        tell it. Against it tell only the jobs that the VMA knew before that, and knows again.
        """
        if (job := self._missing.get(job_id)) is None:
            return
        missing = self._missing_since(job.last_found)
        forgotten = missing + sum(again > job.last_found for again in self._returned.values())
        down_at = self._unreachable.get(job_id)
        asked = missing + (len(self._found) if down_at is None else self._known_before_and_after(down_at))
        least = policy.amnesia_at_least if down_at is None else 1
        if forgotten >= least and forgotten > policy.amnesia_share * asked:
            since = now if self._amnesia is None else self._amnesia.since
            self._amnesia = Amnesia(since=since, not_found=forgotten, asked=asked)
            self._amnesia_at = self._next()

    def amnesia_of(self, job_id: str) -> Amnesia | None:
        """Return the VMA's amnesia, if it was seen after the VMA last knew a job that is missing.

        It lasts until no job is missing: workers report again one after the other.
        """
        job = self._missing.get(job_id)
        return self._amnesia if job is not None and self._amnesia_at > job.last_found else None

    def _next(self) -> int:
        self._answers += 1
        return self._answers

    def _known_before_and_after(self, outage: int) -> int:
        """Return how many jobs the VMA knew before an outage, and was found to know after it."""
        return sum(self._first_found[job_id] < outage < at for job_id, at in self._found.items())

    def _missing_since(self, time: int) -> int:
        """Return how many jobs are missing, and went missing after that time."""
        return sum(missing.since > time for missing in self._missing.values())

    def _drop(self, job_id: str) -> None:
        """Remove what is known of a job; when no job is missing, the amnesia is over."""
        self._found.pop(job_id, None)
        self._missing.pop(job_id, None)
        self._unreachable.pop(job_id, None)
        if not self._missing:
            self._amnesia = None
