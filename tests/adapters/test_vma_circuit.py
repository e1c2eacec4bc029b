"""A VMA that is down is found down once, not once per job."""

import asyncio

import pytest

from adapters.vma_circuit import DOUBT_AFTER, HANGING_AFTER, Circuit, Leave
from tests.clock import FakeClock

REST = 5.0


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def circuit(clock: FakeClock) -> Circuit:
    return Circuit(clock.monotonic, REST)


async def test_the_first_question_is_a_pilot_and_the_others_wait_for_what_it_finds(circuit: Circuit) -> None:
    assert await circuit.may_ask() is Leave.PILOT
    others = [asyncio.ensure_future(circuit.may_ask()) for _ in range(100)]
    await asyncio.sleep(0)
    assert not any(other.done() for other in others)

    circuit.failed(Leave.PILOT, "refused")

    assert set(await asyncio.gather(*others)) == {Leave.NO}
    assert (circuit.state, circuit.last_error) == ("open", "refused")


async def test_an_answered_pilot_lets_everybody_ask(circuit: Circuit) -> None:
    await circuit.may_ask()
    others = [asyncio.ensure_future(circuit.may_ask()) for _ in range(100)]
    await asyncio.sleep(0)

    circuit.answered()

    assert set(await asyncio.gather(*others)) == {Leave.ASK}
    assert circuit.state == "closed"


async def test_while_it_is_open_one_question_per_rest_is_let_through(circuit: Circuit, clock: FakeClock) -> None:
    await circuit.may_ask()
    circuit.failed(Leave.PILOT, "refused")
    clock.advance(REST - 0.01)
    assert await circuit.may_ask() is Leave.NO

    clock.advance(0.01)

    assert [await circuit.may_ask(), await circuit.may_ask()] == [Leave.PILOT, Leave.NO]


async def test_failures_in_a_row_send_a_pilot_at_once_and_do_not_stop_the_others_by_themselves(
    circuit: Circuit,
) -> None:
    await circuit.may_ask()
    circuit.answered()
    for _ in range(DOUBT_AFTER - 1):
        circuit.failed(Leave.ASK, "reset")
    assert await circuit.may_ask() is Leave.ASK

    circuit.failed(Leave.ASK, "reset")

    assert circuit.state == "half-open"
    assert await circuit.may_ask() is Leave.PILOT
    other = asyncio.ensure_future(circuit.may_ask())
    await asyncio.sleep(0)
    assert not other.done()
    circuit.answered()
    assert await other is Leave.ASK


async def test_answers_among_failures_leave_it_closed(circuit: Circuit) -> None:
    await circuit.may_ask()
    for _ in range(3):
        circuit.answered()
        for _ in range(DOUBT_AFTER - 1):
            circuit.failed(Leave.ASK, "reset")

    assert circuit.state == "closed"


async def test_only_the_pilots_own_failure_opens_it(circuit: Circuit) -> None:
    await circuit.may_ask()

    for _ in range(2 * DOUBT_AFTER):
        circuit.failed(Leave.ASK, "asked before, and late")
    assert circuit.state == "half-open"

    circuit.failed(Leave.PILOT, "refused")
    assert circuit.state == "open"


async def test_a_pilot_that_fails_after_the_vma_was_heard_of_opens_nothing(circuit: Circuit) -> None:
    await circuit.may_ask()
    circuit.is_there()

    circuit.failed(Leave.PILOT, "its own id hangs")

    assert (circuit.state, await circuit.may_ask()) == ("closed", Leave.ASK)


async def test_a_vma_that_is_there_and_answers_for_no_id_counts_as_down(circuit: Circuit) -> None:
    await circuit.may_ask()
    circuit.is_there()
    for _ in range(HANGING_AFTER - 1):
        circuit.failed(Leave.ASK, "hangs")
    assert await circuit.may_ask() is Leave.PILOT
    circuit.is_there()
    assert circuit.state == "closed"
    circuit.failed(Leave.ASK, "hangs")

    assert await circuit.may_ask() is Leave.PILOT
    circuit.is_there()
    circuit.failed(Leave.PILOT, "hangs")

    assert (circuit.state, await circuit.may_ask()) == ("open", Leave.NO)


async def test_a_pilot_that_is_answered_closes_it_again(circuit: Circuit, clock: FakeClock) -> None:
    await circuit.may_ask()
    circuit.failed(Leave.PILOT, "refused")
    clock.advance(REST)
    await circuit.may_ask()

    circuit.answered()

    assert (circuit.state, circuit.last_error, await circuit.may_ask()) == ("closed", None, Leave.ASK)


async def test_a_pilot_that_never_left_says_nothing_and_the_next_one_goes(circuit: Circuit) -> None:
    await circuit.may_ask()
    others = [asyncio.ensure_future(circuit.may_ask()) for _ in range(3)]
    await asyncio.sleep(0)

    circuit.not_asked(Leave.ASK)
    await asyncio.sleep(0)
    assert not any(other.done() for other in others)
    circuit.not_asked(Leave.PILOT)
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert [other.done() for other in others] == [True, False, False]
    assert await others[0] is Leave.PILOT
    circuit.answered()
    assert await asyncio.gather(*others) == [Leave.PILOT, Leave.ASK, Leave.ASK]
