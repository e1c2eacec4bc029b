"""Limits on requests: size of and time for a body, concurrency, and the length of the queue.

A request beyond a limit is refused, and its connection closed. `connections` limits the connections.
"""

import asyncio
import resource
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from enum import Enum
from http import HTTPStatus

from anyio import BrokenResourceError
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http import problems
from api.http.guard import READING
from api.http.routers import REPORTS

MAX_BODY = 100_000
"""Bytes of a request's body. A valid one, with 64 disks, has at most some 20,000."""

TOO_LARGE = HTTPStatus.REQUEST_ENTITY_TOO_LARGE

MAX_FIELDS = 2000
"""Fields of a body: a refused field costs more than a valid one. A report of 64 disks has some 500."""

BODY_TIMEOUT = 10.0
"""Seconds within which a request's body must arrive."""

MAX_WAITING = 100
"""Requests in the queue of each kind."""


class Kind(Enum):
    """The kinds of requests, each with a queue of its own."""

    READ = "read"
    COMMAND = "command"
    REPORT = "report"


AT_ONCE = {Kind.READ: 3, Kind.COMMAND: 32, Kind.REPORT: 100}
"""Concurrent requests of each kind.

A read of 1,000 events takes 0.1 s, and many writes share one commit. So a read waits for at most a few seconds behind
the reads of a hostile client. A worker does not repeat its last report: 100 workers that report every 5 s have 80
requests in progress while the database is away and each takes 4 s.
"""

PATIENCE = {Kind.READ: 5.0, Kind.COMMAND: 1.0, Kind.REPORT: 5.0}
"""Seconds that a request waits for its turn.

While the database is away, each turn takes seconds, and the last in the queue would wait for the sum of them. A command
has `background.COMMAND_TIMEOUT` when it has its turn.
"""

HEALTH = ("/livez", "/readyz")
"""Paths that do not queue."""

MAX_FILES = 10_240
"""The most open files that macOS allows a process."""


class _LimitExceeded(Exception):
    """A request is too large or too slow, or the queue is full or too slow."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


class BoundedBodies:
    """ASGI middleware that limits bodies, concurrent requests and the queue.

    Each step of a request blocks the event loop for all others, health checks too. So few requests run concurrently.
    A request releases its turn when its response begins, or when it has a slot for long responses.
    """

    def __init__(
        self,
        app: ASGIApp,
        why_slow: Callable[[], str | None] = lambda: None,
        patience: Mapping[Kind, float] = PATIENCE,
    ) -> None:
        """Wrap the application; `why_slow` returns why requests take long, if that is known."""
        self._app = app
        self._turns = {kind: asyncio.Semaphore(limit) for kind, limit in AT_ONCE.items()}
        self._patience = patience
        self._why_slow = why_slow
        self._waiting = dict.fromkeys(Kind, 0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or respond with problem details."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        try:
            whole = await _whole_body(receive)
            turn = await self._turn(scope)
        except _LimitExceeded as refused:
            answer = problems.problem(request, refused.status, str(refused))
            answer.headers["Connection"] = "close"
            if refused.status is HTTPStatus.SERVICE_UNAVAILABLE:
                answer.headers["Retry-After"] = "1"
            await answer(scope, receive, send)
            return

        received = iter([whole])

        async def receive_again() -> Message:
            return next(received, None) or await receive()

        async def begin(message: Message) -> None:
            turn.close()
            await send(message)

        try:
            with turn:
                scope["turn"] = turn
                await self._app(scope, receive_again, begin)
        except* BrokenResourceError:
            # A live stream still writes for a moment after its connection was closed.
            pass

    async def _turn(self, scope: Scope) -> ExitStack:
        """Wait for a turn, and return the stack that releases it. A health check does not wait."""
        turn = ExitStack()
        if scope["path"] in HEALTH:
            return turn
        kind = _kind_of(scope)
        if self._waiting[kind] >= MAX_WAITING:
            raise self._too_many()
        turns = self._turns[kind]
        if turns.locked():
            await self._wait(turns, kind)
        else:
            # At once: a timeout costs more than all of this.
            await turns.acquire()
        turn.callback(turns.release)
        return turn

    async def _wait(self, turns: asyncio.Semaphore, kind: Kind) -> None:
        self._waiting[kind] += 1
        try:
            async with asyncio.timeout(self._patience[kind]):
                await turns.acquire()
        except TimeoutError:
            raise self._too_many() from None
        finally:
            self._waiting[kind] -= 1

    def _too_many(self) -> _LimitExceeded:
        why = self._why_slow()
        what = "too many requests are waiting: retry after a second" + (f" ({why})" if why else "")
        return _LimitExceeded(HTTPStatus.SERVICE_UNAVAILABLE, what)


def _kind_of(scope: Scope) -> Kind:
    if scope["method"] in READING:
        return Kind.READ
    return Kind.REPORT if scope["path"].startswith(REPORTS) else Kind.COMMAND


async def _whole_body(receive: Receive) -> Message:
    """Return the complete body as one message, or the message that the client disconnected."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT):
            while (message := await receive())["type"] == "http.request":
                body += message.get("body", b"")
                if len(body) > MAX_BODY:
                    raise _LimitExceeded(TOO_LARGE, f"the body has more than {MAX_BODY} bytes")
                if not message.get("more_body"):
                    break
    except TimeoutError:
        why = f"the body did not arrive within {BODY_TIMEOUT:g} s"
        raise _LimitExceeded(HTTPStatus.REQUEST_TIMEOUT, why) from None
    if body.count(b":") > MAX_FIELDS:
        raise _LimitExceeded(TOO_LARGE, f"the body has more than {MAX_FIELDS} fields")
    return {"type": message["type"], "body": bytes(body), "more_body": False}


def raise_open_file_limit() -> None:
    """Raise the soft limit of open files to the hard limit: each connection needs a file descriptor."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (open_file_limit(soft, hard), hard))


def open_file_limit(soft: int, hard: int) -> int:
    """Return the highest soft limit of open files. Where the hard one is infinite, the system refuses high values."""
    return hard if hard != resource.RLIM_INFINITY else max(soft, MAX_FILES)
