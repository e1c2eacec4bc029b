"""The poller: asks for every replicating job once per interval, evenly spread, none left out.

Only material observations become events; the rest stays here as live state and is shown as such. Contact lost
leads into recovery, never straight to an outcome.
"""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import msgspec

from domain.application import JobRecovery
from domain.errors import CouldNotAsk, JobRecoveryError
from domain.events import Cause
from domain.lifecycle import JobState
from domain.materiality import is_material
from domain.ports import Clock, Log
from domain.processes.agenda import Agenda
from domain.processes.contact import Contact
from domain.recovery_policy import Policy
from domain.replication_job import ReplicationJob
from domain.vma_status import Observation, VMAStatus

CONTACT_LOST_AFTER = 2
"""Inconclusive polls in a row after which contact counts as lost; one alone may be a dropped packet."""

GOLDEN = 0.6180339887498949
"""Steps of the golden ratio fill the interval evenly, however many jobs come and whenever they come."""

FIRST_WITHIN = 0.25
"""Part of the interval within which a job is polled first, so that a restart soon proves that it drives."""

IDLE = 0.05
"""Seconds between two looks at the agenda when nothing is due."""


class LivePoll(msgspec.Struct, kw_only=True):
    """What the poller knows of a job between events.

    `observation` is the last one that called it running, `vma_status` the last of any kind, and `moved_at` is when
    bytes, percentage or phase last changed.
    """

    vma: str
    watched_at: float
    second_due: float
    moved_at: datetime
    polls: int = 0
    misses: int = 0
    polled_at: datetime | None = None
    polled_mono: float | None = None
    observation: Observation | None = None
    vma_status: VMAStatus | None = None


