"""One check finds that a VMA is down, not one check per job."""

import asyncio

import pytest

from adapters.vma.circuit import Admission, Circuit, Refusal
from domain.vma_status import VMAStatus
from tests.support.clock import FakeClock

REST = 5.0
REFUSED = Refusal(VMAStatus.UNREACHABLE, "refused")
STILL_DOWN = Refusal(VMAStatus.UNREACHABLE, "not asked again yet, the VMA is down: refused")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def circuit(clock: FakeClock) -> Circuit:
    return Circuit(clock.monotonic, REST)


async def others_ask(circuit: Circuit, count: int = 100) -> list[asyncio.Future[Admission | Refusal]]:
    """Start other requests while a trial request is in progress; they wait."""
    others: list[asyncio.Future[Admission | Refusal]] = [asyncio.ensure_future(circuit.admit()) for _ in range(count)]
    await asyncio.sleep(0)
    assert not any(other.done() for other in others)
    return others


async def test_the_first_request_is_the_trial_request_and_the_others_share_its_result(circuit: Circuit) -> None:
    assert await circuit.admit() is Admission.TRIAL
    others = await others_ask(circuit)

    circuit.open("refused")

    assert await asyncio.gather(*others) == [REFUSED] * 100
    assert (circuit.state, circuit.last_error) == ("open", "refused")


async def test_a_sign_of_life_admits_all_requests(circuit: Circuit) -> None:
    await circuit.admit()
    others = await others_ask(circuit)

    seen = [circuit.signs_of_life]
    for _ in range(2):
        circuit.close()
        seen.append(circuit.signs_of_life)

    assert await asyncio.gather(*others) == [Admission.NORMAL] * 100
    assert circuit.state == "closed"
    assert len(set(seen)) == 3


async def test_a_vma_that_refuses_the_login_answers_but_is_not_reachable_until_it_accepts_one(circuit: Circuit) -> None:
    await circuit.admit()

    circuit.close("login refused")

    assert await circuit.admit() is Admission.NORMAL
    assert (circuit.state, circuit.last_error, circuit.is_reachable) == ("closed", "login refused", False)
    circuit.close()
    assert (circuit.last_error, circuit.is_reachable) == (None, True)


async def test_while_it_is_open_requests_are_refused_except_one_trial_request_per_rest(
    circuit: Circuit, clock: FakeClock
) -> None:
    await circuit.admit()
    circuit.open("refused")
    clock.advance(REST - 0.01)
    assert (circuit.refusal(), await circuit.admit()) == (STILL_DOWN, STILL_DOWN)

    clock.advance(0.01)

    assert circuit.refusal() is None
    assert await circuit.admit() is Admission.TRIAL


@pytest.mark.parametrize("later", [REST, REST + 1, 32.0, 3600.0])
async def test_however_long_after_its_rest_a_trial_request_is_due(
    circuit: Circuit, clock: FakeClock, later: float
) -> None:
    await circuit.admit()
    circuit.open("refused")

    clock.advance(later)

    assert (circuit.refusal(), await circuit.admit()) == (None, Admission.TRIAL)


async def test_an_old_failure_refuses_no_request_beside_a_trial_request(circuit: Circuit, clock: FakeClock) -> None:
    await circuit.admit()
    circuit.open("refused")
    clock.advance(REST)

    assert await circuit.admit() is Admission.TRIAL
    others = await others_ask(circuit)
    circuit.close()

    assert await asyncio.gather(*others) == [Admission.NORMAL] * 100


async def test_a_trial_request_that_fails_keeps_it_open_since_it_was_opened(circuit: Circuit, clock: FakeClock) -> None:
    await circuit.admit()
    opened_at = clock.monotonic()
    circuit.open("refused")
    clock.advance(REST)
    await circuit.admit()

    circuit.open("no route")

    assert (circuit.state, circuit.opened_at, circuit.last_error) == ("open", opened_at, "no route")
    assert await circuit.admit() == Refusal(VMAStatus.UNREACHABLE, "not asked again yet, the VMA is down: no route")


async def test_a_trial_request_that_is_answered_closes_it(circuit: Circuit, clock: FakeClock) -> None:
    await circuit.admit()
    circuit.open("refused")
    clock.advance(REST)
    await circuit.admit()

    circuit.close()

    assert (circuit.state, circuit.opened_at, circuit.last_error) == ("closed", None, None)
    assert await circuit.admit() is Admission.NORMAL


async def test_a_closed_one_opens_when_the_vma_is_found_down(circuit: Circuit) -> None:
    circuit.close()

    circuit.open("reset")

    assert (circuit.state, circuit.refusal() is None) == ("open", False)


async def test_a_trial_request_that_could_not_be_sent_refuses_the_waiting_requests_and_no_later_one(
    circuit: Circuit, clock: FakeClock
) -> None:
    await circuit.admit()
    circuit.open("refused")
    clock.advance(REST)
    await circuit.admit()
    others = await others_ask(circuit)
    refusal = Refusal(VMAStatus.NOT_ASKED, "too many open files")

    circuit.half_open(refusal)

    assert await asyncio.gather(*others) == [refusal] * 100
    assert (circuit.state, circuit.refusal(), await circuit.admit()) == ("half-open", None, Admission.TRIAL)


async def test_the_next_request_replaces_a_cancelled_trial_request(circuit: Circuit) -> None:
    await circuit.admit()
    others = await others_ask(circuit, 3)

    circuit.end_trial()
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert [other.done() for other in others] == [True, False, False]
    assert others[0].result() is Admission.TRIAL
    circuit.close()
    assert await asyncio.gather(*others) == [Admission.TRIAL, Admission.NORMAL, Admission.NORMAL]


async def test_a_vma_that_was_never_asked_is_not_known_to_be_away(circuit: Circuit) -> None:
    assert (circuit.state, circuit.is_reachable) == ("half-open", True)

    await circuit.admit()

    assert circuit.is_reachable


async def test_a_vma_that_was_found_away_is_reachable_only_when_it_has_answered(
    circuit: Circuit, clock: FakeClock
) -> None:
    seen = []
    for _ in range(2):
        await circuit.admit()
        circuit.open("refused")
        seen.append(circuit.is_reachable)
        clock.advance(REST)
    await circuit.admit()
    seen.append(circuit.is_reachable)
    circuit.half_open(Refusal(VMAStatus.NOT_ASKED, "too many open files"))
    seen.append(circuit.is_reachable)
    await circuit.admit()
    seen.append(circuit.is_reachable)

    circuit.close()

    assert seen == [False] * 5
    assert circuit.is_reachable
