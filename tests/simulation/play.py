"""Plays seeds, each on a loop of its own."""

import asyncio
from collections.abc import Callable, Iterable

from tests.simulation.scenario import Result, Simulation
from tests.simulation.several import engine_of
from tests.support.loop import NothingLeftToDo, SimulatedLoop

Kind = Callable[[int, SimulatedLoop], Simulation]


def single(seed: int, loop: SimulatedLoop) -> Simulation:
    """Return the simulation of a service that has its log for itself."""
    return Simulation(seed, loop, engine_of(0))


def play(seed: int, kind: Kind = single) -> Result:
    """Return the result of a seed, with its first violation."""
    loop = SimulatedLoop()
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(_play(kind, seed, loop))
    finally:
        loop.close()
        asyncio.set_event_loop(None)


def play_many(seeds: Iterable[int], kind: Kind = single) -> list[Result]:
    """Return the results of some seeds."""
    return [play(seed, kind) for seed in seeds]


async def _play(kind: Kind, seed: int, loop: SimulatedLoop) -> Result:
    simulation = kind(seed, loop)
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
