"""The commands on recovery runs: start, finish, and close what a crash left open."""

from collections.abc import Callable, Iterable

import msgspec

from domain.errors import NotFound
from domain.events import Cause, RecoveryRunFinished, Trace
from domain.ports import Clock, EventLog
from domain.recovery_policy import Policy
from domain.recovery_run import RUNNING, RecoveryRun


class RunResult(msgspec.Struct, kw_only=True):
    """What came of a run; durations in seconds."""

    outcomes: dict[str, int]
    rules: dict[str, int]
    resumed: int
    polled_again: int
    left_replicating: int
    settled_elsewhere: int
    decided_in: float
    proven_in: float


class RunBook:
    """Writes recovery runs into the log, in the name of one instance of the service."""

    def __init__(self, log: EventLog, clock: Clock, instance: str, new_id: Callable[[], str]) -> None:
        """`instance` names this process in every run it makes; `new_id` makes the ids of runs."""
        self.instance = instance
        self.new_id = new_id
        self._log = log
        self._clock = clock

    async def start(
        self, run_id: str, cause: Cause, policy: Policy, job_ids: tuple[str, ...], asked_by: Trace | None
    ) -> RecoveryRun:
        """Record that a run begins, asked for by a request or, without one, by this process itself."""
        # What was stored although its answer was lost need not be stored again.
        if (stored := await self._log.load(RecoveryRun, run_id)) is not None and stored.instance == self.instance:
            return stored
        run = RecoveryRun(id=run_id)
        trace = Trace(run_id, asked_by.causation_id, asked_by.actor) if asked_by else Trace(run_id, self.instance)
        run.start(cause, self.instance, policy, job_ids, self._clock.now(), trace)
        await self._log.append(run.collect_events())
        return run

    async def finish(self, run_id: str, result: RunResult) -> None:
        """Record that a run is over, with its proof of drive. Can be tried again after it failed: it loads anew."""
        run = await self._log.load(RecoveryRun, run_id)
        if run is None:
            raise NotFound(f"there is no recovery run {run_id}")
        if run.status != RUNNING:
            return
        fields = msgspec.structs.asdict(result)
        run.record(RecoveryRunFinished, self._clock.now(), Trace(run.id, run.last_ref), **fields)
        await self._log.append(run.collect_events())

    async def interrupt(self, run_ids: Iterable[str], reason: str) -> None:
        """Close runs that an earlier process began and did not finish; our own go on. Safe to repeat."""
        for run_id in run_ids:
            run = await self._log.load(RecoveryRun, run_id)
            if run is not None and run.instance != self.instance:
                run.interrupt(reason, self._clock.now(), Trace(run_id, self.instance))
                await self._log.append(run.collect_events())
