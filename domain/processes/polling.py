"""The poller: asks about every replicating job once per interval, evenly spread.

Only material observations become events; the others are live state, and shown as such. Lost contact leads to recovery,
never directly to an outcome.
"""

import asyncio
import math
from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec

from domain.errors import JobRecoveryError
from domain.events import Cause
from domain.lifecycle import JobState
from domain.materiality import is_material
from domain.processes.dependencies import Dependencies
from domain.processes.schedule import Schedule
from domain.processes.throughput import Sample, Throughput
from domain.recovery_policy import Rule
from domain.replication_job import ReplicationJob
from domain.vma_status import Movement, Observation, VMAStatus

CONTACT_LOST_AFTER = 2
"""Consecutive inconclusive polls after which contact counts as lost; one alone may be a dropped packet."""

GOLDEN_RATIO = 0.6180339887498949
"""Steps of the golden ratio fill the interval evenly, for any number of jobs at any time."""

FIRST_WITHIN = 0.1
"""Part of the interval within which a job is first polled, so that polling is soon verified after a restart."""

IDLE = 0.05
"""Seconds between two checks of the schedule."""


class LivePoll(msgspec.Struct, kw_only=True):
    """The poller's state of a job, between events.

    `observation` is the last one with status running and figures, `vma_status` the last status of any kind. `movement`
    is of that observation or, before the first, of the job when polling began.
    `moved_at` is when bytes, percentage or phase last changed; `still_since` is the same in awake seconds, or when
    polling began. `watched_at` and `polled_awake` are in awake seconds, too. `moved` tells whether the figures changed
    since the job was last marked as stalled, or since polling began; the times of both cannot be compared, because the
    clock may have been set between them. `asked_since` is when the present poll was due, in monotonic seconds.
    """

    vma: str
    watched_at: float
    second_due: float
    moved_at: datetime
    still_since: float
    movement: Movement
    moved: bool = False
    asked_since: float | None = None
    polls: int = 0
    misses: int = 0
    polled_at: datetime | None = None
    polled_awake: float | None = None
    observation: Observation | None = None
    vma_status: VMAStatus | None = None
    throughput: Throughput = msgspec.field(default_factory=Throughput)


class _Expected(msgspec.Struct):
    """Jobs that are expected to be polled, and those that were."""

    pending: set[str]
    polled: set[str]
    done: asyncio.Event = msgspec.field(default_factory=asyncio.Event)


