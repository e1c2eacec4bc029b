"""The poller: asks for every replicating job once per interval, evenly spread, none left out.

Only material observations become events; the rest stays here as live state and is shown as such. Contact lost
leads into recovery, never straight to an outcome.
"""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec

from domain.errors import JobRecoveryError
from domain.events import Cause
from domain.lifecycle import JobState
from domain.materiality import is_material
from domain.processes.agenda import Agenda
from domain.processes.dependencies import Dependencies
from domain.recovery_policy import Rule
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

    `observation` is the last one that called it running and told how far it is, `vma_status` the last of any kind, and
    `moved_at` is when bytes, percentage or phase last changed; `still_since` is that in awake seconds, or when we began
    to look, as are `watched_at` and `polled_awake`. `moved` says whether they changed since the job was last called
    stalled, or since we began to look: two times cannot be compared, the clock may have been set between them.
    `asked_since` is when the poll was due that is under way, in monotonic seconds.
    """

    vma: str
    watched_at: float
    second_due: float
    moved_at: datetime
    still_since: float
    moved: bool = False
    asked_since: float | None = None
    polls: int = 0
    misses: int = 0
    polled_at: datetime | None = None
    polled_awake: float | None = None
    observation: Observation | None = None
    vma_status: VMAStatus | None = None


class Poller:
    """Polls the jobs it watches."""

    def __init__(
        self,
        shared: Dependencies,
        *,
        awake: Callable[[], float],
        interval: float,
        lose_contact: Callable[[str, Cause], None],
    ) -> None:
        """`awake` counts seconds, as `interval`; `lose_contact` takes the jobs that no longer answer conclusively."""
        self.live: dict[str, LivePoll] = {}
        self.polls = 0
        self.conclusive = 0
        self._app, self._contact = shared.app, shared.contact
        self._clock, self._log = shared.clock, shared.log
        self._awake = awake
        self._interval = interval
        self._last_lag: dict[str, float] = {}
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
            watched_at=self._awake(),
            second_due=now + share + FIRST_WITHIN * self._interval,
            moved_at=job.moved_at or self._clock.now(),
            still_since=self._awake(),
        )
        self._agenda.put(job.id, now + share * FIRST_WITHIN)

    def drop(self, job_id: str) -> None:
        """Stop polling the job."""
        self._agenda.drop(job_id)
        if self.live.pop(job_id, None) is not None:
            self._settle(job_id, polled=False)

    @property
    def lags(self) -> dict[str, float]:
        """By how many seconds the polls of each VMA with jobs are late: those under way, or the last if none is.

        Questions to a slow VMA wait for their turn, so its jobs are polled more slowly; the others' are not.
        """
        now = self._clock.monotonic()
        waiting: dict[str, float] = {}
        for live in self.live.values():
            if live.asked_since is not None:
                waiting[live.vma] = max(waiting.get(live.vma, 0.0), now - live.asked_since)
        return {live.vma: self._last_lag.get(live.vma, 0.0) for live in self.live.values()} | waiting

    @property
    def lag(self) -> float:
        """By how many seconds the polls of the slowest VMA are late."""
        return max(self.lags.values(), default=0.0)

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
                self._start_due(polls)
                await self._clock.sleep(IDLE)

    def _start_due(self, polls: asyncio.TaskGroup) -> None:
        while (entry := self._agenda.pop_due(self._clock.monotonic())) is not None:
            job_id, due = entry
            self.live[job_id].asked_since = due
            polls.create_task(self._poll(job_id, due))

    async def _poll(self, job_id: str, due: float) -> None:
        try:
            await self._poll_once(job_id)
        except JobRecoveryError as error:
            self._log.error("poll_not_recorded", job_id=job_id, error=str(error))
        finally:
            self._put_next(job_id, due)

    def _put_next(self, job_id: str, due: float) -> None:
        live = self.live.get(job_id)
        if live is None or live.asked_since != due:
            return
        now = self._clock.monotonic()
        live.asked_since, self._last_lag[live.vma] = None, now - due
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
        before = live.observation.movement if live.observation else job.movement
        tells = observation.status is VMAStatus.RUNNING and not observation.is_status_alone
        if tells and observation.movement != before:
            live.moved, live.moved_at, live.still_since = True, observation.observed_at, self._awake()
        live.polls += 1
        self.polls += 1
        self.conclusive += observation.conclusive
        live.polled_at = observation.observed_at
        live.polled_awake = self._awake()
        live.vma_status = observation.status
        if tells:
            live.observation = observation
        live.misses = 0 if observation.conclusive else live.misses + 1

    async def _act(self, job: ReplicationJob, live: LivePoll, observation: Observation) -> None:
        if is_material(job, observation):
            await self._app.observe(job.id, observation)
        if job.stalled_since is not None and live.moved:
            await self._app.mark_moving(job.id, observation)
        if live.misses >= CONTACT_LOST_AFTER and not self._may_be_starting(job, observation):
            self._lose_contact(job.id, Cause.CONTACT_LOST)

    def _may_be_starting(self, job: ReplicationJob, observation: Observation) -> bool:
        """A job whose worker may not have begun has no contact to lose; polling goes on through its start-up."""
        decision = self._app.assess(job, observation, self._contact.circumstances(job))
        return decision is not None and decision.rule is Rule.NOT_STARTED_YET

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
