"""Reconciliation: a guess is asked about again, ever more rarely, and revised if the VMA contradicts it.

The time is this process's: after a restart each guess is asked about anew, however old the machine's clock calls it.
"""

import msgspec

from domain.errors import JobRecoveryError
from domain.processes.agenda import Agenda
from domain.processes.dependencies import Dependencies
from domain.replication_job import ReplicationJob
from domain.vma_status import VMAStatus

LONGEST = 3600.0
WHILE_DOWN = 60.0
TICK = 0.5


class Guess(msgspec.Struct):
    """A job whose outcome was inferred: its VMA, until when it is asked about, and the distance of the questions."""

    vma: str
    until: float
    distance: float


class Reconciliation:
    """Asks for jobs whose outcome was inferred. Seconds."""

    def __init__(self, shared: Dependencies, *, first_after: float, ask_for: float) -> None:
        """Ask first after `first_after`, then at doubling distances, for `ask_for` in all."""
        self._app, self._contact = shared.app, shared.contact
        self._clock, self._log = shared.clock, shared.log
        self._first_after = first_after
        self._ask_for = ask_for
        self._agenda = Agenda()
        self._guesses: dict[str, Guess] = {}
        self._contact.on_back(self._wake)

    def watch(self, job: ReplicationJob) -> None:
        """Ask about the job until its time is up."""
        if job.id not in self._guesses:
            now = self._clock.monotonic()
            self._guesses[job.id] = Guess(job.vma, now + self._ask_for, self._first_after)
            self._agenda.put(job.id, now + self._first_after)

    def drop(self, job_id: str) -> None:
        """Ask no more."""
        self._guesses.pop(job_id, None)
        self._agenda.drop(job_id)

    async def run(self) -> None:
        """Reconcile for as long as the service runs."""
        await self._agenda.follow(self._clock, self._look, TICK)

    async def _look(self, job_id: str) -> None:
        guess = self._guesses.get(job_id)
        if guess is None or self._clock.monotonic() > guess.until:
            return
        delay = WHILE_DOWN
        try:
            delay = await self._ask(job_id, guess)
        except JobRecoveryError as error:
            self._log.error("reconciliation_failed", job_id=job_id, error=str(error))
        if job_id in self._guesses:
            self._agenda.put(job_id, self._clock.monotonic() + delay)

    async def _ask(self, job_id: str, guess: Guess) -> float:
        """Ask once; return the seconds until the next question."""
        job = await self._app.job(job_id)
        if not job.is_guess:
            self.drop(job_id)
            return LONGEST
        observation = await self._contact.ask(job)
        if observation.conclusive:
            before, job = job.state, await self._app.revise(job_id, observation)
            self._log.warning(
                "outcome_reconsidered",
                job_id=job_id,
                inferred=before.value,
                vma_status=observation.status.value,
                state=job.state.value,
            )
        if observation.status is VMAStatus.UNREACHABLE:
            return min(guess.distance, WHILE_DOWN)
        guess.distance = min(LONGEST, guess.distance * 2)
        return guess.distance

    def _wake(self, vma: str) -> None:
        """Ask at once about every guess on a VMA that was down and answers again."""
        now = self._clock.monotonic()
        for job_id in [job_id for job_id, guess in self._guesses.items() if guess.vma == vma]:
            self._agenda.put(job_id, now)
