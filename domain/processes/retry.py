"""The retry scheduler: asks again for jobs in pending-retry, with exponential back-off and jitter.

A retry looks first. If the table would again answer "retry" by the same rule, nothing is recorded and the job waits
on, longer; a VMA that is down for hours so costs questions, not events. Anything else is for a recovery run, which asks
once more and records what it decides; so is a job that has waited for so long that a person should look.
"""

from collections.abc import Callable

import msgspec

from domain.errors import JobRecoveryError
from domain.events import Cause
from domain.lifecycle import JobState
from domain.materiality import others_changed
from domain.processes.agenda import Agenda
from domain.processes.dependencies import Dependencies
from domain.recovery_policy import Outcome
from domain.replication_job import ReplicationJob

TICK = 0.1
"""Seconds between two looks at the agenda."""


class Backoff:
    """Exponential back-off with jitter. Seconds."""

    def __init__(self, initial: float, maximum: float, random: Callable[[], float]) -> None:
        """`random` returns numbers in [0, 1); it is passed in so that tests own it."""
        self._initial = initial
        self._maximum = maximum
        self._random = random

    def __call__(self, attempt: int) -> float:
        """Return the wait before the given attempt (1 is the first): between half and all of the period."""
        doublings = min(max(0, attempt - 1), 30)
        period = min(self._maximum, self._initial * 2.0**doublings)
        return period * (0.5 + 0.5 * self._random())


class Waiting(msgspec.Struct, kw_only=True):
    """A job that waits: which VMA it waits for, under which rule, and how often it was tried."""

    vma: str
    rule: str
    attempt: int


class RetryScheduler:
    """Looks again at jobs in pending-retry."""

    def __init__(self, shared: Dependencies, backoff: Backoff, recover: Callable[[str, Cause], None]) -> None:
        """`recover` takes the jobs whose situation has changed."""
        self.waiting: dict[str, Waiting] = {}
        self._app, self._contact = shared.app, shared.contact
        self._clock, self._log = shared.clock, shared.log
        self._backoff = backoff
        self._recover = recover
        self._agenda = Agenda()
        self._contact.on_back(self._wake)
        self._contact.on_missing(self._wake)

    def watch(self, job: ReplicationJob) -> None:
        """Try the job again after the back-off that its decision set."""
        decision = job.decision
        if decision is None or job.id in self._agenda:
            return
        self.waiting[job.id] = Waiting(vma=job.vma, rule=decision.rule, attempt=decision.attempt)
        delay = decision.retry_in if decision.retry_in is not None else self._backoff(decision.attempt)
        self._agenda.put(job.id, self._clock.monotonic() + delay)

    def drop(self, job_id: str) -> None:
        """Leave the job to others."""
        self.waiting.pop(job_id, None)
        self._agenda.drop(job_id)

    def due_in(self, job_id: str) -> float | None:
        """Return the seconds until the next try, if the job waits for one."""
        due = self._agenda.due_at(job_id)
        return None if due is None else max(0.0, due - self._clock.monotonic())

    async def run(self) -> None:
        """Retry for as long as the service runs."""
        self._log.info("scheduler_started")
        await self._agenda.follow(self._clock, self._look, TICK)

    async def _look(self, job_id: str) -> None:
        waiting = self.waiting.get(job_id)
        if waiting is None:
            return
        try:
            changed = await self._has_changed(job_id, waiting)
        except JobRecoveryError as error:
            self._log.error("retry_failed", job_id=job_id, error=str(error))
            changed = False
        if job_id not in self.waiting:
            return
        if changed:
            self._recover(job_id, Cause.RETRY_DUE)
        waiting.attempt += 1
        self._agenda.put(job_id, self._clock.monotonic() + self._backoff(waiting.attempt))

    async def _has_changed(self, job_id: str, waiting: Waiting) -> bool:
        job = await self._app.job(job_id)
        if job.state is not JobState.PENDING_RETRY:
            # Who watches it now was told already; only what has ended needs nobody.
            if not job.is_open:
                self.drop(job_id)
            return False
        observation = await self._contact.ask(job)
        circumstances = self._contact.circumstances(job)
        decision = self._app.assess(job, observation, circumstances)
        if decision is None or decision.outcome is not Outcome.RETRY or decision.rule.value != waiting.rule:
            return True
        if others_changed(job, observation):
            return True
        recorded = job.decision is not None and job.decision.needs_attention
        return not recorded and circumstances.silence.unheard_for >= self._app.policy.attention_after

    def _wake(self, vma: str) -> None:
        """Try all waiting jobs of a VMA at once: it was down and answers again, or may have forgotten its jobs."""
        now = self._clock.monotonic()
        for job_id, waiting in self.waiting.items():
            if waiting.vma == vma:
                self._agenda.put(job_id, now)
