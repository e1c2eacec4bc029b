"""The health monitor: no job unwatched, and no stalled job unnoticed."""

from collections.abc import Callable

from domain.errors import JobRecoveryError
from domain.events import Cause
from domain.processes.dependencies import Dependencies
from domain.processes.polling import LivePoll, Poller
from domain.vma_status import VMAStatus


class HealthMonitor:
    """Checks all polled jobs periodically. Seconds."""

    def __init__(  # noqa: PLR0913 - each duration has a name of its own
        self,
        shared: Dependencies,
        poller: Poller,
        *,
        awake: Callable[[], float],
        stale_after: float,
        stalled_after: float,
        recover: Callable[[str, Cause], None],
    ) -> None:
        """A job unpolled for `stale_after` is recovered; one without progress for `stalled_after` is marked as stalled.

        `awake` returns awake seconds: an absence of this process makes no job stale or stalled.
        """
        self._app, self._clock, self._log = shared.app, shared.clock, shared.log
        self._poller = poller
        self._awake = awake
        self._stale_after = stale_after
        self._stalled_after = stalled_after
        self._recover = recover
        self._late: set[str] = set()
        self._tick = max(0.1, min(stale_after / 4, stalled_after / 4, 5.0))

    async def run(self) -> None:
        """Check the jobs for as long as the service runs."""
        while True:
            await self._clock.sleep(self._tick)
            await self.check_jobs()

    async def check_jobs(self) -> None:
        """Check every polled job once."""
        late = {vma: lag for vma, lag in self._poller.lags.items() if lag >= self._stale_after}
        for vma in sorted(late.keys() - self._late):
            lag = round(late[vma], 1)
            self._log.warning("vma_polled_late", vma=vma, lag=lag, why="it answers more slowly than it is asked")
        self._late = set(late)
        for job_id, live in list(self._poller.live.items()):
            if self._is_stale(live):
                self._log.warning("job_unpolled", job_id=job_id, stale_after=self._stale_after)
                self._recover(job_id, Cause.STALE)
            elif self._is_stalled(live):
                await self._mark_stalled(job_id, live)

    def _is_stale(self, live: LivePoll) -> bool:
        """Return whether the job is unpolled for too long. A poll that waits for a slow VMA counts as under way."""
        last = live.polled_awake if live.polled_awake is not None else live.watched_at
        return live.asked_since is None and self._awake() - last > self._stale_after

    def _is_stalled(self, live: LivePoll) -> bool:
        """Return whether a running job has no progress. Only figures count: every GET refreshes the time stamps."""
        seen = live.observation
        if seen is None or seen.status is not VMAStatus.RUNNING or live.misses:
            return False
        return self._awake() - live.still_since > self._stalled_after

    async def _mark_stalled(self, job_id: str, live: LivePoll) -> None:
        try:
            job = await self._app.job(job_id)
            if job.stalled_since is None:
                live.moved = False
                await self._app.mark_stalled(job_id, live.moved_at)
                self._log.warning("job_stalled", job_id=job_id, since=live.moved_at.isoformat())
        except JobRecoveryError as error:
            self._log.error("stall_not_recorded", job_id=job_id, error=str(error))
