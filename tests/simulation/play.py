"""Plays seeds, each on a loop of its own."""

import asyncio
from collections.abc import Iterable
from functools import cache

from sqlalchemy import Engine, StaticPool, create_engine

from adapters.event_log.sqlite import sqlite3
from projections.read_model import schema
from tests.simulation.scenario import Result, Simulation
from tests.support.loop import NothingLeftToDo, SimulatedLoop


def play(seed: int) -> Result:
    """Return the result of a seed, with its first violation."""
    loop = SimulatedLoop()
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(_play(seed, loop))
    finally:
        loop.close()
        asyncio.set_event_loop(None)


def play_many(seeds: Iterable[int]) -> list[Result]:
    """Return the results of some seeds."""
    return [play(seed) for seed in seeds]


async def _play(seed: int, loop: SimulatedLoop) -> Result:
    simulation = Simulation(seed, loop, _engine())
    try:
        return await simulation.run()
    except (AssertionError, NothingLeftToDo) as violation:
        simulation.result.violation = f"{type(violation).__name__}: {violation}"
        return simulation.result
    finally:
        await simulation.end()
        await _end_remaining()


async def _end_remaining() -> None:
    """End the requests that a killed process has left in progress."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


@cache
def _engine() -> Engine:
    """Return this process's read model, which each simulation empties first."""
    engine = create_engine("sqlite://", module=sqlite3, poolclass=StaticPool)
    schema.metadata.create_all(engine)
    return engine
