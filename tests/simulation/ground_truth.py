"""The ground truth of a simulation: the true states of every job, every VMA and the service.

Each conclusion of the service is compared with it at the moment of the conclusion.
"""

from collections import defaultdict
from collections.abc import Callable

import msgspec

from adapters.simulated_vma.world import World
from tests.simulation.network import Conditions

NEAR_END = 90.0
REPORTED = 5.0
"""Virtual seconds for which a report must count as contact."""

STALE = 2.0
"""Virtual seconds within which the service must observe a change."""


class JobTruth(msgspec.Struct, kw_only=True):
    """One job. `ambiguous`: the documents of its exports cannot always be attributed."""

    vma: str
    volumes: list[str]
    reports: str = "exports"
    has_begun: bool = False
    ambiguous: bool = False
    may_be_completed_by_another: bool = False
    registered_at: float | None = None
    ever: set[str] = msgspec.field(default_factory=set)
    most: float = 0.0

    @property
    def exports(self) -> list[str]:
        return [f"migration-vol-{volume}" for volume in self.volumes]


class GroundTruth:
    """The true states of jobs, VMAs and the service during a simulation. Virtual seconds."""

    def __init__(self, now: Callable[[], float], worlds: dict[str, World], conditions: dict[str, Conditions]) -> None:
        self.jobs: dict[str, JobTruth] = {}
        self.worlds = worlds
        self.conditions = conditions
        self.wrong_sites: set[str] = set()
        self.frozen: set[str] = set()
        self.reported: dict[str, float] = {}
        self.restarts: defaultdict[str, list[float]] = defaultdict(list)
        self.now = now
        self._down: dict[str, tuple[float, float]] = {}
        self._asking_since = now()
        self._taken_over: dict[str, float] = {}

    def record(self) -> None:
        """Record the states now; called before and after every change."""
        now = self.now()
        for name, conditions in self.conditions.items():
            if conditions.is_bad:
                began, ended = self._down.get(name, (now, now))
                # The service cannot observe that the VMA was up for a moment between two requests.
                self._down[name] = (began if now - ended <= STALE else now, now)
        for job_id, job in self.jobs.items():
            if job.has_begun:
                self._record(job_id, job)

    def taken_over(self, vma: str, at: float) -> None:
        """Record that an instance asks a VMA from now on, or from the time on at which it goes on."""
        self._taken_over[vma] = at

    def restart(self, vma: str, reannounce: float | tuple[float, float]) -> None:
        """Restart a VMA: it forgets all its jobs, and those that run report again."""
        self.worlds[vma].restart(reannounce=reannounce)
        self.restarts[vma].append(self.now())

    def interrupted(self) -> None:
        """Record that the service did not run until now."""
        self._asking_since = self.now()

    def state(self, job_id: str) -> str:
        """Return the state of the job's own worker: waiting, running, completed, failed or gone."""
        job = self.jobs[job_id]
        return self.worlds[job.vma].truth(job_id) if job.has_begun else "waiting"

    def ever(self, job_id: str) -> set[str]:
        """Return all states of the job's own worker until now."""
        self.record()
        return self.jobs[job_id].ever

    def was_near_its_end(self, job_id: str) -> bool:
        """Return whether the job's own worker was ever above the limit."""
        self.record()
        return self.jobs[job_id].most > NEAR_END

    def silent_for(self, vma: str) -> float:
        """Return for how long the service ran without a break and the VMA as a whole did not answer.

        The service's last answer may be as old as a request, a rest of the circuit breaker and a slow commit together.
        """
        self.record()
        began, ended = self._down.get(vma, (0.0, float("-inf")))
        if self.now() - ended > STALE:
            return 0.0
        return self.now() - max(began, self._asking_since, self._taken_over.get(vma, began))

    def has_just_reported(self, job_id: str) -> bool:
        """Return whether the job's worker has recently reported to this process."""
        at = self.reported.get(job_id, float("-inf"))
        vma = self.jobs[job_id].vma
        return at > max(self._asking_since, self._taken_over.get(vma, 0.0)) and self.now() - at < REPORTED

    def is_forgotten(self, job_id: str) -> bool:
        """Return whether the job's VMA does not know it now."""
        job = self.jobs[job_id]
        ids = [job_id] if job.reports.endswith("job_id") else [job_id, *job.exports]
        world = self.worlds[job.vma]
        return not any(world.progress_of(one) or world.status_of(one) for one in ids)

    def _record(self, job_id: str, job: JobTruth) -> None:
        world = self.worlds[job.vma]
        job.ever.add(world.truth(job_id))
        job.most = max(job.most, world.progress(job_id))
