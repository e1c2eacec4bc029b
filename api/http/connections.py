"""Limits on connections: at the maximum, a new one closes the one that has waited longest for its client.

A connection waits for its client while it has no complete request, and while the client does not read the response.
A connection with a request in progress is never closed. So a new client can always connect.
"""

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

HEAD_TIMEOUT = 10.0
"""Seconds until the complete head of a request must have arrived."""

KEEP_ALIVE = 75
"""Seconds that a connection may be idle after a response: longer than clients keep theirs (httpx 5, nginx 60).

Whoever sends a request at the moment in which the other end closes the connection gets an error instead of an answer.
"""

PARSER_CHUNK = 4096
"""Bytes per call of the HTTP parser. It checks the limit of a head (16 kB) only between two calls."""

READ_TIMEOUT = 30.0
"""Seconds within which a client must read some of a pending response."""

CHECK_INTERVAL = 1.0
"""Seconds between two checks of a connection's timeouts."""

MAX_CONNECTIONS = 1000
"""Concurrent connections; leaves file descriptors for the log and the VMAs."""


MALFORMED = (
    b'{"type":"about:blank","title":"Bad Request","status":400,"instance":"",'
    b'"detail":"the request is no HTTP/1.1, or its URL and headers have more than 16 kB"}'
)


class BoundedProtocol(H11Protocol):
    """uvicorn's HTTP protocol with a maximum of connections, and with timeouts for a request's head and for reading."""

    _waiting: dict[H11Protocol, None]
    """All connections that wait for their clients, the longest waiting first."""
    _next_check: asyncio.TimerHandle
    _waits_since: float | None = None
    _unread = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Wait for a request; at the maximum of connections, close the one that has waited longest."""
        super().connection_made(transport)
        self._waiting = self.app_state.setdefault("waiting", {})
        self._update_waiting()
        if len(self.connections) > MAX_CONNECTIONS:
            longest = next(iter(self._waiting), self)
            self._waiting.pop(longest, None)
            longest.transport.abort()
        self._check_timeouts()

    def data_received(self, data: bytes) -> None:
        """Parse what arrived, in chunks; the time for a head begins with its first byte."""
        if self._is_idle():
            self._waits_since = None
        for begin in range(0, len(data), PARSER_CHUNK):
            if not self.transport.is_closing():
                super().data_received(data[begin : begin + PARSER_CHUNK])
        self._update_waiting()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - as uvicorn has it
        """Answer a malformed request by problem details; only close the connection if a response has begun already.

        uvicorn would answer in plain text, and raise then, so that asyncio logs a traceback for whoever sends it.
        """
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            headers = [("content-type", "application/problem+json"), ("connection", "close")]
            response = h11.Response(status_code=400, headers=headers, reason=b"Bad Request")
            for part in (response, h11.Data(data=MALFORMED), h11.EndOfMessage()):
                self.transport.write(self.conn.send(part) or b"")
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timeouts."""
        self._next_check.cancel()
        self._waiting.pop(self, None)
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._update_waiting()

    def pause_writing(self) -> None:
        """Wait until the client reads."""
        super().pause_writing()
        self._update_waiting()

    def resume_writing(self) -> None:
        """Continue, because the client reads."""
        super().resume_writing()
        self._update_waiting()

    def _is_idle(self) -> bool:
        """Tell whether nothing has arrived since the last response: uvicorn's timer runs until then."""
        return self.timeout_keep_alive_task is not None

    def _update_waiting(self) -> None:
        cycle: RequestResponseCycle | None = self.cycle
        in_progress = cycle is not None and not cycle.response_complete and not self.flow.write_paused
        if in_progress and cycle is not None and not cycle.more_body:
            self._waiting.pop(self, None)
        elif not self.transport.is_closing() or self.transport.get_write_buffer_size():
            self._waiting.setdefault(self)
        if in_progress:
            self._waits_since = None
        elif self._waits_since is None:
            self._waits_since = self.loop.time()

    def _check_timeouts(self) -> None:
        """Close the connection if its client has sent no head, or has read nothing of a response, for too long."""
        now, unread = self.loop.time(), self.transport.get_write_buffer_size()
        if unread < self._unread and self._waits_since is not None:
            self._waits_since = now
        self._unread = unread
        limit = READ_TIMEOUT if unread else KEEP_ALIVE if self._is_idle() else HEAD_TIMEOUT
        if self._waits_since is not None and now - self._waits_since > limit:
            self.transport.abort()
        self._next_check = self.loop.call_later(CHECK_INTERVAL, self._check_timeouts)
