"""What a client may take of the service: so much of its memory, its time and its connections.

A client that is slow, or sends without end, costs only itself: its request is refused, and its connection closed.
Which connections are closed when there are too many is decided in `connections`.
"""

import asyncio
import resource
from http import HTTPStatus

from anyio import BrokenResourceError
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems
from api.connections import is_overloaded

MOST_BODY = 100_000
"""Bytes of a request's body; the largest that makes sense, with 64 disks, has some twenty thousand."""

BODY_WITHIN = 10.0
"""Seconds within which a request's body must have arrived."""

MOST_FILES = 10_240
"""What macOS lets a process have."""


class _TooMuch(Exception):
    """A body is too long, or too slow, or too many requests are under way."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


class BoundedBodies:
    """ASGI middleware that refuses a body that is too long or too slow, and a request while there are too many."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on, or answer with the problem."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        try:
            whole = await _whole_body(request.headers.get("content-length"), receive)
            _refuse_if_overloaded(scope)
        except _TooMuch as refused:
            answer = problems.problem(request, refused.status, str(refused))
            answer.headers["Connection"] = "close"
            if refused.status is HTTPStatus.SERVICE_UNAVAILABLE:
                answer.headers["Retry-After"] = "1"
            await answer(scope, receive, send)
            return
        try:
            await self._app(scope, _Replay(whole, receive), send)
        except* BrokenResourceError:
            # A live stream goes on writing for a moment after its client was let go: nobody is left to be told.
            pass


class _Replay:
    """Hands the application a body that was received before, and then what comes after it."""

    def __init__(self, whole: Message, receive: Receive) -> None:
        self._whole: Message | None = whole
        self._receive = receive

    async def __call__(self) -> Message:
        if self._whole is None:
            return await self._receive()
        whole, self._whole = self._whole, None
        return whole


def _refuse_if_overloaded(scope: Scope) -> None:
    if is_overloaded(scope):
        raise _TooMuch(HTTPStatus.SERVICE_UNAVAILABLE, "too many requests are under way: ask again in a second")


async def _whole_body(announced: str | None, receive: Receive) -> Message:
    """Receive a body whole; its length as announced is believed only if it is too much."""
    if announced and announced.isdigit() and int(announced[:20]) > MOST_BODY:
        raise _TooMuch(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body has more than {MOST_BODY} bytes")
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_WITHIN):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    return message
                body += message.get("body", b"")
                if len(body) > MOST_BODY:
                    raise _TooMuch(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body has more than {MOST_BODY} bytes")
                if not message.get("more_body"):
                    return {"type": "http.request", "body": bytes(body), "more_body": False}
    except TimeoutError:
        why = f"the body did not arrive within {BODY_WITHIN:g} s"
        raise _TooMuch(HTTPStatus.REQUEST_TIMEOUT, why) from None


def take_all_files_allowed() -> None:
    """Raise this process's own limit of open files as far as the machine lets it: each connection takes one."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Where it is endless, the system has a smaller limit of its own, and refuses what is beyond that.
    wanted = most if most != resource.RLIM_INFINITY else max(now, MOST_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
