"""One process of the service in the simulation: put together as in production, run, and killed."""

import asyncio
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import Engine

from adapters.simulated_vma.world import World
from api.http.server import run
from api.runtime.bootstrap import Service, assemble
from api.runtime.settings import Settings
from projections.read_model.projector import Projector
from tests.simulation.network import SimulatedVMAClient, Weather
from tests.simulation.store import Disk, SimulatedLog
from tests.simulation.violation import Violation
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
"""What takes minutes in production takes seconds."""


Sites = dict[str, tuple[str, World]]
"""Where each VMA of the settings is, and the world that answers there."""


class SilentLog:
    """Keeps nothing; but that the read model had to be mended is a violation, for nothing here damages it."""

    def info(self, event: str, /, **fields: object) -> None:
        """Say nothing."""
        if event.startswith("read_model_"):
            raise Violation(f"{event}: {fields}")

    warning = error = info


class Life:
    """The service from a start to a kill."""

    def __init__(
        self,
        number: int,
        disk: Disk,
        engine: Engine,
        sites: Sites,
        weather: dict[str, Weather],
        clock: SimulatedClock,
        rng: random.Random,
    ) -> None:
        log, quiet = SimulatedLog(disk, rng), SilentLog()
        projector = Projector(engine, log, clock, quiet)
        log.on_commit(projector.committed)
        vma = SimulatedVMAClient(sites, weather, clock, SETTINGS, rng)
        instance, events = f"life-{number}", cast("SQLiteEventLog", log)
        self.service: Service = assemble(SETTINGS, instance, clock, quiet, events, engine, vma, projector, rng)
        self.began = clock.monotonic()
        self._log = log
        self._running = asyncio.ensure_future(run(self.service))
        self._errands: set[asyncio.Task[Any]] = set()

    @property
    def fault(self) -> BaseException | None:
        """Whatever ended the process by itself: nothing may."""
        return self._running.exception() if self._running.done() else None

    def errand(self, work: Any) -> None:
        """Do what a request does; a kill ends it, and a refusal is its answer."""
        task = asyncio.ensure_future(work)
        self._errands.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._errands.discard(task)
        if not task.cancelled():
            # What is wrong is known to the invariants already.
            task.exception()

    async def kill(self) -> None:
        """End the process as SIGKILL does: whatever it still does comes to nothing."""
        self._log.killed = True
        for task in (self._running, *self._errands):
            task.cancel()
        await asyncio.gather(self._running, *self._errands, return_exceptions=True)
