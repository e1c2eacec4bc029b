"""Reconciliation: a guess is asked about again, ever more rarely, and revised if the VMA contradicts it."""

from datetime import timedelta

from domain.application import JobRecovery
from domain.errors import JobRecoveryError
from domain.ports import Clock, Log
from domain.processes.agenda import Agenda
from domain.processes.contact import Contact
from domain.replication_job import ReplicationJob
from domain.vma_status import VMAStatus

LONGEST = 3600.0
WHILE_DOWN = 60.0
TICK = 0.5


class Reconciliation:
    """Asks for jobs whose outcome was inferred. Seconds."""

    def __init__(  # noqa: PLR0913 - a composition root calls this once
        self,
        app: JobRecovery,
        contact: Contact,
        clock: Clock,
        log: Log,
        *,
        first_after: float,
        ask_for: float,
    ) -> None:
        """Ask first after `first_after`, then at doubling distances, for `ask_for` in all."""
        self._app = app
        self._contact = contact
        self._clock = clock
        self._log = log
        self._first_after = first_after
        self._ask_for = timedelta(seconds=ask_for)
        self._agenda = Agenda()
        self._distance: dict[str, float] = {}
        self._vmas: dict[str, str] = {}
        contact.on_back(self._wake)

    def watch(self, job: ReplicationJob) -> None:
        """Ask about the job until its time is up."""
        if job.id not in self._distance:
            self._distance[job.id] = self._first_after
            self._vmas[job.id] = job.vma
            self._agenda.put(job.id, self._clock.monotonic() + self._first_after)

    def drop(self, job_id: str) -> None:
        """Ask no more."""
        self._distance.pop(job_id, None)
        self._vmas.pop(job_id, None)
        self._agenda.drop(job_id)

    async def run(self) -> None:
        """Reconcile for as long as the service runs."""
        await self._agenda.follow(self._clock, self._look, TICK)

    async def _look(self, job_id: str) -> None:
        try:
            await self._ask(job_id)
        except JobRecoveryError as error:
            self._log.error("reconciliation_failed", job_id=job_id, error=str(error))
            self._again(job_id, WHILE_DOWN)

    async def _ask(self, job_id: str) -> None:
        job = await self._app.job(job_id)
        if not job.is_guess or self._is_over(job):
            self.drop(job_id)
            return
        observation = await self._contact.ask(job)
        if observation.conclusive:
            before = job.state
            job = await self._app.revise(job_id, observation)
            self._log.warning(
                "outcome_reconsidered",
                job_id=job_id,
                inferred=before.value,
                vma_status=observation.status.value,
                state=job.state.value,
            )
        distance = self._distance.get(job_id)
        if distance is None:
            return
        if observation.status is VMAStatus.UNREACHABLE:
            self._again(job_id, min(distance, WHILE_DOWN))
            return
        self._distance[job_id] = min(LONGEST, distance * 2)
        self._again(job_id, self._distance[job_id])

    def _again(self, job_id: str, delay: float) -> None:
        if job_id in self._distance:
            self._agenda.put(job_id, self._clock.monotonic() + delay)

    def _is_over(self, job: ReplicationJob) -> bool:
        return job.ended_at is not None and self._clock.now() - job.ended_at > self._ask_for

    def _wake(self, vma: str) -> None:
        """Ask at once about every guess on a VMA that was down and answers again."""
        now = self._clock.monotonic()
        for job_id in [j for j, name in self._vmas.items() if name == vma]:
            self._agenda.put(job_id, now)
