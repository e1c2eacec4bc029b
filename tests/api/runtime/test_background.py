"""A request waits for its command for a limited time, and the command is never cancelled."""

import asyncio
import gc
from typing import Any

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


@pytest.mark.parametrize("by", ["the timeout", "its client"])
@pytest.mark.parametrize("error", [NotFound("there is no job x"), RuntimeError("a fault")])
async def test_a_refusal_after_the_request_has_ended_is_no_fault_and_a_fault_is_reported(
    by: str, error: Exception
) -> None:
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
    let_go = asyncio.Event()

    async def slow() -> None:
        await let_go.wait()
        raise error

    background = Background(command_timeout=0.05 if by == "the timeout" else 30)
    request = asyncio.ensure_future(background.command(slow()))
    if by == "its client":
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        request.cancel()
    await asyncio.wait({request})
    commands = set(background._commands)
    let_go.set()
    await asyncio.wait(commands)
    assert request.cancelled() or isinstance(request.exception(), StorageUnavailable)
    del request, background, commands
    gc.collect()

    assert [context["exception"] for context in reported] == ([error] if isinstance(error, RuntimeError) else [])


async def test_the_request_gets_the_result_or_the_error_of_its_command() -> None:
    async def refused() -> None:
        raise NotFound("there is no job x")

    async def answer() -> int:
        return 7

    background = Background()
    assert await background.command(answer()) == 7
    with pytest.raises(NotFound, match="there is no job x"):
        await background.command(refused())
