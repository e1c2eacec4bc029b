"""Turns: few requests run at once, few wait, and a health check does neither."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import pytest
from starlette.types import Message, Receive, Scope, Send

from api.http.limits import AT_ONCE, MAX_WAITING, BoundedBodies, Kind

FOR_EVER = 3600.0
"""Seconds."""

READS, COMMANDS, REPORTS = AT_ONCE[Kind.READ], AT_ONCE[Kind.COMMAND], AT_ONCE[Kind.REPORT]

REPORT = "/api/v1/telemetry/replication/job-1"


class Application:
    """An application whose requests respond, end or fail only when they are told to."""

    def __init__(self) -> None:
        self.running: list[str] = []
        self.respond = asyncio.Event()
        self.end = asyncio.Event()
        self.fails = False

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        self.running.append(scope["path"])
        await self.respond.wait()
        if self.fails:
            raise ZeroDivisionError
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await self.end.wait()
        await send({"type": "http.response.body", "body": b""})


class Caller:
    """Sends requests, and records the first message of each response."""

    def __init__(self, app: Application, patience: dict[Kind, float]) -> None:
        """A request waits for its turn for the seconds of `patience`, or for ever."""
        self._bounded = BoundedBodies(app, lambda: self.why_slow, dict.fromkeys(Kind, FOR_EVER) | patience)
        self.why_slow: str | None = None
        self.responses: list[Message] = []
        self.bodies: list[str] = []
        self._requests: list[asyncio.Task[None]] = []

    async def send(self, count: int = 1, method: str = "GET", path: str = "/jobs") -> None:
        for _ in range(count):
            self._requests.append(asyncio.ensure_future(self._exchange(method, path)))
        await settled()

    def cancel(self) -> None:
        self._requests.pop().cancel()

    async def _exchange(self, method: str, path: str) -> None:
        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.responses.append(message)
            else:
                self.bodies.append(message["body"].decode())

        scope = {"type": "http", "method": method, "path": path, "headers": [], "query_string": b"", "server": ("x", 1)}
        await self._bounded(scope, receive, send)

    async def end(self) -> None:
        for request in self._requests:
            request.cancel()
        await asyncio.gather(*self._requests, return_exceptions=True)


async def settled() -> None:
    """Let every request run for as long as it can."""
    for _ in range(20):
        await asyncio.sleep(0)


async def with_caller(
    test: Callable[[Application, Caller], Awaitable[None]], patience: dict[Kind, float] | None = None
) -> None:
    app = Application()
    caller = Caller(app, patience or {})
    try:
        await test(app, caller)
    finally:
        await caller.end()


@pytest.mark.parametrize(
    ("method", "path", "limit"),
    [
        ("GET", "/jobs", READS),
        ("HEAD", "/jobs", READS),
        ("POST", "/jobs", COMMANDS),
        ("POST", REPORT, REPORTS),
        ("GET", REPORT, READS),
    ],
)
async def test_so_many_requests_run_at_once_and_the_next_one_when_one_has_responded(
    method: str, path: str, limit: int
) -> None:
    async def test(app: Application, caller: Caller) -> None:
        await caller.send(limit + 1, method, path)
        assert len(app.running) == limit

        app.respond.set()
        await settled()

        assert len(app.running) == limit + 1

    await with_caller(test)


async def test_reads_commands_and_reports_do_not_wait_for_each_other() -> None:
    async def test(app: Application, caller: Caller) -> None:
        await caller.send(READS + 1, "GET")
        await caller.send(1, "POST", "/written")
        assert app.running.count("/written") == 1

        await caller.send(COMMANDS, "POST")
        await caller.send(REPORTS + 1, "POST", REPORT)

        assert len(app.running) == READS + COMMANDS + REPORTS

    await with_caller(test)


async def test_reads_commands_and_reports_have_a_queue_each() -> None:
    async def test(app: Application, caller: Caller) -> None:
        await caller.send(COMMANDS + MAX_WAITING, "POST")
        await caller.send(READS + MAX_WAITING, "GET")
        await caller.send(REPORTS + MAX_WAITING, "POST", REPORT)
        assert (len(app.running), caller.responses) == (COMMANDS + READS + REPORTS, [])

        await caller.send(1, "POST")
        await caller.send(1, "GET")
        await caller.send(1, "POST", REPORT)

        assert [message["status"] for message in caller.responses] == [HTTPStatus.SERVICE_UNAVAILABLE] * 3

    await with_caller(test)


async def test_a_request_that_fails_or_is_cancelled_gives_its_turn_to_the_next() -> None:
    async def test(app: Application, caller: Caller) -> None:
        await caller.send(READS)
        for waiting in range(2):
            await caller.send(1, path=f"/waited-{waiting}")
        caller.cancel()
        app.fails = True
        app.respond.set()
        await settled()
        app.fails = False

        await caller.send(READS)

        assert len(app.running) == READS + 1 + READS
        assert "/waited-1" not in app.running

    await with_caller(test)


async def test_beyond_the_queue_a_request_is_refused_each_time_and_a_health_check_is_not() -> None:
    async def test(app: Application, caller: Caller) -> None:
        await caller.send(READS + MAX_WAITING)
        assert caller.responses == []
        for times in (1, 2):
            await caller.send()

            assert [message["status"] for message in caller.responses] == [HTTPStatus.SERVICE_UNAVAILABLE] * times
            assert {(b"retry-after", b"1"), (b"connection", b"close")} <= set(caller.responses[-1]["headers"])
        for path in ("/livez", "/readyz"):
            await caller.send(path=path)
            assert app.running[-1] == path

    await with_caller(test)


@pytest.mark.parametrize(
    ("kind", "method", "limit", "other"),
    [(Kind.READ, "GET", READS, "POST"), (Kind.COMMAND, "POST", COMMANDS, "GET")],
)
async def test_a_request_that_has_waited_too_long_is_refused_each_time_and_takes_no_turn(
    kind: Kind, method: str, limit: int, other: str
) -> None:
    async def test(app: Application, caller: Caller) -> None:
        await caller.send(limit, method)
        for _ in range(2):
            caller.responses.clear()
            await caller.send(2, method, "/late")
            await asyncio.wait_for(_until(lambda: len(caller.responses) == 2), 30)
            assert {message["status"] for message in caller.responses} == {HTTPStatus.SERVICE_UNAVAILABLE}
            assert all((b"retry-after", b"1") in message["headers"] for message in caller.responses)
        await caller.send(1, other, "/other")
        app.respond.set()
        await settled()

        await caller.send(limit, method)

        assert (app.running.count("/late"), app.running.count("/other")) == (0, 1)
        assert len(app.running) == 2 * limit + 1

    await with_caller(test, {kind: 0.0})


@pytest.mark.parametrize("why", ["the table is locked by PostgreSQL process 17", None])
async def test_one_that_has_waited_too_long_is_told_why_if_that_is_known(why: str | None) -> None:
    async def test(_app: Application, caller: Caller) -> None:
        caller.why_slow = why
        await caller.send(COMMANDS + 1, "POST")
        await asyncio.wait_for(_until(lambda: bool(caller.bodies)), 30)

        assert (why or "too many requests are waiting") in caller.bodies[0]

    await with_caller(test, {Kind.COMMAND: 0.0})


async def test_a_place_in_the_queue_that_is_left_can_be_taken_again() -> None:
    async def test(app: Application, caller: Caller) -> None:
        for _ in range(3):
            await caller.send(READS + MAX_WAITING)
            app.respond.set()
            app.end.set()
            await asyncio.wait_for(_until(lambda: len(app.running) % (READS + MAX_WAITING) == 0), 30)
            app.respond.clear()

        assert {message["status"] for message in caller.responses} == {200}

    await with_caller(test)


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - the requests run in between
        await asyncio.sleep(0)
