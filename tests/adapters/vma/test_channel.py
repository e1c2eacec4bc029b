"""Requests adapt to the speed of a VMA, and only a VMA that is silent as a whole is unreachable."""

import asyncio

import pytest

from adapters.vma.reply import Reply
from domain.vma_status import Answer, VMAStatus
from tests.adapters.vma.modelled_vma import (
    CONCURRENCY,
    REST,
    TIMEOUT,
    ModelledVMA,
    ask_all,
    channel_to,
    now,
    running,
    too_many,
    virtually,
)

RUNNING, UNANSWERED, UNREACHABLE = VMAStatus.RUNNING, VMAStatus.UNANSWERED, VMAStatus.UNREACHABLE


# How many at once


@virtually
async def test_a_fast_vma_soon_gets_as_many_requests_as_allowed() -> None:
    vma = ModelledVMA(0.02)
    channel = channel_to(vma)

    seen = await ask_all(channel, 1000)

    assert seen == {RUNNING: 1000}
    assert (channel.queue.window.size, vma.most_in_progress) == (CONCURRENCY, CONCURRENCY)
    # 312 ms if it were asked so from the beginning.
    assert now() < 0.5


@pytest.mark.parametrize("serial_health", [True, False])
@pytest.mark.parametrize("latency", [0.1, 0.5, 1.0])
@virtually
async def test_requests_to_a_vma_that_answers_one_at_a_time_do_not_time_out(
    latency: float, *, serial_health: bool
) -> None:
    vma = ModelledVMA(latency, serial=True, serial_health=serial_health)
    channel = channel_to(vma)

    for _ in range(3):
        assert await ask_all(channel, 200) == {RUNNING: 200}

    assert now() == pytest.approx(600 * latency, abs=3 * latency)
    assert len(vma.asked) == 600


@virtually
async def test_a_distant_vma_gets_as_many_requests_as_allowed_too() -> None:
    vma = ModelledVMA(2.0)
    channel = channel_to(vma)

    assert await ask_all(channel, 1000) == {RUNNING: 1000}

    assert channel.queue.window.size == CONCURRENCY


@virtually
async def test_a_vma_whose_answers_take_longer_than_the_time_limit_is_not_unreachable() -> None:
    vma = ModelledVMA(1.5 * TIMEOUT)
    channel = channel_to(vma)

    assert await ask_all(channel, 1) == {UNANSWERED: 1}


@virtually
async def test_a_request_without_an_answer_says_how_many_milliseconds_it_was_waited_for() -> None:
    channel = channel_to(ModelledVMA(1.5 * TIMEOUT))
    await asyncio.sleep(7.0)

    answer = await channel.ask("progress", "disk-1")

    assert answer.latency_ms == pytest.approx(TIMEOUT * 1000)
    assert answer.status is UNANSWERED


@virtually
async def test_a_vma_that_becomes_slow_gets_fewer_requests_and_then_more_again() -> None:
    vma = ModelledVMA(0.02)
    channel = channel_to(vma)
    await ask_all(channel, 1000)

    vma._is_serial, vma._latency = True, 0.2
    slow = await ask_all(channel, 200)
    window_of_slow = channel.queue.window.size
    vma._is_serial, vma._latency = False, 0.02
    await ask_all(channel, 5000)

    assert slow[UNREACHABLE] == 0
    # Requests in progress when it became slow may time out, and those that were sent before this was observed.
    assert slow[UNANSWERED] <= 2 * CONCURRENCY
    assert window_of_slow < TIMEOUT / 0.2
    assert channel.queue.window.size == CONCURRENCY
    assert await ask_all(channel, 1000) == {RUNNING: 1000}


@virtually
async def test_few_requests_do_not_widen_the_window_for_many() -> None:
    vma = ModelledVMA(0.1, serial=True)
    channel = channel_to(vma)
    for _ in range(100):
        await ask_all(channel, 3)

    assert channel.queue.window.size < 8
    assert await ask_all(channel, 200) == {RUNNING: 200}


