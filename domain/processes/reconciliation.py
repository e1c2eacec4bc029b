"""Reconciliation: asks again about inferred outcomes, at growing intervals, and has them confirmed or revised.

Its time is this process's, and the VMA's: each guess is asked about again for the whole period after a restart of this
process, and after an outage of its VMA. A tunnel that is cut for a week-end must leave no running job failed.
"""

import msgspec

from domain.errors import JobRecoveryError
from domain.processes.dependencies import Dependencies
from domain.processes.schedule import Schedule
from domain.replication_job import ReplicationJob
from domain.vma_status import VMAStatus

MAX_INTERVAL = 3600.0
MAX_INTERVAL_WHILE_DOWN = 60.0
TICK = 0.5


class Guess(msgspec.Struct):
    """A job whose outcome was inferred: its VMA, until when it is asked about, and the interval of the probes."""

    vma: str
    until: float
    interval: float


class Reconciliation:
    """Asks about jobs whose outcome was inferred. Seconds."""

    def __init__(self, shared: Dependencies, *, first_after: float, ask_for: float) -> None:
        """Ask first after `first_after`, then at doubling intervals, for `ask_for` in total."""
        self._app, self._contact = shared.app, shared.contact
        self._clock, self._log = shared.clock, shared.log
        self._first_after = first_after
        self._ask_for = ask_for
        self._schedule = Schedule()
        self._guesses: dict[str, Guess] = {}
        self._contact.on_back(self._wake)

    def watch(self, job: ReplicationJob) -> None:
        """Ask about the job until its period is over."""
        if job.id not in self._guesses:
            now = self._clock.monotonic()
            self._guesses[job.id] = Guess(job.vma, now + self._ask_for, self._first_after)
            self._schedule.put(job.id, now + self._first_after)

    def drop(self, job_id: str) -> None:
        """Stop asking about the job."""
        self._guesses.pop(job_id, None)
        self._schedule.drop(job_id)

    async def run(self) -> None:
        """Reconcile for as long as the service runs."""
        await self._schedule.follow(self._clock, self._reconcile, TICK)

    async def _reconcile(self, job_id: str) -> None:
        guess = self._guesses.get(job_id)
        if guess is None or self._is_over(guess):
            return
        delay = MAX_INTERVAL_WHILE_DOWN
        try:
            delay = await self._ask(job_id, guess)
        except JobRecoveryError as error:
            self._log.error("reconciliation_failed", job_id=job_id, error=str(error))
        if job_id in self._guesses:
            self._schedule.put(job_id, self._clock.monotonic() + delay)

    def _is_over(self, guess: Guess) -> bool:
        return self._clock.monotonic() > guess.until and not self._contact.is_down(guess.vma)

    async def _ask(self, job_id: str, guess: Guess) -> float:
        """Ask once; return the seconds until the next time."""
        job = await self._app.job(job_id)
        if not job.is_guess:
            self.drop(job_id)
            return MAX_INTERVAL
        observation = await self._contact.ask(job)
        if observation.conclusive:
            version, inferred = job.version, job.state
            revised = await self._app.revise(job_id, observation)
            if revised.version > version:
                states = {"inferred": inferred.value, "state": revised.state.value}
                self._log.warning("outcome_reconsidered", job_id=job_id, vma_status=observation.status.value, **states)
        if observation.status is VMAStatus.UNREACHABLE:
            return min(guess.interval, MAX_INTERVAL_WHILE_DOWN)
        guess.interval = min(MAX_INTERVAL, guess.interval * 2)
        return guess.interval

    def _wake(self, vma: str) -> None:
        """Ask immediately about every guess on a VMA that was down and answers again, and for the whole period."""
        now = self._clock.monotonic()
        for job_id, guess in self._guesses.items():
            if guess.vma == vma:
                guess.until = now + self._ask_for
                self._schedule.put(job_id, now)
