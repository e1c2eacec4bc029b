"""A request waits for its command for a bounded time, and the command is never cut off."""

import asyncio

import pytest

from api.runtime.background import Background
from domain.errors import NotFound, StorageUnavailable


async def test_a_command_that_takes_too_long_is_answered_and_still_comes_to_its_end() -> None:
    let_go, done = asyncio.Event(), asyncio.Event()

    async def slow() -> str:
        await let_go.wait()
        done.set()
        return "done"

    background = Background(command_within=0.05)
    with pytest.raises(StorageUnavailable, match=r"the command is not done within 0\.05 s, but may still be"):
        await background.command(slow())

    let_go.set()

    await asyncio.wait_for(done.wait(), 10)


async def test_a_request_that_goes_away_does_not_cut_its_command_off() -> None:
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


async def test_what_a_command_comes_to_is_what_the_request_comes_to() -> None:
    async def refused() -> None:
        raise NotFound("there is no job x")

    async def answer() -> int:
        return 7

    background = Background()
    assert await background.command(answer()) == 7
    with pytest.raises(NotFound, match="there is no job x"):
        await background.command(refused())
