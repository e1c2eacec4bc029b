"""Plays seeds, each on a loop of its own."""

import asyncio
from collections.abc import Iterable
from functools import cache

from sqlalchemy import Engine, StaticPool, create_engine

from adapters.event_log.sqlite import sqlite3
from projections.read_model import schema
from tests.simulation.scenario import Simulation, Told
from tests.support.loop import NothingLeftToDo, SimulatedLoop


def play(seed: int) -> Told:
    """Play one seed; what it violates is in what it tells."""
    loop = SimulatedLoop()
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(_play(seed, loop))
    finally:
        loop.close()
        asyncio.set_event_loop(None)


def play_many(seeds: Iterable[int]) -> list[Told]:
    """Play some seeds, one after the other."""
    return [play(seed) for seed in seeds]


async def _play(seed: int, loop: SimulatedLoop) -> Told:
    story = Simulation(seed, loop, _engine())
    try:
        return await story.run()
    except (AssertionError, NothingLeftToDo) as violation:
        story.told.violation = f"{type(violation).__name__}: {violation}"
        return story.told
    finally:
        await story.end()
        await _put_away()


async def _put_away() -> None:
    """Let the questions under way, which a killed process leaves behind, come to their end."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


@cache
def _engine() -> Engine:
    """Return this process's read model; each story begins by emptying it."""
    engine = create_engine("sqlite://", module=sqlite3, poolclass=StaticPool)
    schema.metadata.create_all(engine)
    return engine
