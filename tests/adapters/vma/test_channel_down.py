"""A VMA that is silent as a whole is down; our own stops and failures never make it so."""

import asyncio

from adapters.vma.circuit import Circuit
from adapters.vma.reply import Reply, not_asked
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
    stop_process_for,
    virtually,
)

RUNNING, UNANSWERED, UNREACHABLE = VMAStatus.RUNNING, VMAStatus.UNANSWERED, VMAStatus.UNREACHABLE


# A VMA that is down


@virtually
async def test_a_vma_that_is_down_at_the_start_is_found_down_once() -> None:
    vma = ModelledVMA(0.02)
    vma.is_down = True
    channel = channel_to(vma)

    assert await ask_all(channel, 1000) == {UNREACHABLE: 1000}

    assert len(vma.asked) == 1
    assert (channel.circuit.state, channel.circuit.last_error) == ("open", "connection refused")


@virtually
async def test_a_vma_that_goes_down_is_found_down_and_then_back() -> None:
    vma = ModelledVMA(0.02)
    channel = channel_to(vma)
    await ask_all(channel, 100)
    asked = len(vma.asked)
    vma.is_down = True

    assert await ask_all(channel, 1000) == {UNREACHABLE: 1000}
    assert await ask_all(channel, 1000) == {UNREACHABLE: 1000}
    assert len(vma.asked) - asked <= CONCURRENCY

    vma.is_down = False
    await asyncio.sleep(REST)
    assert (await channel.ask("progress", "0")).status is RUNNING
    assert await ask_all(channel, 1000) == {RUNNING: 1000}
    assert channel.circuit.state == "closed"


@virtually
async def test_a_vma_that_goes_silent_is_found_down_in_four_time_limits() -> None:
    vma = ModelledVMA(0.02)
    channel = channel_to(vma)
    await ask_all(channel, 1000)
    vma.hanging = {"health", *map(str, range(1000))}
    began = now()

    assert await ask_all(channel, 1000) == {UNREACHABLE: 1000}

    assert now() - began < 4 * TIMEOUT


@virtually
async def test_while_it_is_open_one_trial_request_per_rest_is_made_and_the_others_share_its_outcome() -> None:
    vma = ModelledVMA(0.02)
    vma.hanging = {"health", *map(str, range(100))}
    channel = channel_to(vma)
    assert await ask_all(channel, 100) == {UNREACHABLE: 100}

    for _ in range(10):
        await asyncio.sleep(REST)
        trial = asyncio.ensure_future(channel.ask("progress", "0"))
        await asyncio.sleep(0)
        assert await ask_all(channel, 99, first=1) == {UNREACHABLE: 99}
        assert (await trial).status is UNREACHABLE

    assert vma.asked == ["0"] * 11


# Requests that cannot be sent


@virtually
async def test_a_trial_request_that_cannot_be_sent_answers_all_that_wait_and_tells_nothing_about_the_vma() -> None:
    vma = ModelledVMA(0.02)
    vma.reply = lambda asked_id: Reply(not_asked(asked_id, "too many open files"))
    channel = channel_to(vma)

    seen = await ask_all(channel, 1000)

    assert seen == {VMAStatus.NOT_ASKED: 1000}
    assert len(vma.asked) == 1
    assert channel.circuit.state == "half-open"
    vma.reply = running
    assert await ask_all(channel, 1000) == {RUNNING: 1000}


@virtually
async def test_a_request_that_cannot_be_sent_does_not_change_a_closed_circuit_and_the_window() -> None:
    vma = ModelledVMA(0.02)
    channel = channel_to(vma)
    await ask_all(channel, 1000)
    vma.reply = lambda asked_id: Reply(not_asked(asked_id, "too many open files"))

    seen = await ask_all(channel, 1000)

    assert seen == {VMAStatus.NOT_ASKED: 1000}
    assert (channel.circuit.state, channel.queue.window.size) == ("closed", CONCURRENCY)


@virtually
async def test_a_vma_to_which_nothing_can_be_sent_is_not_reachable_until_it_answers_again() -> None:
    vma = ModelledVMA(0.02)
    channel, other = channel_to(vma), channel_to(ModelledVMA(0.02))
    await ask_all(channel, 10)
    await ask_all(other, 10)

    vma.reply = lambda asked_id: Reply(not_asked(asked_id, "too many open files"))
    await ask_all(channel, 10)
    vma.reply = lambda asked_id: Reply(not_asked(asked_id, "the certificate is not trusted"))
    await ask_all(channel, 10)

    assert (channel.circuit.is_reachable, channel.circuit.last_error) == (False, "the certificate is not trusted")
    assert (other.circuit.is_reachable, other.circuit.last_error) == (True, None)
    vma.reply = running
    await ask_all(channel, 10)
    assert (channel.circuit.is_reachable, channel.circuit.last_error) == (True, None)


def test_a_late_request_that_could_not_be_sent_does_not_hide_why_a_vma_is_down() -> None:
    circuit = Circuit(lambda: 0.0, REST)
    circuit.close()
    circuit.open("connection refused")

    circuit.not_sent("too many open files")

    assert (circuit.state, circuit.last_error) == ("open", "connection refused")


@virtually
async def test_a_vma_whose_health_cannot_be_asked_is_not_unreachable() -> None:
    vma = ModelledVMA(0.02)
    vma.hanging = {"0"}
    vma.reply = lambda asked_id: Reply(not_asked(asked_id, "too many open files"))
    channel = channel_to(vma)

    answer = await channel.ask("progress", "0")

    assert answer.status is VMAStatus.NOT_ASKED
    assert answer.detail == "no answer within 5 s; the VMA's health was not asked: too many open files"


# Our own stops, and cancelled requests


@virtually
async def test_an_answer_that_came_while_the_process_was_stopped_is_read() -> None:
    vma = ModelledVMA(1.0)
    channel = channel_to(vma)
    asking = asyncio.ensure_future(ask_all(channel, 3))
    await asyncio.sleep(0.5)

    stop_process_for(3600)

    assert await asking == {RUNNING: 3}


@virtually
async def test_a_connection_that_broke_while_the_process_was_stopped_is_no_sign_that_the_vma_is_down() -> None:
    vma = ModelledVMA(1.0)
    broken = {"0", "health"}

    def reset_once(asked_id: str) -> Reply:
        if asked_id not in broken:
            return running(asked_id)
        broken.discard(asked_id)
        return Reply(Answer(asked_id=asked_id, status=UNREACHABLE, detail="connection reset"))

    vma.reply = reset_once
    channel = channel_to(vma)
    asking = asyncio.ensure_future(channel.ask("progress", "0"))
    await asyncio.sleep(0.5)

    stop_process_for(3600)

    assert (await asking).status is UNANSWERED
    assert (channel.circuit.state, vma.health_checks) == ("closed", 2)


@virtually
async def test_a_circuit_that_was_open_when_the_process_was_stopped_makes_no_job_unreachable_after() -> None:
    vma = ModelledVMA(0.02)
    vma.is_down = True
    channel = channel_to(vma)
    await ask_all(channel, 10)
    vma.is_down = False

    stop_process_for(3600)

    assert await ask_all(channel, 100) == {RUNNING: 100}
