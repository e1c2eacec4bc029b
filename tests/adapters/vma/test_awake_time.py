"""Only time in which this process ran counts."""

import asyncio
import time

import pytest

from adapters.vma.awake_time import AwakeTimeLimit
from tests.support.loop import SimulatedLoop


def waited(seconds: float, *, stop_at: float | None = None) -> float:
    """Return when a limit expires on virtual time; the process is stopped for an hour at `stop_at`."""
    loop = SimulatedLoop()

    def stop() -> None:
        loop._clock.now += 3600

    async def wait() -> float:
        if stop_at is not None:
            loop.call_later(stop_at, stop)
        with pytest.raises(TimeoutError):
            async with AwakeTimeLimit(seconds):
                await asyncio.Event().wait()
        return loop.time()

    try:
        return loop.run_until_complete(wait())
    finally:
        loop.close()


@pytest.mark.parametrize("seconds", [0.5, 8.0, 9.0])
def test_a_limit_expires_after_its_seconds(seconds: float) -> None:
    assert waited(seconds) == pytest.approx(seconds)


@pytest.mark.parametrize("stop_at", [0.5, 4.5, 7.9])
def test_an_hour_in_which_the_process_was_stopped_hardly_counts(stop_at: float) -> None:
    ran = waited(8.0, stop_at=stop_at) - 3600

    assert ran >= min(8.0, stop_at + 1.0)


@pytest.mark.parametrize(("late", "slices"), [(0.2, 8), (0.3, 16)])
def test_a_process_that_is_always_late_has_twice_the_slices(late: float, slices: int) -> None:
    """Every slice of a second ends late; by a fifth of a second is still in time."""
    loop = SimulatedLoop()
    before = 0.125

    def delay() -> None:
        loop._clock.now += before + late
        loop.call_later(1.0 - before, delay)

    async def wait() -> float:
        loop.call_later(1.0 - before, delay)
        with pytest.raises(TimeoutError):
            async with AwakeTimeLimit(8.0):
                await asyncio.Event().wait()
        return loop.time()

    try:
        assert loop.run_until_complete(wait()) == pytest.approx(slices * (1.0 + late))
    finally:
        loop.close()


async def test_a_reply_that_came_while_the_loop_was_blocked_is_read() -> None:
    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        async with AwakeTimeLimit(0.4):
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            time.sleep(1.0)  # noqa: ASYNC251 - blocks the loop on purpose
            line = await reader.readline()
        writer.close()
    assert line == b"hello\n"


async def test_a_body_that_ends_in_time_leaves_no_timer() -> None:
    async with AwakeTimeLimit(0.01):
        pass

    await asyncio.sleep(0.05)


async def test_a_cancellation_is_no_time_out() -> None:
    async def wait() -> None:
        async with AwakeTimeLimit(60.0):
            await asyncio.Event().wait()

    task = asyncio.ensure_future(wait())
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
