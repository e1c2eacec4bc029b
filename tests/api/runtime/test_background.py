"""A request waits for its command for a limited time, and the command is never cancelled."""

import asyncio

import pytest

from api.runtime.background import Background
from domain.errors import NotFound, StorageUnavailable


async def test_a_command_that_exceeds_the_timeout_is_reported_and_completes() -> None:
    let_go, done = asyncio.Event(), asyncio.Event()

    async def slow() -> str:
        await let_go.wait()
        done.set()
        return "done"

    background = Background(command_timeout=0.05)
    with pytest.raises(StorageUnavailable, match=r"the command has not finished within 0\.05 s, and continues"):
        await background.command(slow())

    let_go.set()

    await asyncio.wait_for(done.wait(), 10)


async def test_a_cancelled_request_does_not_cancel_its_command() -> None:
    let_go, done = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        await let_go.wait()
        done.set()

    background = Background()
    request = asyncio.ensure_future(background.command(slow()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    request.cancel()
    let_go.set()

    await asyncio.wait_for(done.wait(), 10)


async def test_the_request_gets_the_result_or_the_error_of_its_command() -> None:
    async def refused() -> None:
        raise NotFound("there is no job x")

    async def answer() -> int:
        return 7

    background = Background()
    assert await background.command(answer()) == 7
    with pytest.raises(NotFound, match="there is no job x"):
        await background.command(refused())
