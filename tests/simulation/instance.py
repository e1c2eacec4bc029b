"""One process of the service in the simulation: assembled as in production, run, and killed."""

import asyncio
import random
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import Engine

from adapters.host.tokens import TokenFile
from adapters.simulated_vma.world import World
from api.runtime.bootstrap import Service, assemble
from api.runtime.running import run
from api.runtime.settings import Settings
from domain.ports import Log
from projections.read_model.model_server import ReadModel
from projections.read_model.projector import Projector
from tests.simulation.network import Conditions, SimulatedVMAClient
from tests.simulation.store import SimulatedEventLog
from tests.simulation.violation import Violation
from tests.support.builders import instance
from tests.support.loop import SimulatedClock

if TYPE_CHECKING:
    from adapters.event_log.sqlite_store import SQLiteEventLog

SETTINGS = Settings(
    data_dir=Path("/nonexistent"),
    poll_interval=0.5,
    probe_timeout=0.4,
    unreachable_timeout=6.0,
    unreachable_grace=1.5,
    completion_window=2.0,
    attention_after=2.0,
    startup_grace=3.0,
    confirmation_window=1.0,
    retry_backoff_initial=0.4,
    retry_backoff_max=1.0,
    stale_after=3.0,
    stalled_after=4.0,
    vmas={"second": "http://second.invalid"},
)
"""The times of production, shortened from minutes to seconds."""


Sites = dict[str, tuple[str, World]]
"""The address of each VMA in the settings, and the world that answers there."""


NO_REPAIRS = {"read_model_rebuilding", "read_model_behind"}
"""What is logged after an operator has deleted the read model, and by a start within which the machine stood still."""


class SilentLogger:
    """Discards everything, but a repair of the read model is a violation, because nothing here damages it."""

    def __init__(self, expected: Collection[str] = NO_REPAIRS) -> None:
        self._expected = expected

    def info(self, event: str, /, **fields: object) -> None:
        """Discard the entry."""
        if event.startswith("read_model_") and event not in self._expected:
            raise Violation(f"{event}: {fields}")

    warning = error = info


class Instance:
    """The service from a start to a kill."""

    def __init__(
        self,
        name: str,
        log: SimulatedEventLog,
        engine: Engine,
        sites: Sites,
        conditions: dict[str, Conditions],
        clock: SimulatedClock,
        rng: random.Random,
        logger: Log | None = None,
    ) -> None:
        self.name, quiet = name, logger or SilentLogger()
        projector = Projector(engine, log, clock, quiet)
        log.on_commit(projector.committed)
        vma = SimulatedVMAClient(sites, conditions, clock, SETTINGS, rng)
        me, events = instance(name, *sites), cast("SQLiteEventLog", log)
        self.service: Service = assemble(
            SETTINGS,
            me,
            clock,
            quiet,
            events,
            ReadModel(engine, engine),
            vma,
            projector,
            TokenFile(SETTINGS.data_dir),
            rng,
        )
        self.began = clock.monotonic()
        self._log = log
        self._running = asyncio.ensure_future(run(self.service))
        self._requests: set[asyncio.Task[Any]] = set()

    @property
    def fault(self) -> BaseException | None:
        """Return the error that ended the process, which must not happen."""
        return self._running.exception() if self._running.done() else None

    def request(self, work: Any) -> None:
        """Do the work of a request in the background, until a kill ends it."""
        task = asyncio.ensure_future(work)
        self._requests.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._requests.discard(task)
        if not task.cancelled():
            # The invariants have recorded a violation already.
            task.exception()

    async def kill(self) -> None:
        """End the process as SIGKILL does: it has no effect afterwards."""
        self._log.killed = True
        for task in (self._running, *self._requests):
            task.cancel()
        await asyncio.gather(self._running, *self._requests, return_exceptions=True)