@virtually
async def test_requests_are_sent_in_the_order_of_their_arrival() -> None:
    vma = ModelledVMA(0.1, serial=True)
    channel = channel_to(vma)
    await ask_all(channel, 100)

    await asyncio.gather(ask_all(channel, 64, first=1000), ask_all(channel, 8, first=2000))

    assert vma.asked[100:] == [str(n) for n in (*range(1000, 1064), *range(2000, 2008))]


# Ids that hang


@virtually
async def test_one_id_that_hangs_is_unanswered_and_delays_no_other() -> None:
    vma = ModelledVMA(0.02)
    channel = channel_to(vma)
    await ask_all(channel, 1000)
    vma.hanging = {"0"}
    began = now()

    hanging = asyncio.ensure_future(channel.ask("progress", "0"))
    others = await ask_all(channel, 999, first=1)

    assert others == {RUNNING: 999}
    assert now() - began < 0.5
    answer = await hanging
    assert (answer.status, answer.detail) == (UNANSWERED, "no answer within 5 s, while the VMA answers others")
    assert (channel.circuit.state, channel.queue.window.size) == ("closed", CONCURRENCY)


@virtually
async def test_ids_that_hang_do_not_block_the_others_even_if_they_come_first() -> None:
    vma = ModelledVMA(0.02)
    vma.hanging = {str(n) for n in range(100)}
    channel = channel_to(vma)

    hanging = asyncio.ensure_future(ask_all(channel, 100))
    await asyncio.sleep(0.001)
    good = await channel.ask("progress", "good")

    assert good.status is RUNNING
    assert now() < 2 * TIMEOUT
    assert await hanging == {UNANSWERED: 100}
    assert channel.circuit.state == "closed"


@pytest.mark.parametrize(("latency", "is_prompt"), [(TIMEOUT / 4 - 0.01, True), (TIMEOUT / 4, False)])
@virtually
async def test_ids_that_hang_lose_their_slots_only_beside_a_health_check_that_is_prompt(
    latency: float, *, is_prompt: bool
) -> None:
    vma = ModelledVMA(latency)
    vma.hanging = {str(n) for n in range(100)}
    channel = channel_to(vma)

    hanging = asyncio.ensure_future(ask_all(channel, 100))
    await asyncio.sleep(0.001)
    await channel.ask("progress", "good")

    # Otherwise one after the other waits for its time limit.
    assert (now() < 5 * TIMEOUT, now() > 99 * TIMEOUT) == (is_prompt, not is_prompt)
    await hanging


@virtually
async def test_a_vma_whose_health_hangs_but_whose_ids_answer_is_up() -> None:
    vma = ModelledVMA(0.02)
    vma.hanging = {"health", "7"}
    channel = channel_to(vma)

    seen = await ask_all(channel, 100)

    assert seen == {RUNNING: 99, UNANSWERED: 1}
    assert channel.circuit.state == "closed"


@virtually
async def test_one_id_that_is_reset_among_others_that_answer_is_unanswered() -> None:
    vma = ModelledVMA(0.02)
    channel = channel_to(vma)
    reset = Reply(Answer(asked_id="7", status=UNREACHABLE, detail="connection reset"))
    vma.reply = lambda asked_id: reset if asked_id == "7" else running(asked_id)

    answer = await channel.ask("progress", "7")

    assert (answer.status, answer.detail) == (UNANSWERED, "connection reset, while the VMA answers others")
    assert (await channel.ask("progress", "8")).status is RUNNING


# HTTP 429


@virtually
async def test_a_vma_that_asks_for_a_pause_gets_no_request_until_then() -> None:
    vma = ModelledVMA(0.02)
    channel = channel_to(vma)
    await ask_all(channel, 100)
    vma.reply = too_many(30)
    refused = await ask_all(channel, 1000)
    vma.reply = running
    asked, checked, began = len(vma.asked), vma.health_checks, now()

    while channel.queue.pause > TIMEOUT:
        answer = await channel.ask("progress", "7")
        assert answer.status is UNANSWERED
        assert (answer.detail or "").startswith("the VMA asked to be left alone for ")
        await asyncio.sleep(0.5)

    assert refused == {UNANSWERED: 1000}
    assert (len(vma.asked), vma.health_checks) == (asked, checked)
    assert (await channel.ask("progress", "7")).status is RUNNING
    assert now() - began >= 29.9
    assert channel.circuit.state == "closed"


