"""What a client may take of the service: so much of its memory, its time and its connections.

A client that is slow, or sends without end, costs only itself: its request is refused, and its connection closed.
Which connections are closed when there are too many is decided in `connections`.
"""

import asyncio
import resource
from contextlib import ExitStack
from http import HTTPStatus

from anyio import BrokenResourceError
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http import problems
from api.http.guard import READING

MAX_BODY = 100_000
"""Bytes of a request's body; the largest that makes sense, with 64 disks, has some twenty thousand."""

TOO_LARGE = HTTPStatus.REQUEST_ENTITY_TOO_LARGE

MAX_FIELDS = 2000
"""Of a body, for each that is refused takes longer than one that is read; a report of 64 disks has some 500."""

BODY_TIMEOUT = 10.0
"""Seconds within which a request's body must have arrived."""

READS, WRITES, MAX_WAITING = 3, 32, 100
"""Reads and other requests that are worked on at once, and requests that wait for their turn.

A read of a thousand events takes a tenth of a second; many writes share one commit. A client may ask for a fleet at
once; an honest read must not wait for many seconds behind a hostile client's.
"""

HEALTH = ("/livez", "/readyz")
"""The paths that are answered however many requests wait."""

MAX_FILES = 10_240
"""What macOS lets a process have."""


class _TooMuch(Exception):
    """A body is too long, or too slow, or too many requests wait."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


class BoundedBodies:
    """ASGI middleware that refuses a body that is too long or too slow, and a request while too many wait.

    All that is computed in one turn of the event loop holds up all others, health checks too. So few requests are
    worked on at once. One gives its turn back when its answer begins, or when it has a slot for long answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the application."""
        self._app = app
        self._turns = {is_read: asyncio.Semaphore(most) for is_read, most in ((True, READS), (False, WRITES))}
        self._waiting = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on, or answer with the problem."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        try:
            whole = await _whole_body(receive)
            turn = await self._turn(scope)
        except _TooMuch as refused:
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
            # A live stream goes on writing for a moment after its client was let go: nobody is left to be told.
            pass

    async def _turn(self, scope: Scope) -> ExitStack:
        """Wait for the turn of a request; return what gives it back. A health check does not wait."""
        turn = ExitStack()
        if scope["path"] in HEALTH:
            return turn
        if self._waiting >= MAX_WAITING:
            raise _TooMuch(HTTPStatus.SERVICE_UNAVAILABLE, "too many requests wait: ask again in a second")
        turns = self._turns[scope["method"] in READING]
        self._waiting += 1
        try:
            await turns.acquire()
        finally:
            self._waiting -= 1
        turn.callback(turns.release)
        return turn


async def _whole_body(receive: Receive) -> Message:
    """Receive a body whole, or that its client is gone."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT):
            while (message := await receive())["type"] == "http.request":
                body += message.get("body", b"")
                if len(body) > MAX_BODY:
                    raise _TooMuch(TOO_LARGE, f"the body has more than {MAX_BODY} bytes")
                if not message.get("more_body"):
                    break
    except TimeoutError:
        why = f"the body did not arrive within {BODY_TIMEOUT:g} s"
        raise _TooMuch(HTTPStatus.REQUEST_TIMEOUT, why) from None
    if body.count(b":") > MAX_FIELDS:
        raise _TooMuch(TOO_LARGE, f"the body has more than {MAX_FIELDS} fields")
    return {"type": message["type"], "body": bytes(body), "more_body": False}


def take_all_files_allowed() -> None:
    """Raise this process's own limit of open files as far as the machine lets it: each connection takes one."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Where it is endless, the system has a smaller limit of its own, and refuses what is beyond that.
    wanted = most if most != resource.RLIM_INFINITY else max(now, MAX_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
