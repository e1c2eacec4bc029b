"""The queue of one VMA by its rules alone: who is sent next, who gives up a slot, and for how long nobody is sent."""

import asyncio
from contextlib import suppress

import pytest

from adapters.vma.circuit import Refusal
from adapters.vma.request_queue import RequestQueue
from adapters.vma.window import Slot
from domain.vma_status import VMAStatus
from tests.support.clock import FakeClock

LIMIT, TIMEOUT = 16, 9.0
REFUSED = Refusal(VMAStatus.UNREACHABLE, "refused")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def queue(clock: FakeClock) -> RequestQueue:
    return RequestQueue(clock.monotonic, LIMIT, TIMEOUT)


async def soon(request: asyncio.Task[Slot | Refusal]) -> Slot | Refusal:
    """Return what a request gets without any time that passes."""
    for _ in range(10):
        await asyncio.sleep(0)
    assert request.done()
    return request.result()


async def sent(queue: RequestQueue) -> Slot:
    """Return the slot of a request that is sent at once."""
    slot = await soon(asyncio.ensure_future(queue.acquire()))
    assert isinstance(slot, Slot)
    queue.sent(slot)
    return slot


async def waiting(queue: RequestQueue) -> asyncio.Task[Slot | Refusal]:
    """Return a request that waits."""
    task = asyncio.ensure_future(queue.acquire())
    await asyncio.sleep(0)
    assert not task.done()
    return task


async def widened(queue: RequestQueue, size: int) -> None:
    while queue.window.size < size:
        for slot in [await sent(queue) for _ in range(queue.window.size)]:
            queue.answered(slot)
            queue.release(slot)


async def end(*tasks: asyncio.Task[Slot | Refusal]) -> None:
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_slot_that_is_given_back_twice_is_given_to_one_request(queue: RequestQueue) -> None:
    slot = await sent(queue)
    first, second = await waiting(queue), await waiting(queue)
    assert queue.waiting == 2

    queue.release(slot)
    queue.release(slot)
    await asyncio.sleep(0)

    assert (first.done(), second.done(), queue.waiting) == (True, False, 1)
    await end(second)
    assert queue.waiting == 0


async def test_a_cancelled_request_gives_the_slot_that_it_just_got_to_the_next(queue: RequestQueue) -> None:
    slot = await sent(queue)
    first, second = await waiting(queue), await waiting(queue)

    queue.release(slot)
    await end(first)

    assert isinstance(await soon(second), Slot)


async def test_all_that_wait_are_refused_and_one_that_is_cancelled_meanwhile_is_left_out(queue: RequestQueue) -> None:
    await sent(queue)
    first, second = await waiting(queue), await waiting(queue)
    first.cancel()

    queue.flush(REFUSED)

    assert await soon(second) == REFUSED
    assert queue.waiting == 0
    await end(first)


async def test_a_request_that_is_cancelled_before_it_gets_its_slot_is_passed_over(queue: RequestQueue) -> None:
    slot = await sent(queue)
    first, second = await waiting(queue), await waiting(queue)
    first.cancel()

    queue.release(slot)

    assert isinstance(await soon(second), Slot)
    await end(first)


async def test_a_request_is_alone_until_another_is_sent_and_the_last_one_fills_the_window(queue: RequestQueue) -> None:
    await widened(queue, 4)

    slots = [await sent(queue)]
    assert slots[0].alone
    slots += [await sent(queue) for _ in range(3)]

    assert [slot.alone for slot in slots] == [False] * 4
    assert [slot.fills_window for slot in slots] == [False, False, False, True]
    assert len({slot.number for slot in slots}) == 4
    for slot in slots:
        queue.release(slot)
    assert (await sent(queue)).alone


async def test_a_request_that_hangs_loses_its_slot_to_later_ones_that_are_answered_promptly(
    queue: RequestQueue, clock: FakeClock
) -> None:
    await widened(queue, 2)
    hanging = await sent(queue)
    clock.advance(TIMEOUT)
    prompt = await sent(queue)
    next_one = await waiting(queue)

    queue.answered(prompt)
    assert isinstance(await soon(next_one), Slot)

    # It has no slot to lose at its end, and the window stays.
    size = queue.window.size
    queue.timed_out(hanging)
    assert queue.window.size == size >= 2


@pytest.mark.parametrize(("hangs_for", "frees"), [(2.25, False), (2.5, True)])
async def test_it_keeps_its_slot_for_as_long_as_an_answer_can_be_prompt(
    queue: RequestQueue, clock: FakeClock, hangs_for: float, *, frees: bool
) -> None:
    await widened(queue, 2)
    await sent(queue)
    clock.advance(hangs_for)
    prompt = await sent(queue)
    next_one = await waiting(queue)

    queue.answered(prompt)
    await asyncio.sleep(0)

    assert next_one.done() is frees
    await end(next_one)


