"""What a client may take of the service: so much of its memory, its time and its connections.

A client that is slow, or sends without end, costs only itself: its request is refused, and its connection closed.
"""

import asyncio
import resource
from http import HTTPStatus

from anyio import BrokenResourceError
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from api import problems

MOST_BODY = 100_000
"""Bytes of a request's body; the largest that makes sense, with 64 disks, has some twenty thousand."""

BODY_WITHIN = 10.0
HEAD_WITHIN = 10.0
"""Seconds within which a request's body, and what comes before it, must have arrived."""

READ_WITHIN = 30.0
"""Seconds within which a client must have read something of an answer that waits for it."""

MOST_CONNECTIONS = 1000
"""At once; further ones are closed again, so that those there are, and the VMAs', keep their files."""

MOST_FILES = 10_240
"""What macOS lets a process have."""


class _TooMuch(Exception):
    """A body is too long, or too slow."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


class BoundedBodies:
    """ASGI middleware that refuses a body that is too long or too slow, before it fills the memory."""

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
        except _TooMuch as refused:
            answer = problems.problem(request, refused.status, str(refused))
            answer.headers["Connection"] = "close"
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


class BoundedProtocol(H11Protocol):
    """uvicorn's HTTP, which ends a connection on which no request is complete, or no answer is read, for too long."""

    _waiting: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Begin to wait for a request, unless there are too many that do."""
        super().connection_made(transport)
        self._wait()
        if len(self.connections) > MOST_CONNECTIONS:
            transport.close()

    def data_received(self, data: bytes) -> None:
        """Wait on while what came is no whole head of a request."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:  # type: ignore[redundant-expr] # it begins as None
            self._wait_no_more()
        elif self._waiting is None:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._wait_no_more()
        self._is_read()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Wait for the client to read."""
        super().pause_writing()
        self._watch_reading()

    def resume_writing(self) -> None:
        """Go on: it reads."""
        self._is_read()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """End an idle connection; one with an answer that nobody reads would stay open for ever."""
        if not self.transport.is_closing() and self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            super().timeout_keep_alive_handler()

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(HEAD_WITHIN, self._close)

    def _wait_no_more(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _watch_reading(self) -> None:
        left = self.transport.get_write_buffer_size()
        self._unread = self.loop.call_later(READ_WITHIN, self._look_at_reading, left)

    def _look_at_reading(self, left_before: int) -> None:
        if self.transport.get_write_buffer_size() < left_before:
            self._watch_reading()
        else:
            self.transport.abort()

    def _is_read(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _close(self) -> None:
        self._waiting = None
        self.transport.abort()


def take_all_files_allowed() -> None:
    """Raise this process's own limit of open files as far as the machine lets it: each connection takes one."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Where it is endless, the system has a smaller limit of its own, and refuses what is beyond that.
    wanted = most if most != resource.RLIM_INFINITY else max(now, MOST_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
