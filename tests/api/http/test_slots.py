"""Long responses are limited per caller and in total, and a slot that is given back can be had again."""

from collections.abc import AsyncIterator
from contextlib import ExitStack

import pytest
from starlette.requests import Request

from adapters.tokens import Scope
from api.http.slots import Slots
from api.runtime.access import Caller
from api.runtime.errors import TooManyRequests


@pytest.fixture
def slots() -> Slots:
    return Slots("exports", limit=5, per_caller=2)


async def taken(slots: Slots, caller: str, count: int = 1) -> list[AsyncIterator[None]]:
    """Have a caller begin so many long responses; return them."""
    scope = {"type": "http", "state": {"caller": Caller(caller, Scope.READ)}}
    begun = [slots(Request(scope)) for _ in range(count)]
    for response in begun:
        await anext(response)
    return begun


async def end(responses: list[AsyncIterator[None]]) -> None:
    for response in responses:
        assert await anext(response, "ended") == "ended"


async def test_a_caller_with_all_of_its_slots_is_refused_and_the_others_are_not(slots: Slots) -> None:
    await taken(slots, "mara", 2)
    for _ in range(10):
        with pytest.raises(TooManyRequests, match="the limit is 2 per caller and 5 in total") as refused:
            await taken(slots, "mara")
        assert refused.value.retry_after == 5.0

    await taken(slots, "tom", 2)
    await taken(slots, "ann", 1)

    with pytest.raises(TooManyRequests):
        await taken(slots, "eve")


async def test_a_slot_that_is_given_back_can_be_taken_again_and_again(slots: Slots) -> None:
    await taken(slots, "tom", 2)

    for _ in range(10):
        await end(await taken(slots, "mara", 2))
    await taken(slots, "mara", 2)

    for caller in ("tom", "mara"):
        with pytest.raises(TooManyRequests):
            await taken(slots, caller)


async def test_a_long_response_gives_its_turn_to_the_next_request_and_one_that_is_refused_keeps_it(
    slots: Slots,
) -> None:
    released: list[str] = []

    async def begin(name: str) -> None:
        turn = ExitStack()
        turn.callback(released.append, name)
        scope = {"type": "http", "state": {"caller": Caller("mara", Scope.READ)}, "turn": turn}
        await anext(slots(Request(scope)))

    for name in ("one", "two"):
        await begin(name)
    with pytest.raises(TooManyRequests):
        await begin("three")

    assert released == ["one", "two"]