class Poller:
    """Polls the jobs it watches."""

    def __init__(  # noqa: PLR0913 - a composition root calls this once
        self,
        app: JobRecovery,
        contact: Contact,
        clock: Clock,
        log: Log,
        *,
        policy: Policy,
        interval: float,
        concurrency: int,
        lose_contact: Callable[[str, Cause], None],
    ) -> None:
        """`interval` in seconds; `lose_contact` takes the jobs that no longer answer conclusively."""
        self.live: dict[str, LivePoll] = {}
        self.lag = 0.0
        self.polls = 0
        self.conclusive = 0
        self._app = app
        self._contact = contact
        self._clock = clock
        self._log = log
        self._policy = policy
        self._interval = interval
        self._slots = asyncio.Semaphore(concurrency)
        self._lose_contact = lose_contact
        self._agenda = Agenda()
        self._phase = 0.0
        self._waiting: list[tuple[set[str], set[str], asyncio.Event]] = []

    def watch(self, job: ReplicationJob) -> None:
        """Poll the job from now on."""
        if job.id in self.live:
            return
        now = self._clock.monotonic()
        self._phase = (self._phase + GOLDEN) % 1.0
        share = self._phase * self._interval
        self.live[job.id] = LivePoll(
            vma=job.vma,
            watched_at=now,
            second_due=now + share + FIRST_WITHIN * self._interval,
            moved_at=job.moved_at or self._clock.now(),
        )
        self._agenda.put(job.id, now + share * FIRST_WITHIN)

    def drop(self, job_id: str) -> None:
        """Stop polling the job."""
        self._agenda.drop(job_id)
        if self.live.pop(job_id, None) is not None:
            self._settle(job_id, polled=False)

    def note(self, job: ReplicationJob, observation: Observation) -> None:
        """Take what somebody else saw of a job for the job's last poll."""
        live = self.live.get(job.id)
        if live is not None:
            self._remember(job, live, observation)

    async def polled_again(self, job_ids: Iterable[str]) -> int:
        """Wait until each of these jobs was polled, or left `replicating`; return how many were polled."""
        polled: set[str] = set()
        pending = {j for j in job_ids if j in self.live and not self.live[j].polls}
        polled |= {j for j in job_ids if j in self.live and self.live[j].polls}
        done = asyncio.Event()
        if pending:
            self._waiting.append((pending, polled, done))
            await done.wait()
        return len(polled)

    async def run(self) -> None:
        """Poll for as long as the service runs."""
        self._log.info("progress_poller_started", interval=self._interval)
        async with asyncio.TaskGroup() as polls:
            while True:
                await self._start_due(polls)
                await self._clock.sleep(IDLE)

    async def _start_due(self, polls: asyncio.TaskGroup) -> None:
        while (entry := self._agenda.pop_due(self._clock.monotonic())) is not None:
            job_id, due = entry
            await self._slots.acquire()
            self.lag = max(0.0, self._clock.monotonic() - due)
            polls.create_task(self._poll(job_id, due))

    async def _poll(self, job_id: str, due: float) -> None:
        try:
            await self._poll_once(job_id)
        except CouldNotAsk as error:
            self._log.error("poll_could_not_ask", job_id=job_id, error=str(error))
        except JobRecoveryError as error:
            self._log.error("poll_not_recorded", job_id=job_id, error=str(error))
        finally:
            self._slots.release()
            live = self.live.get(job_id)
            if live is not None:
                now = self._clock.monotonic()
                next_due = due + self._interval if live.polls > 1 or now >= live.second_due else live.second_due
                self._agenda.put(job_id, max(next_due, now))

    async def _poll_once(self, job_id: str) -> None:
        observation = await self._contact.ask(await self._app.job(job_id))
        job, live = await self._app.job(job_id), self.live.get(job_id)
        if live is None or job.state is not JobState.REPLICATING:
            return
        self._remember(job, live, observation)
        await self._act(job, live, observation)
        self._settle(job_id, polled=True)

    def _remember(self, job: ReplicationJob, live: LivePoll, observation: Observation) -> None:
        before = live.observation.movement if live.observation else _recorded_movement(job)
        now_moved = observation.movement if live.observation else _movement_of(observation)
        if observation.status is VMAStatus.RUNNING and now_moved != before:
            live.moved_at = observation.observed_at
        live.polls += 1
        self.polls += 1
        self.conclusive += observation.conclusive
        live.polled_at = observation.observed_at
        live.polled_mono = self._clock.monotonic()
        live.vma_status = observation.status
        if observation.status is VMAStatus.RUNNING:
            live.observation = observation
        live.misses = 0 if observation.conclusive else live.misses + 1

    async def _act(self, job: ReplicationJob, live: LivePoll, observation: Observation) -> None:
        if is_material(job, observation):
            await self._app.observe(job.id, observation)
        if job.stalled_since is not None and live.moved_at > job.stalled_since:
            await self._app.mark_moving(job.id, observation)
        if live.misses >= CONTACT_LOST_AFTER and not self._may_be_starting(job, observation):
            self._lose_contact(job.id, Cause.CONTACT_LOST)

    def _may_be_starting(self, job: ReplicationJob, observation: Observation) -> bool:
        """A job that the VMA has not known yet has no contact to lose; polling goes on through its start-up."""
        if job.seen_on_vma or observation.status is not VMAStatus.NOT_FOUND:
            return False
        grace = timedelta(seconds=self._policy.startup_grace)
        return job.registered_at is not None and self._clock.now() - job.registered_at <= grace

    def _settle(self, job_id: str, *, polled: bool) -> None:
        for entry in list(self._waiting):
            pending, done_ids, done = entry
            if job_id in pending:
                pending.discard(job_id)
                if polled:
                    done_ids.add(job_id)
                if not pending:
                    self._waiting.remove(entry)
                    done.set()


def _recorded_movement(job: ReplicationJob) -> tuple[object, ...]:
    return (job.bytes_transferred, job.progress_percent, job.phase)


def _movement_of(observation: Observation) -> tuple[object, ...]:
    return observation.movement[:3]
