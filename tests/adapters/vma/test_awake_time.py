"""Only time in which this process ran counts."""

import asyncio
import time

import pytest

from adapters.vma.awake_time import awake_time_limit
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
            async with awake_time_limit(seconds):
                await asyncio.Event().wait()
        return loop.time()

    try:
        return loop.run_until_complete(wait())
    finally:
        loop.close()


def test_a_limit_expires_after_its_seconds() -> None:
    assert waited(8.0) == pytest.approx(8.0)


@pytest.mark.parametrize("stop_at", [0.5, 4.5, 7.9])
def test_an_hour_in_which_the_process_was_stopped_hardly_counts(stop_at: float) -> None:
    ran = waited(8.0, stop_at=stop_at) - 3600

    assert ran >= min(8.0, stop_at + 1.0)


async def test_a_reply_that_came_while_the_loop_was_blocked_is_read() -> None:
    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        async with awake_time_limit(0.4):
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            time.sleep(1.0)  # noqa: ASYNC251 - blocks the loop on purpose
            line = await reader.readline()
        writer.close()
    assert line == b"hello\n"


async def test_a_body_that_ends_in_time_leaves_no_timer() -> None:
    async with awake_time_limit(0.01):
        pass

    await asyncio.sleep(0.05)


async def test_a_cancellation_is_no_time_out() -> None:
    async def wait() -> None:
        async with awake_time_limit(60.0):
            await asyncio.Event().wait()

    task = asyncio.ensure_future(wait())
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