async def test_of_requests_that_were_sent_after_the_last_prompt_answer_none_loses_its_slot(
    queue: RequestQueue, clock: FakeClock
) -> None:
    await widened(queue, 3)
    prompt = await sent(queue)
    clock.advance(1.0)
    later = [await sent(queue), await sent(queue)]
    next_one = await waiting(queue)

    queue.answered(prompt)
    clock.advance(TIMEOUT)
    queue.free_overtaken()
    await asyncio.sleep(0)

    assert not next_one.done()
    queue.timed_out(later[0])
    assert queue.window.size == 1
    await end(next_one)


@pytest.mark.parametrize(("latency", "slow"), [(1.125, False), (1.25, True)])
async def test_a_vma_is_slow_if_its_last_answer_took_more_than_an_eighth_of_the_time_limit(
    queue: RequestQueue, clock: FakeClock, latency: float, *, slow: bool
) -> None:
    assert not queue.is_slow
    slot = await sent(queue)
    clock.advance(latency)

    queue.answered(slot)

    assert queue.is_slow is slow
    queue.release(slot)
    queue.answered(await sent(queue))
    assert not queue.is_slow


@pytest.mark.parametrize(("latency", "again"), [(1.0, True), (2.25, True), (2.5, False)])
async def test_a_slot_is_freed_beside_a_prompt_health_check_until_such_a_request_is_answered_late(
    queue: RequestQueue, clock: FakeClock, latency: float, *, again: bool
) -> None:
    first = await sent(queue)
    queue.free_beside_health(first)
    second = await sent(queue)
    clock.advance(latency)
    queue.answered(first)
    queue.release(second)
    size = queue.window.size
    held = [await sent(queue) for _ in range(size)]
    next_one = await waiting(queue)

    queue.free_beside_health(held[0])
    await asyncio.sleep(0)

    assert next_one.done() is again
    queue.restart()
    assert queue.window.size == 1
    queue.free_beside_health(held[-1])
    await end(next_one)


async def test_a_late_answer_to_a_request_that_kept_its_slot_says_nothing_about_health_checks(
    queue: RequestQueue, clock: FakeClock
) -> None:
    slot = await sent(queue)
    clock.advance(TIMEOUT)
    queue.answered(slot)
    others = [await sent(queue) for _ in range(1, queue.window.size)]
    next_one = await waiting(queue)

    queue.free_beside_health((slot, *others)[-1])

    assert isinstance(await soon(next_one), Slot)


async def test_after_a_restart_health_checks_count_again(queue: RequestQueue, clock: FakeClock) -> None:
    slot = await sent(queue)
    queue.free_beside_health(slot)
    clock.advance(TIMEOUT)
    queue.answered(slot)

    queue.restart()
    hanging = await sent(queue)
    next_one = await waiting(queue)
    queue.free_beside_health(hanging)

    assert isinstance(await soon(next_one), Slot)


@pytest.mark.parametrize(("pause", "refused"), [(9.0, False), (9.5, True)])
async def test_a_pause_that_is_longer_than_the_time_limit_refuses_all_that_wait(
    queue: RequestQueue, clock: FakeClock, pause: float, *, refused: bool
) -> None:
    assert (queue.pause, queue.refusal()) == (0.0, None)
    slot = await sent(queue)
    next_one = await waiting(queue)

    queue.too_many(slot, pause)
    await asyncio.sleep(0)

    assert queue.pause == pause
    assert (queue.refusal() is not None, next_one.done()) == (refused, refused)
    clock.advance(pause)
    assert (queue.pause, queue.refusal()) == (0.0, None)
    await end(next_one)


async def test_a_shorter_pause_does_not_end_a_longer_one(queue: RequestQueue, clock: FakeClock) -> None:
    queue.too_many(None, 30.0)
    clock.advance(1.0)
    queue.too_many(None, 2.0)

    assert queue.pause == 29.0
    assert queue.pause_detail() == "the VMA asked to be left alone for 29 s (HTTP 429)"


async def test_a_health_check_that_asks_for_a_pause_during_one_does_not_double_it(
    queue: RequestQueue, clock: FakeClock
) -> None:
    found = []
    for seconds in (0.0, 0.5, 0.5, 2.0):
        clock.advance(seconds)
        queue.too_many(None, None)
        found.append(queue.pause)

    # The second was during the first pause, which begins again; the third and fourth came after one.
    assert found == [1.0, 1.0, 1.0, 2.0]


async def test_an_answer_from_before_the_pause_does_not_reset_the_pauses(queue: RequestQueue, clock: FakeClock) -> None:
    await widened(queue, 3)
    early, asks = await sent(queue), await sent(queue)
    queue.too_many(asks, None)
    clock.advance(queue.pause)

    queue.answered(early)
    queue.release(early)
    queue.release(asks)
    again = await sent(queue)
    queue.too_many(again, None)

    assert queue.pause == 2.0
    clock.advance(queue.pause)
    queue.release(again)
    queue.answered(await sent(queue))
    queue.too_many(None, None)
    assert queue.pause == 1.0


async def test_a_named_pause_does_not_lengthen_the_next_one_without_a_name(
    queue: RequestQueue, clock: FakeClock
) -> None:
    for _ in range(3):
        queue.too_many(None, 4.0)
        clock.advance(4.0)

    queue.too_many(None, None)

    assert queue.pause == 1.0
