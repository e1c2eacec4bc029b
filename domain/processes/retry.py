"""The retry scheduler: asks again about jobs in `pending-retry`, with exponential back-off and jitter.

A retry first assesses the job. If the table would decide "retry" by the same rule, nothing is recorded and the job
waits for a longer time, so a VMA that is down for hours costs requests, not events. Otherwise a recovery run asks again
and records its decision; so it does if the job has waited for so long that it needs attention, or has done so for
another cause.
"""

from collections.abc import Callable, Container

import msgspec

from domain.errors import JobRecoveryError
from domain.events import Cause
from domain.evidence import Silence
from domain.lifecycle import JobState
from domain.materiality import others_changed
from domain.processes.dependencies import Dependencies
from domain.processes.schedule import Schedule
from domain.recovery_policy import Decision, Outcome, Rule
from domain.replication_job import ReplicationJob

TICK = 0.1
"""Seconds between two checks of the schedule."""

QUOTING = frozenset({Rule.UNANSWERED, Rule.UNINTELLIGIBLE, Rule.NOT_ASKED})
"""The rules whose reason is what the VMA answered, or why it could not be asked. In the others, figures change."""

UNKNOWN_TO_VMA = frozenset({Rule.VMA_AMNESIA, Rule.NEVER_SEEN, Rule.NOT_STARTED_YET})
"""The rules of jobs that count as forgotten already, or cannot be: asking about them does not show a restart."""


class Backoff:
    """Exponential back-off with jitter. Seconds."""

    def __init__(self, initial: float, maximum: float, random: Callable[[], float]) -> None:
        """`random` returns numbers in [0, 1)."""
        self._initial = initial
        self._maximum = maximum
        self._random = random

    def __call__(self, attempt: int) -> float:
        """Return the wait before the given attempt (1 is the first): between half and all of the period."""
        doublings = min(max(0, attempt - 1), 30)
        period = min(self._maximum, self._initial * 2.0**doublings)
        return period * (0.5 + 0.5 * self._random())


class Waiting(msgspec.Struct, kw_only=True):
    """A waiting job: its VMA, the rule by which it waits, and the number of attempts."""

    vma: str
    rule: str
    attempt: int


class RetryScheduler:
    """Retries jobs in `pending-retry`."""

    def __init__(self, shared: Dependencies, backoff: Backoff, recover: Callable[[str, Cause], None]) -> None:
        """`recover` requests the recovery of jobs whose situation has changed."""
        self.waiting: dict[str, Waiting] = {}
        self._app, self._contact = shared.app, shared.contact
        self._clock, self._log = shared.clock, shared.log
        self._backoff = backoff
        self._recover = recover
        self._schedule = Schedule()
        self._contact.on_back(self._wake)
        self._contact.on_missing(lambda vma: self._wake(vma, except_for=UNKNOWN_TO_VMA))

    def watch(self, job: ReplicationJob) -> None:
        """Retry the job after the back-off of its decision."""
        decision = job.decision
        if decision is None or job.id in self._schedule:
            return
        self.waiting[job.id] = Waiting(vma=job.vma, rule=decision.rule, attempt=decision.attempt)
        delay = decision.retry_in if decision.retry_in is not None else self._backoff(decision.attempt)
        self._schedule.put(job.id, self._clock.monotonic() + delay)

    def drop(self, job_id: str) -> None:
        """Stop retrying the job."""
        self.waiting.pop(job_id, None)
        self._schedule.drop(job_id)

    def due_in(self, job_id: str) -> float | None:
        """Return the seconds until the next retry; None if the job does not wait for one."""
        due = self._schedule.due_at(job_id)
        return None if due is None else max(0.0, due - self._clock.monotonic())

    async def run(self) -> None:
        """Retry for as long as the service runs."""
        self._log.info("scheduler_started")
        await self._schedule.follow(self._clock, self._retry, TICK)

    async def _retry(self, job_id: str) -> None:
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
        # Between two long pauses, a worker could report the next disk, and that as completed as well.
        grows = waiting.rule != Rule.COMPLETION_UNCONFIRMED
        self._schedule.put(job_id, self._clock.monotonic() + self._backoff(waiting.attempt if grows else 1))

    async def _has_changed(self, job_id: str, waiting: Waiting) -> bool:
        job = await self._app.job(job_id)
        if job.state is not JobState.PENDING_RETRY:
            # An open job has its new watcher already; only one that has ended has none.
            if not job.is_open:
                self.drop(job_id)
            return False
        observation = await self._contact.ask(job)
        circumstances = self._contact.circumstances(job)
        decision = self._app.assess(job, observation, circumstances)
        if decision is None or decision.outcome is not Outcome.RETRY:
            return True
        if decision.rule.value != waiting.rule and not self._is_brief_outage(waiting, decision, circumstances.silence):
            return True
        if others_changed(job, observation) or self._has_another_cause(job, decision):
            return True
        recorded = job.decision is not None and job.decision.needs_attention
        return not recorded and circumstances.silence.inconclusive_for >= self._app.policy.attention_after

    def _is_brief_outage(self, waiting: Waiting, decision: Decision, silence: Silence) -> bool:
        """Return whether a job that its VMA has forgotten waits on, although the VMA is unreachable for a moment.

        Through a flaky tunnel, the cause would change with every retry.
        """
        is_outage = waiting.rule == Rule.VMA_AMNESIA and decision.rule is Rule.UNREACHABLE_RECENT
        return is_outage and silence.duration < self._app.policy.attention_after

    def _has_another_cause(self, job: ReplicationJob, decision: Decision) -> bool:
        """Return whether what an operator reads as the cause is none any more, such as a login after a certificate.

        A VMA that answers with something else each time costs one decision in the time after which a person is told.
        """
        known = job.decision
        if known is None or decision.rule not in QUOTING or decision.reason == known.reason:
            return False
        return (self._clock.now() - known.decided_at).total_seconds() >= self._app.policy.attention_after

    def _wake(self, vma: str, except_for: Container[str] = ()) -> None:
        """Retry the jobs of a VMA immediately, except by some rules: it answers again, or may have restarted."""
        now = self._clock.monotonic()
        for job_id, waiting in self.waiting.items():
            if waiting.vma == vma and waiting.rule not in except_for:
                self._schedule.put(job_id, now)
