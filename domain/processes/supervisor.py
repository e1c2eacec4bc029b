"""The supervisor: the start of the service, and the processes that run as long as it does."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from domain.errors import LogChanged, StorageUnavailable
from domain.events import Cause, Event
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
    ) -> None:
        """`guesses` finds the jobs whose outcome was inferred; nothing runs yet."""
        self._app, self._contact = shared.app, shared.contact
        self._clock, self._log = shared.clock, shared.log
        self._runs = runs
        self._recovery = recovery
        self.restart_run: str | None = None
        """The id of the run after the start of this process; None until it begins."""
        self.unwatched: str | None = None
        """Why no job is watched yet; None if the open jobs are."""
        self.unwatched_guesses: str | None = None
        """Why the jobs whose outcome was inferred are not watched yet; None if they are."""
        self._guesses = guesses
        self._processes = (awake.run, poller.run, retries.run, recovery.run_forever, health.run, reconciliation.run)
        self._watch = Watch(poller, retries, reconciliation)
        self._app.subscribe(self._follow)

    async def run(self) -> None:
        """Recover the open jobs, and run until cancelled."""
        unfinished, open_jobs = await self._load()
        async with asyncio.TaskGroup() as processes:
            for process in self._processes:
                processes.create_task(process())
            # The processes log their start before the recovery does.
            await asyncio.sleep(0)
            processes.create_task(self._runs.interrupt(unfinished, "the process ended before the run did"))
            self._log.info("recovery_initialised", jobs=len(open_jobs), instance=self._runs.instance)
            self.restart_run = self._runs.new_id()
            processes.create_task(self._recovery.run(Cause.RESTART, open_jobs, run_id=self.restart_run))
            processes.create_task(self._watch_guesses())

    def without_vma(self) -> dict[str, int]:
        """Return the number of open jobs of each VMA that is not in the settings, and so cannot be asked."""
        return dict(Counter(job.vma for job in self._app.watched if job.is_open and not self._contact.knows(job.vma)))

    async def _load(self) -> tuple[list[str], list[str]]:
        """Return the ids of the unfinished runs and of the open jobs. A log that is away is waited for.

        Raises:
            LogChanged: the log is another one.

        """
        while True:
            try:
                loaded = await self._runs.unfinished(), await self._load_jobs()
            except LogChanged:
                raise
            except StorageUnavailable as error:
                if str(error) != self.unwatched:
                    self._log.error("jobs_not_loaded_yet", why=str(error))
                self.unwatched = str(error)
            else:
                self.unwatched = None
                return loaded
            await self._clock.sleep(RETRY)

    async def _load_jobs(self) -> list[str]:
        """Load the open jobs; return their ids."""
        open_jobs = await self._app.open_jobs()
        jobs = await self._app.preload(open_jobs)
        for job_id in set(open_jobs) - {job.id for job in jobs}:
            self._log.error("job_not_watched", job_id=job_id, why="its events cannot be read", remedy="see `verify`")
        still_open = [job for job in jobs if job.is_open]
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

    def _follow(self, job: ReplicationJob, events: Sequence[Event]) -> None:  # noqa: ARG002
        if not job.is_open:
            self._contact.forget(job)
        self._watch.assign(job)
