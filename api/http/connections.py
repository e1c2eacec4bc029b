"""Who has a connection: when all are taken, the one that has waited for its client for the longest time is closed.

A connection waits for its client while it has no whole request from it, and while the client does not read an answer.
One with a request under way is never closed. So a new client always gets in, whoever holds how many connections.
"""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

HEAD_WITHIN = 10.0
"""Seconds within which what comes before a request's body must have arrived."""

HEAD_AT_ONCE = 4096
"""Bytes that are handed to the HTTP parser at once. It bounds a head (16 kB) only between two such parts."""

READ_WITHIN = 30.0
"""Seconds within which a client must have read something of an answer that waits for it."""

LOOK_EVERY = 1.0
"""Seconds between two looks at how long a connection has waited."""

MAX_CONNECTIONS = 1000
"""At once, so that there are files left for the log and the VMAs."""


class BoundedProtocol(H11Protocol):
    """uvicorn's HTTP, which ends a connection on which no request is complete, or no answer is read, for too long.

    It also ends one when there are too many.
    """

    _waiting: dict[H11Protocol, None]
    """All connections that wait for their clients, in the order in which they began to."""
    _next_look: asyncio.TimerHandle
    _waits_since: float | None = None
    _unread = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._waiting = self.app_state.setdefault("waiting", {})
        self._see_who_waits()
        if len(self.connections) > MAX_CONNECTIONS:
            longest = next(iter(self._waiting), self)
            self._waiting.pop(longest, None)
            longest.transport.abort()
        self._look()

    def data_received(self, data: bytes) -> None:
        """Wait on while what came is no whole head of a request."""
        for begin in range(0, len(data), HEAD_AT_ONCE):
            if not self.transport.is_closing():
                super().data_received(data[begin : begin + HEAD_AT_ONCE])
        self._see_who_waits()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._next_look.cancel()
        self._waiting.pop(self, None)
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._see_who_waits()

    def pause_writing(self) -> None:
        """Wait for the client to read."""
        super().pause_writing()
        self._see_who_waits()

    def resume_writing(self) -> None:
        """Go on: it reads."""
        super().resume_writing()
        self._see_who_waits()

    def _see_who_waits(self) -> None:
        cycle: RequestResponseCycle | None = self.cycle
        is_begun = cycle is not None and not cycle.response_complete and not self.flow.write_paused
        if is_begun and cycle is not None and not cycle.more_body:
            self._waiting.pop(self, None)
        elif not self.transport.is_closing():
            self._waiting.setdefault(self)
        if is_begun:
            self._waits_since = None
        elif self._waits_since is None:
            self._waits_since = self.loop.time()

    def _look(self) -> None:
        """End the connection if its client has sent no head, or read nothing of an answer, for too long."""
        now, unread = self.loop.time(), self.transport.get_write_buffer_size()
        if unread < self._unread and self._waits_since is not None:
            self._waits_since = now
        self._unread = unread
        if self._waits_since is not None and now - self._waits_since > (READ_WITHIN if unread else HEAD_WITHIN):
            self.transport.abort()
        self._next_look = self.loop.call_later(LOOK_EVERY, self._look)