@virtually
async def test_a_pause_that_is_asked_for_in_answer_to_a_health_check_counts_for_all_requests() -> None:
    vma = ModelledVMA(0.02)
    vma.hanging = {"7"}
    vma.reply = lambda asked_id: too_many(30)(asked_id) if asked_id == "health" else running(asked_id)
    channel = channel_to(vma)
    await ask_all(channel, 7)

    hung = await channel.ask("progress", "7")
    asked = len(vma.asked)
    refused = await channel.ask("progress", "8")

    assert (hung.status, refused.status, len(vma.asked)) == (UNANSWERED, UNANSWERED, asked)
    assert (refused.detail or "").startswith("the VMA asked to be left alone for ")


@virtually
async def test_a_pause_that_is_shorter_than_the_time_limit_is_waited_for() -> None:
    vma = ModelledVMA(0.02)
    vma.reply = too_many(2)
    channel = channel_to(vma)
    first = asyncio.ensure_future(channel.ask("progress", "0"))
    await asyncio.sleep(0.01)
    others = asyncio.ensure_future(ask_all(channel, 100, first=1))
    assert (await first).status is UNANSWERED
    vma.reply = running

    await asyncio.sleep(1.9)
    assert vma.asked == ["0"]

    assert await others == {RUNNING: 100}


@virtually
async def test_without_a_retry_after_the_pauses_double_up_to_a_minute_and_restart_after_an_answer() -> None:
    vma = ModelledVMA(0.0)
    vma.reply = too_many(None)
    channel = channel_to(vma)
    pauses = []

    for _ in range(8):
        await channel.ask("progress", "0")
        pauses.append(round(channel.queue.pause))
        await asyncio.sleep(channel.queue.pause)
    vma.reply = running
    await channel.ask("progress", "0")
    vma.reply = too_many(None)
    await channel.ask("progress", "0")

    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    assert round(channel.queue.pause) == 1


@virtually
async def test_429s_of_one_round_trip_count_once() -> None:
    vma = ModelledVMA(0.02)
    channel = channel_to(vma)
    await ask_all(channel, 1000)
    vma.reply = too_many(None)

    await asyncio.gather(*(channel.ask("progress", str(n)) for n in range(CONCURRENCY)))

    assert round(channel.queue.pause) == 1
    assert channel.queue.window.size == CONCURRENCY // 2


@virtually
async def test_of_two_pauses_that_are_asked_for_at_once_the_longer_counts() -> None:
    vma = ModelledVMA(0.02)
    channel = channel_to(vma)
    await ask_all(channel, 1000)
    vma.reply = lambda asked_id: too_many(30.0 if asked_id == "0" else 1.0)(asked_id)

    await ask_all(channel, CONCURRENCY)

    assert round(channel.queue.pause) == 30


@pytest.mark.parametrize("after", [0.0, 0.01, 0.5, 2.0, 5.5])
@virtually
async def test_cancelled_requests_end_and_their_slots_go_to_others(after: float) -> None:
    vma = ModelledVMA(0.02)
    vma.hanging = {"health", *map(str, range(100))}
    channel = channel_to(vma)
    cancelled = [asyncio.ensure_future(channel.ask("progress", str(n))) for n in range(100)]
    await asyncio.sleep(after)

    for request in cancelled:
        request.cancel()
    await asyncio.gather(*cancelled, return_exceptions=True)

    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert (channel.queue.waiting, vma.in_progress) == (0, 0)
    vma.hanging = set()
    # A VMA that was found down before stays so for a while.
    await asyncio.sleep(REST)
    assert (await channel.ask("progress", "0")).status is RUNNING
    assert await ask_all(channel, 100) == {RUNNING: 100}
