"""The supervisor: the processes that run as long as the service does, and what it does with the jobs that it owns.

Open jobs are recovered when their VMA becomes this instance's: after a start, or a takeover from another instance.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from domain.errors import LogChanged, StorageUnavailable
from domain.events import Cause, Event
from domain.ownership import Ownership
from domain.processes.awake import AwakeTime
from domain.processes.dependencies import Dependencies
from domain.processes.health import HealthMonitor
from domain.processes.polling import Poller
from domain.processes.reconciliation import Reconciliation
from domain.processes.recovery import Recovery
from domain.processes.retry import RetryScheduler
from domain.processes.watch import Watch
from domain.replication_job import ReplicationJob
from domain.run_book import RunBook

RETRY = 1.0
"""Seconds between two attempts to read the open jobs, or the guesses."""

LOOK = 0.5
"""Seconds between two looks at what this instance owns."""

HAND_OVER_WITHIN = 4.0
"""Seconds that the running probes of a VMA may take before it is handed over; less than a usual poll interval."""


class Supervisor:
    """Runs all processes, and assigns each job to its watcher."""

    def __init__(  # noqa: PLR0913 - the list of the processes
        self,
        shared: Dependencies,
        *,
        runs: RunBook,
        poller: Poller,
        retries: RetryScheduler,
        reconciliation: Reconciliation,
        recovery: Recovery,
        health: HealthMonitor,
        awake: AwakeTime,
        guesses: Callable[[], Awaitable[Sequence[str]]],
        ownership: Ownership,
    ) -> None:
        """`guesses` finds the jobs whose outcome was inferred; nothing runs yet."""
        self._ownership = ownership
        self._taking = asyncio.Lock()
        self._app, self._contact = shared.app, shared.contact
        self._clock, self._log = shared.clock, shared.log
        self._runs = runs
        self._recovery = recovery
        self.restart_run: str | None = None
        """The id of the run after the start of this process; None until it begins."""
        self.unwatched: str | None = None
        """Why the jobs of this instance are not watched; None if they are."""
        self.unwatched_guesses: str | None = None
        """Why the jobs whose outcome was inferred are not watched yet; None if they are."""
        self._guesses = guesses
        self._processes = (awake.run, poller.run, retries.run, recovery.run_forever, health.run, reconciliation.run)
        self._watch = Watch(poller, retries, reconciliation)
        self._app.subscribe(self._follow)

    async def run(self) -> None:
        """Recover the open jobs of this instance, and run until cancelled."""
        async with asyncio.TaskGroup() as processes:
            for process in self._processes:
                processes.create_task(process())
            while True:
                if (more := await self._look()) is not None:
                    self._drop_unowned()
                    processes.create_task(self._take(more))
                if (share := self._ownership.surplus()) is not None:
                    self._ownership.leave(share)
                    self._drop_unowned()
                    processes.create_task(self._hand_over(share))
                await self._clock.sleep(LOOK)

    async def _look(self) -> frozenset[str] | None:
        """Return the shares of which this instance watches more jobs than before; None if it watches the same."""
        try:
            more = await self._ownership.look()
        except LogChanged:
            raise
        except StorageUnavailable as error:
            if not self._ownership.owned:
                self._report_unwatched(error)
            return None
        if not self._taking.locked():
            self.unwatched = None
        return more

    async def _take(self, shares: frozenset[str]) -> None:
        """Recover the open jobs of these shares: the first are recovered as after a restart, others as taken over."""
        if not shares:
            return
        async with self._taking:
            unfinished, open_jobs = await self._load(shares)
            run_id, is_first = self._runs.new_id(), self.restart_run is None
            self.restart_run = self.restart_run or run_id
        event = "recovery_initialised" if is_first else "vmas_taken_over"
        self._log.info(event, jobs=len(open_jobs), instance=self._runs.instance, vmas=sorted(shares))
        async with asyncio.TaskGroup() as processes:
            processes.create_task(self._runs.interrupt(unfinished, "the process ended before the run did"))
            if open_jobs or is_first:
                cause = Cause.RESTART if is_first else Cause.TAKEOVER
                processes.create_task(self._recovery.run(cause, open_jobs, run_id=run_id))
            processes.create_task(self._watch_guesses())

    async def _hand_over(self, share: str) -> None:
        """Hand a share over when the running probes of its VMA have ended."""
        await self._contact.quiet(share, HAND_OVER_WITHIN)
        self._log.info("vma_handed_over", vma=share)
        try:
            await self._ownership.release(share)
        except StorageUnavailable as error:
            # The next look finds it owned, or lost.
            self._log.error("vma_not_handed_over", vma=share, why=str(error))

    def _drop_unowned(self) -> None:
        """Stop to watch the jobs of VMAs that this instance does not own any more."""
        for job in self._app.drop_unowned():
            self._watch.drop(job.id)
            self._contact.forget(job)

    def without_vma(self) -> dict[str, int]:
        """Return the number of open jobs of each VMA that is not in the settings, and so cannot be asked."""
        return dict(Counter(job.vma for job in self._app.watched if job.is_open and not self._contact.knows(job.vma)))

    async def _load(self, shares: frozenset[str]) -> tuple[list[str], list[str]]:
        """Return the ids of the unfinished runs and of the shares' open jobs. A log that is away is waited for.

        Raises:
            LogChanged: the log is another one.

        """
        while True:
            try:
                loaded = await self._runs.unfinished(self._ownership.alive), await self._load_jobs(shares)
            except LogChanged:
                raise
            except StorageUnavailable as error:
                self._report_unwatched(error)
            else:
                self.unwatched = None
                return loaded
            await self._clock.sleep(RETRY)

    async def _load_jobs(self, shares: frozenset[str]) -> list[str]:
        """Load the open jobs of these shares; return their ids."""
        open_jobs = await self._app.open_jobs(shares if self._ownership.is_shared else None)
        jobs = await self._app.preload(open_jobs)
        for job_id in set(open_jobs) - {job.id for job in jobs}:
            self._log.error("job_not_watched", job_id=job_id, why="its events cannot be read", remedy="see `verify`")
        still_open = [job for job in jobs if job.is_open and self._ownership.share_of(job.vma) in shares]
        for job in still_open:
            self._contact.restore(job)
        for vma, count in self.without_vma().items():
            self._log.warning("jobs_without_vma", vma=vma, jobs=count, remedy=f"add {vma} to JOB_RECOVERY_VMAS")
        return [job.id for job in still_open]

    async def _watch_guesses(self) -> None:
        """Watch the jobs whose outcome was inferred, as soon as they can be read. Recovery does not wait for them."""
        while True:
            try:
                guesses = await self._app.preload(await self._guesses())
            except StorageUnavailable as error:
                if self.unwatched_guesses is None:
                    self._log.warning("guesses_not_watched_yet", why=str(error))
                self.unwatched_guesses = str(error)
            else:
                self.unwatched_guesses = None
                for job in guesses:
                    self._watch.assign(job)
                return
            await self._clock.sleep(RETRY)

    def _report_unwatched(self, error: StorageUnavailable) -> None:
        if str(error) != self.unwatched:
            self._log.error("jobs_not_loaded_yet", why=str(error))
        self.unwatched = str(error)

    def _follow(self, job: ReplicationJob, events: Sequence[Event]) -> None:  # noqa: ARG002
        if not self._ownership.owns(job.vma):
            return
        if not job.is_open:
            self._contact.forget(job)
        self._watch.assign(job)
