"""One health check serves all that need one at the time, and one in which this process was stopped tells nothing."""

import asyncio
from contextlib import suppress

import pytest

from adapters.vma.health import HealthCheck, HealthChecks
from adapters.vma.reply import Reply, failed, not_asked
from tests.adapters.vma.modelled_vma import now, running, stop_process_for, virtually

TIMEOUT = 9.0


class Server:
    """Answers a health check after `latency` seconds."""

    def __init__(self, latency: float = 1.0) -> None:
        self.latency = latency
        self.reply = running("health")
        self.asked = 0
        self.in_progress = 0
        self.signs_of_life: list[Reply] = []

    async def ask(self) -> Reply:
        self.asked += 1
        self.in_progress += 1
        try:
            await asyncio.sleep(self.latency)
        finally:
            self.in_progress -= 1
        return self.reply


def checks_of(server: Server) -> HealthChecks:
    return HealthChecks(asyncio.get_running_loop().time, TIMEOUT, server.ask, server.signs_of_life.append)


@virtually
async def test_requests_at_the_same_time_share_one_check() -> None:
    server = Server()
    checks = checks_of(server)
    first = asyncio.ensure_future(checks.check(now()))
    await asyncio.sleep(0.5)

    found = list(await asyncio.gather(first, checks.check(0.0), checks.check(0.5)))

    assert found == [HealthCheck(0.0, 1.0, alive=True)] * 3
    assert (found[0].took, server.asked, server.signs_of_life) == (1.0, 1, [server.reply])


@pytest.mark.parametrize(("later", "asked"), [(0.0, 1), (2.25, 1), (2.5, 2)])
@virtually
async def test_a_check_serves_for_a_quarter_of_its_time_limit(later: float, asked: int) -> None:
    server = Server()
    checks = checks_of(server)
    await asyncio.sleep(1.0)
    first = await checks.check(0.0)
    await asyncio.sleep(later)

    await checks.check(0.0)

    assert (first.took, server.asked) == (1.0, asked)


@pytest.mark.parametrize(("since", "asked"), [(0.0, 1), (0.25, 2)])
@virtually
async def test_a_check_that_began_before_a_request_was_sent_does_not_serve_it(since: float, asked: int) -> None:
    server = Server()
    checks = checks_of(server)
    await checks.check(0.0)

    assert (await checks.check(since)).alive
    assert server.asked == asked


@virtually
async def test_a_server_that_does_not_answer_in_time_is_not_alive() -> None:
    server = Server(latency=60.0)

    check = await checks_of(server).check(0.0)

    assert (check.alive, check.not_asked, server.signs_of_life) == (False, None, [])
    assert check.took == pytest.approx(TIMEOUT)
    assert (server.asked, server.in_progress) == (1, 0)


@pytest.mark.parametrize("reply", [failed("health", 0.0, "refused"), not_asked("health", "too many open files")])
@virtually
async def test_a_check_that_fails_is_no_sign_of_life_and_tells_whether_it_was_sent(reply: object) -> None:
    server = Server()
    server.reply = Reply(reply)  # type: ignore[arg-type]

    check = await checks_of(server).check(0.0)

    assert (check.alive, server.signs_of_life) == (False, [])
    assert check.not_asked == ("too many open files" if reply == not_asked("health", "too many open files") else None)


@pytest.mark.parametrize(("stopped", "asked"), [(12.5, 1), (12.75, 2)])
@virtually
async def test_a_failed_check_that_took_longer_than_it_can_is_repeated_once(stopped: float, asked: int) -> None:
    server = Server()
    server.reply = Reply(failed("health", 0.0, "connection reset"))
    checking = asyncio.ensure_future(checks_of(server).check(0.0))
    await asyncio.sleep(0.5)
    stop_process_for(stopped + 0.5)

    check = await checking

    assert (check.alive, server.asked) == (False, asked)


@virtually
async def test_an_answer_that_took_long_because_of_our_stop_is_an_answer() -> None:
    server = Server()
    checking = asyncio.ensure_future(checks_of(server).check(0.0))
    await asyncio.sleep(0.5)
    stop_process_for(3600)

    assert (await checking).alive
    assert server.asked == 1


@virtually
async def test_a_check_is_cancelled_with_the_last_request_that_waits_for_it_and_the_next_one_is_a_new_one() -> None:
    server = Server()
    checks = checks_of(server)
    waiting = [asyncio.ensure_future(checks.check(0.0)) for _ in range(3)]
    await asyncio.sleep(0.5)

    for number, one in enumerate(waiting):
        assert server.in_progress == 1, number
        one.cancel()
        with suppress(asyncio.CancelledError):
            await one

    assert server.in_progress == 0
    assert (await checks.check(0.5)).began == 0.5
    assert server.asked == 2


@virtually
async def test_one_of_several_that_is_cancelled_leaves_the_check_to_the_others() -> None:
    server = Server()
    checks = checks_of(server)
    one, other = (asyncio.ensure_future(checks.check(0.0)) for _ in range(2))
    await asyncio.sleep(0.5)

    one.cancel()

    assert await other == HealthCheck(0.0, 1.0, alive=True)
    assert server.asked == 1
