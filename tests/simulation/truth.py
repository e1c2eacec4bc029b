"""The simulated truth: what every job really is and was, and what every VMA and the service really did.

What the service concludes is judged by this, at the moment when it concludes it.
"""

from collections.abc import Callable

import msgspec

from adapters.simulated_vma.world import World
from tests.simulation.network import Weather

NEAR_END = 90.0
REPORTED = 5.0
"""Virtual seconds for which a report must be remembered."""

STALE = 2.0
"""Virtual seconds after which the service must know better."""


class JobTruth(msgspec.Struct, kw_only=True):
    """One job. `vague`: whose documents on its exports are, the service cannot always tell."""

    vma: str
    volumes: list[str]
    reports: str = "exports"
    has_begun: bool = False
    vague: bool = False
    may_be_completed_by_another: bool = False
    registered_at: float | None = None
    ever: set[str] = msgspec.field(default_factory=set)
    most: float = 0.0

    @property
    def exports(self) -> list[str]:
        return [f"migration-vol-{volume}" for volume in self.volumes]


class Reality:
    """Follows the truth of jobs, VMAs and the service over a story. Virtual seconds."""

    def __init__(self, now: Callable[[], float], worlds: dict[str, World], weather: dict[str, Weather]) -> None:
        self.jobs: dict[str, JobTruth] = {}
        self.worlds = worlds
        self.weather = weather
        self.wrong_sites: set[str] = set()
        self.frozen: set[str] = set()
        self.reported: dict[str, float] = {}
        self.now = now
        self._down: dict[str, tuple[float, float]] = {}
        self._asking_since = now()

    def note(self) -> None:
        """Note what is true now; called before and after everything that changes it."""
        now = self.now()
        for name, weather in self.weather.items():
            if weather.is_bad:
                began, ended = self._down.get(name, (now, now))
                # That it was there for a moment between two questions, nobody can know.
                self._down[name] = (began if now - ended <= STALE else now, now)
        for job_id, job in self.jobs.items():
            if job.has_begun:
                self._note(job_id, job)

    def interrupted(self) -> None:
        """Note that the service was not there until now."""
        self._asking_since = self.now()

    def state(self, job_id: str) -> str:
        """Return how the job's own worker stands: waiting, running, completed, failed or gone."""
        job = self.jobs[job_id]
        return self.worlds[job.vma].truth(job_id) if job.has_begun else "waiting"

    def ever(self, job_id: str) -> set[str]:
        """Return everything that the job's own worker has been, up to now."""
        self.note()
        return self.jobs[job_id].ever

    def was_near_its_end(self, job_id: str) -> bool:
        """Return whether the job's own worker was ever above the limit."""
        self.note()
        return self.jobs[job_id].most > NEAR_END

    def asked_in_vain_for(self, vma: str) -> float:
        """Return for how long the service was there without a break, and the VMA as a whole did not answer.

        What the service has just heard is as old as a question, a rest of the circuit breaker and a slow commit.
        """
        self.note()
        began, ended = self._down.get(vma, (0.0, float("-inf")))
        if self.now() - ended > STALE:
            return 0.0
        return self.now() - max(began, self._asking_since)

    def has_just_reported(self, job_id: str) -> bool:
        """Return whether the job's worker has told this very process of itself a short while ago."""
        at = self.reported.get(job_id, float("-inf"))
        return at > self._asking_since and self.now() - at < REPORTED

    def is_forgotten(self, job_id: str) -> bool:
        """Return whether the job's VMA knows nothing of it now."""
        job = self.jobs[job_id]
        ids = [job_id] if job.reports.endswith("job_id") else [job_id, *job.exports]
        world = self.worlds[job.vma]
        return not any(world.progress_of(one) or world.status_of(one) for one in ids)

    def _note(self, job_id: str, job: JobTruth) -> None:
        world = self.worlds[job.vma]
        job.ever.add(world.truth(job_id))
        job.most = max(job.most, world.progress(job_id))
