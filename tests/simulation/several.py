"""Simulations with several instances: the same jobs and VMAs, and instances that die, stop, or lose the server."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import cache

from sqlalchemy import Engine, StaticPool, create_engine, insert

from adapters.event_log.sqlite import sqlite3
from domain.processes.awake import ABSENT
from projections.read_model import schema
from projections.read_model.checkpoint import NAME
from tests.simulation.instance import NO_REPAIRS, Instance, SilentLogger
from tests.simulation.scenario import CHECK_INTERVAL, Simulation
from tests.simulation.sharing import Server, Session, SharedEventLog, StoppableClock
from tests.simulation.violation import Violation
from tests.support.loop import SimulatedLoop

MOST = 4

TAKEN_OVER_WITHIN = 16.0
"""Virtual seconds in which the jobs of an instance that was stopped have another watcher."""

STOPS = (0.5, 3.0, 9.0, 30.0)
"""Virtual seconds for which an instance is stopped."""


MOVED_BY_OTHERS = NO_REPAIRS | {"read_model_away"}
"""What is logged if several update one read model, each from where it is."""


class SeveralInstances(Simulation):
    """The simulation of one seed with one to four instances."""

    def __init__(self, seed: int, loop: SimulatedLoop) -> None:
        self._has_one_read_model = seed % 4 == 3
        self._server = Server()
        self._clocks: dict[int, StoppableClock] = {}
        self._running: dict[int, Instance] = {}
        self._chosen = 0
        self._started = 0
        super().__init__(seed, loop, engine_of(0), self._server)
        self._invariants.unwatched_for = TAKEN_OVER_WITHIN
        self._invariants.sightings.by_several = True
        self._server.on_claim = self._is_taken_over
        for number in range(1, self.rng.randint(1, MOST)):
            self._start(number)

    @property
    def _instance(self) -> Instance:
        """Return the instance that a client's request reaches: any of those that run."""
        running = [one for number, one in self._running.items() if not self._clocks[number].is_stopped]
        return self.rng.choice(running or list(self._running.values()))

    @_instance.setter
    def _instance(self, _instance: Instance) -> None:
        """Nothing: each instance is kept under its number."""

    def lose_the_read_model(self) -> None:
        """Delete the read model of each instance."""
        for number in range(MOST):
            with engine_of(number).begin() as connection:
                for table in schema.metadata.sorted_tables:
                    connection.execute(table.delete())
                row = {"name": NAME, "is_valid": True, "notification_id": 0}
                connection.execute(insert(schema.position).values(row))

    async def end(self) -> None:
        for instance in self._running.values():
            await instance.kill()

    def _start_instance(self, *, calm: bool) -> Instance:  # noqa: ARG002 - all have the same settings
        return self._start(0)

    def _engine_of(self, number: int) -> Engine:
        """Return the read model of an instance. One that all share is updated by each, without a lock."""
        return engine_of(0 if self._has_one_read_model else number)

    def _start(self, number: int) -> Instance:
        self._started += 1
        self._invariants.restarted(self.clock.monotonic())
        clock = self._clocks[number] = StoppableClock(self.machine)
        name = f"life-{number}-{self._started}"
        log = SharedEventLog(self._server, name, clock, self.rng)
        sites = self._sites(calm=True)
        quiet = SilentLogger(MOVED_BY_OTHERS if self._has_one_read_model else NO_REPAIRS)
        instance = Instance(name, log, self._engine_of(number), sites, self.conditions, clock, self.rng, quiet)
        instance.service.contact.on_observed(self._invariants.sightings.observed)
        self._running[number] = instance
        return instance

    def _is_taken_over(self, share: str) -> None:
        """The new owner knows what is in the log, and has asked nobody yet."""
        self.ground_truth.taken_over(share, self.clock.monotonic())
        self._invariants.sightings.restarted(share)

    async def _restart(self, *, calm: bool = False) -> None:
        """Kill, stop or cut off instances; in calm, all of them run on."""
        self.result.restarts += 1
        if calm:
            self._server.frozen = False
            for clock in self._clocks.values():
                clock.stopped_until = 0.0
            for number in sorted(self._running):
                await self._kill_and_start(number)
            return
        hazard = self.rng.choice(HAZARDS)
        self.result.hazards[hazard.__name__] += 1
        await hazard(self)
        await self._pass(self.rng.uniform(0.0, 3.0))

    async def _kill_and_start(self, number: int, later: float = 0.0) -> None:
        await self._running[number].kill()
        self._session_of(number).alive = False
        await self._pass_without(number, later)
        self._start(number)

    async def _pass_without(self, number: int, seconds: float) -> None:
        if len(self._running) > 1:
            killed = self._running.pop(number)
            await self._pass(seconds)
            self._running[number] = killed
        else:
            await asyncio.sleep(seconds)

    async def kill_one(self) -> None:
        await self._kill_and_start(self.rng.choice(sorted(self._running)), self.rng.choice([0.0, 1.0, 4.0]))

    async def stop_one(self) -> None:
        number = self.rng.choice(sorted(self._running))
        seconds = self.rng.choice(STOPS)
        until = self.clock.monotonic() + seconds
        self._clocks[number].stopped_until = until
        self._invariants.restarted(self.clock.monotonic())
        for vma in self._server.owned(self._session_of(number)) if seconds > ABSENT else ():
            self.ground_truth.taken_over(vma, until)

    def _session_of(self, number: int) -> Session:
        return self._server.sessions[self._running[number].name]

    def _owner_of(self, vma: str) -> Instance:
        owners = (one for n, one in self._running.items() if self._server.holds(vma, self._session_of(n)))
        return next(owners, self._instance)

    async def break_a_session(self) -> None:
        self._server.sessions[self.rng.choice(sorted(self._server.sessions))].alive = False

    async def restart_the_server(self) -> None:
        for session in self._server.sessions.values():
            session.alive = False

    async def freeze_the_server(self) -> None:
        self._server.frozen = True
        await self._pass(self.rng.choice([1.0, 5.0]))
        self._server.frozen = False

    async def _pass(self, seconds: float) -> None:
        until = self.clock.monotonic() + seconds
        while (now := self.clock.monotonic()) < until:
            await asyncio.sleep(min(CHECK_INTERVAL, until - now))
            self.ground_truth.record()
            if self._server.stranger is not None:
                raise Violation(self._server.stranger)
            if self._invariants.first_violation is not None:
                raise self._invariants.first_violation
            for number, instance in self._running.items():
                if instance.fault is not None:
                    raise Violation(f"instance {number} ended by itself: {instance.fault!r}")
            watching = [one.service for n, one in self._running.items() if not self._clocks[n].is_stopped]
            if not watching or self._server.frozen:
                self._invariants.restarted(self.clock.monotonic())
            self._invariants.check_watchers(watching, self.clock.monotonic())


HAZARDS: list[Callable[[SeveralInstances], Awaitable[None]]] = [
    SeveralInstances.kill_one,
    SeveralInstances.kill_one,
    SeveralInstances.stop_one,
    SeveralInstances.stop_one,
    SeveralInstances.break_a_session,
    SeveralInstances.restart_the_server,
    SeveralInstances.freeze_the_server,
]


@cache
def engine_of(number: int) -> Engine:
    """Return the read model of one instance in this process, which each simulation empties first."""
    engine = create_engine("sqlite://", module=sqlite3, poolclass=StaticPool)
    schema.metadata.create_all(engine)
    return engine
