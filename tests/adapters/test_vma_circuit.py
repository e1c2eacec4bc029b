"""A VMA that is down is found down once, not once per job."""

import asyncio

import pytest

from adapters.vma_circuit import OPEN_AFTER, Circuit
from tests.clock import FakeClock

REST = 5.0


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def circuit(clock: FakeClock) -> Circuit:
    return Circuit(clock.monotonic, REST)


async def test_the_first_question_is_a_pilot_and_the_others_wait_for_what_it_finds(circuit: Circuit) -> None:
    assert await circuit.may_ask()
    others = [asyncio.ensure_future(circuit.may_ask()) for _ in range(100)]
    await asyncio.sleep(0)
    assert not any(other.done() for other in others)

    circuit.failed("refused")

    assert not any(await asyncio.gather(*others))
    assert (circuit.state, circuit.last_error) == ("open", "refused")


async def test_an_answered_pilot_lets_everybody_ask(circuit: Circuit) -> None:
    await circuit.may_ask()
    others = [asyncio.ensure_future(circuit.may_ask()) for _ in range(100)]
    await asyncio.sleep(0)

    circuit.answered()

    assert all(await asyncio.gather(*others))
    assert circuit.state == "closed"


async def test_while_it_is_open_one_question_per_rest_is_let_through(circuit: Circuit, clock: FakeClock) -> None:
    await circuit.may_ask()
    circuit.failed("refused")
    clock.advance(REST - 0.01)
    assert not await circuit.may_ask()

    clock.advance(0.01)

    assert [await circuit.may_ask(), await circuit.may_ask()] == [True, False]


async def test_a_few_failures_among_answers_do_not_open_it(circuit: Circuit) -> None:
    await circuit.may_ask()
    circuit.answered()
    for _ in range(OPEN_AFTER - 1):
        circuit.failed("reset")
    circuit.answered()
    for _ in range(OPEN_AFTER - 1):
        circuit.failed("reset")
    assert circuit.state == "closed"

    circuit.failed("reset")

    assert circuit.state == "open"


async def test_a_pilot_that_is_answered_closes_it_again(circuit: Circuit, clock: FakeClock) -> None:
    await circuit.may_ask()
    circuit.failed("refused")
    clock.advance(REST)
    await circuit.may_ask()

    circuit.answered()

    assert (circuit.state, circuit.last_error, await circuit.may_ask()) == ("closed", None, True)


async def test_a_pilot_that_never_left_says_nothing_and_the_next_one_goes(circuit: Circuit) -> None:
    await circuit.may_ask()
    others = [asyncio.ensure_future(circuit.may_ask()) for _ in range(3)]
    await asyncio.sleep(0)

    circuit.not_asked()
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert [other.done() for other in others] == [True, False, False]
    assert await others[0]
    circuit.answered()
    assert all(await asyncio.gather(*others))