class Poller:
    """Polls the jobs it watches."""

    def __init__(
        self,
        shared: Dependencies,
        *,
        awake: Callable[[], float],
        interval: float,
        on_contact_lost: Callable[[str, Cause], None],
    ) -> None:
        """`awake` returns awake seconds; `interval` is in seconds; `on_contact_lost` gets jobs without contact."""
        self.live: dict[str, LivePoll] = {}
        self.polls = 0
        self.conclusive = 0
        self._app, self._contact = shared.app, shared.contact
        self._clock, self._log = shared.clock, shared.log
        self._awake = awake
        self._interval = interval
        self._last_lag: dict[str, float] = {}
        self._on_contact_lost = on_contact_lost
        self._schedule = Schedule()
        self._phase = 0.0
        self._expected: list[_Expected] = []

    def watch(self, job: ReplicationJob) -> None:
        """Poll the job from now on."""
        if job.id in self.live:
            return
        now = self._clock.monotonic()
        self._phase = (self._phase + GOLDEN_RATIO) % 1.0
        share = self._phase * self._interval
        self.live[job.id] = LivePoll(
            vma=job.vma,
            watched_at=self._awake(),
            second_due=now + share + FIRST_WITHIN * self._interval,
            moved_at=job.moved_at or self._clock.now(),
            still_since=self._awake(),
            movement=job.movement,
        )
        self._schedule.put(job.id, now + share * FIRST_WITHIN)

    def drop(self, job_id: str) -> None:
        """Stop polling the job."""
        self._schedule.drop(job_id)
        if self.live.pop(job_id, None) is not None:
            self._resolve(job_id, polled=False)

    @property
    def lags(self) -> dict[str, float]:
        """Return the seconds by which the polls of each VMA are late: those under way, or the last one.

        Requests to a slow VMA wait for each other, so its jobs are polled later; those of other VMAs are not.
        """
        now = self._clock.monotonic()
        waiting: dict[str, float] = {}
        for live in self.live.values():
            if live.asked_since is not None:
                waiting[live.vma] = max(waiting.get(live.vma, 0.0), now - live.asked_since)
        return {live.vma: self._last_lag.get(live.vma, 0.0) for live in self.live.values()} | waiting

    @property
    def lag(self) -> float:
        """Return the seconds by which the polls of the slowest VMA are late."""
        return max(self.lags.values(), default=0.0)

    def record(self, job: ReplicationJob, observation: Observation) -> None:
        """Record a worker's own report as what is known of the job now. It is no poll: the VMA was not asked."""
        if (live := self.live.get(job.id)) is not None:
            self._record(live, observation)

    async def polled_again(self, job_ids: Iterable[str]) -> int:
        """Wait until each of these jobs was polled, or is not watched; return how many were polled."""
        watched = {job_id: self.live[job_id].polls for job_id in job_ids if job_id in self.live}
        polled = {job_id for job_id, polls in watched.items() if polls}
        expected = _Expected(watched.keys() - polled, polled)
        if expected.pending:
            self._expected.append(expected)
            await expected.done.wait()
        return len(expected.polled)

    async def run(self) -> None:
        """Poll for as long as the service runs."""
        self._log.info("progress_poller_started", interval=self._interval)
        async with asyncio.TaskGroup() as polls:
            while True:
                self._start_due(polls)
                await self._clock.sleep(IDLE)

    def _start_due(self, polls: asyncio.TaskGroup) -> None:
        while (entry := self._schedule.pop_due(self._clock.monotonic())) is not None:
            job_id, due = entry
            self.live[job_id].asked_since = due
            polls.create_task(self._poll(job_id, due, self._clock.monotonic()))

    async def _poll(self, job_id: str, due: float, began: float) -> None:
        try:
            await self._poll_once(job_id)
        except JobRecoveryError as error:
            self._log.error("poll_not_recorded", job_id=job_id, error=str(error))
        finally:
            self._put_next(job_id, due, began)

    def _put_next(self, job_id: str, due: float, began: float) -> None:
        """Schedule the poll after one that was due and began at these times.

        One that began late, as all do after a suspend, is followed by the next at the job's own time: otherwise all
        would be polled at once for ever. If a slow VMA took longer than the interval, the next one is due at once.
        """
        live = self.live.get(job_id)
        if live is None or live.asked_since != due:
            return
        now = self._clock.monotonic()
        live.asked_since, self._last_lag[live.vma] = None, now - due
        own_time = due if live.polls > 1 else live.second_due - self._interval
        intervals = max(1, math.ceil((began - own_time) / self._interval))
        self._schedule.put(job_id, max(own_time + intervals * self._interval, now))

    async def _poll_once(self, job_id: str) -> None:
        observation = await self._contact.ask(await self._app.job(job_id))
        job, live = await self._app.job(job_id), self.live.get(job_id)
        if live is None or job.state is not JobState.REPLICATING:
            return
        live.polls += 1
        self.polls += 1
        self.conclusive += observation.conclusive
        self._record(live, observation)
        await self._act(job, live, observation)
        self._resolve(job_id, polled=True)

    def _record(self, live: LivePoll, observation: Observation) -> None:
        has_figures = observation.status is VMAStatus.RUNNING and not observation.has_no_figures
        if has_figures and observation.movement != live.movement:
            live.moved, live.moved_at, live.still_since = True, observation.observed_at, self._awake()
        live.polled_at, live.polled_awake = observation.observed_at, self._awake()
        live.vma_status = observation.status
        if has_figures:
            live.observation, live.movement = observation, observation.movement
            figures = observation.progress_percent, observation.bytes_transferred
            live.throughput.add(Sample(self._clock.monotonic(), *figures))
        live.misses = 0 if observation.conclusive else live.misses + 1

    async def _act(self, job: ReplicationJob, live: LivePoll, observation: Observation) -> None:
        if is_material(job, observation):
            await self._app.observe(job.id, observation)
        if job.stalled_since is not None and live.moved:
            await self._app.mark_moving(job.id, observation)
        if live.misses >= CONTACT_LOST_AFTER and not self._may_be_starting(job, observation):
            self._on_contact_lost(job.id, Cause.CONTACT_LOST)

    def _may_be_starting(self, job: ReplicationJob, observation: Observation) -> bool:
        """Return whether the job's worker may be before its first report, so that there is no contact to lose."""
        decision = self._app.assess(job, observation, self._contact.circumstances(job))
        return decision is not None and decision.rule is Rule.NOT_STARTED_YET

    def _resolve(self, job_id: str, *, polled: bool) -> None:
        for expected in [expected for expected in self._expected if job_id in expected.pending]:
            expected.pending.discard(job_id)
            if polled:
                expected.polled.add(job_id)
            if not expected.pending:
                self._expected.remove(expected)
                expected.done.set()
