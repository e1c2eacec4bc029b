"""The run book: starts recovery runs, finishes them, and closes those of an earlier process.

Each write is retried until it is stored: a full disk must neither end the service nor leave its jobs unwatched.
"""

from collections.abc import Awaitable, Callable, Container, Sequence
from typing import TypeVar

from domain.errors import ConcurrentWrite, NotFound, StorageUnavailable
from domain.events import Cause, RecoveryRunFinished, RecoveryRunInterrupted, RecoveryRunStarted, Trace
from domain.ports import Clock, EventLog, Log
from domain.recovery_policy import Policy
from domain.recovery_run import RecoveryRun, RunTotals

T = TypeVar("T")

WRITE_RETRY_AFTER = 1.0
"""Seconds between two attempts to write."""


class RunBook:
    """Writes recovery runs to the event log for one instance of the service."""

    def __init__(
        self, event_log: EventLog, clock: Clock, logger: Log, instance: str, new_id: Callable[[], str]
    ) -> None:
        """`instance` names this process in every run it makes; `new_id` makes the ids of runs."""
        self.instance = instance
        self.new_id = new_id
        self._event_log = event_log
        self._clock = clock
        self._logger = logger

    async def unfinished(self, alive: Container[str]) -> list[str]:
        """Return the ids of the runs that have started and not ended, without those of the instances that live."""
        runs: dict[str, None] = {}
        for event in await self._event_log.select(RecoveryRunStarted, RecoveryRunFinished, RecoveryRunInterrupted):
            if isinstance(event, RecoveryRunStarted):
                if event.instance not in alive:
                    runs[event.originator_id] = None
            else:
                runs.pop(event.originator_id, None)
        return list(runs)

    async def start(
        self, run_id: str, cause: Cause, policy: Policy, job_ids: tuple[str, ...], asked_by: Trace | None
    ) -> RecoveryRun:
        """Record the start of a run that a request asked for or, without `asked_by`, this process itself."""
        trace = Trace(run_id, asked_by.causation_id, asked_by.actor) if asked_by else Trace(run_id, self.instance)

        async def write() -> RecoveryRun:
            stored = await self._event_log.load(RecoveryRun, run_id)
            # An earlier attempt may have been stored although it reported an error.
            if stored is not None and stored.instance == self.instance:
                return stored
            run = RecoveryRun(id=run_id)
            run.start(cause, self.instance, policy, job_ids, self._clock.now(), trace)
            await self._event_log.append(run.collect_events())
            return run

        return await self._retry_until_stored("recovery_start_not_recorded", run_id, write)

    async def finish(self, run_id: str, totals: RunTotals) -> None:
        """Record the end of a run and its totals."""

        async def write() -> None:
            run = await self._event_log.load(RecoveryRun, run_id)
            if run is None:
                raise NotFound(f"there is no recovery run {run_id}")
            run.finish(totals, self._clock.now())
            await self._event_log.append(run.collect_events())

        await self._retry_until_stored("recovery_end_not_recorded", run_id, write)

    async def interrupt(self, run_ids: Sequence[str], reason: str) -> None:
        """Close the unfinished runs of earlier processes; those of this one continue. Safe to repeat."""

        async def write() -> None:
            for run in (await self._event_log.load_many(RecoveryRun, run_ids)).values():
                if run.instance != self.instance:
                    run.interrupt(reason, self._clock.now(), Trace(run.id, self.instance))
                    await self._event_log.append(run.collect_events())

        await self._retry_until_stored("recovery_interruption_not_recorded", ", ".join(run_ids), write)

    async def _retry_until_stored(self, failure: str, run_id: str, write: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                return await write()
            except (StorageUnavailable, ConcurrentWrite) as error:
                self._logger.error(failure, run_id=run_id, error=str(error))
                await self._clock.sleep(WRITE_RETRY_AFTER)
