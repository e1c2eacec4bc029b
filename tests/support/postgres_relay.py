"""A TCP relay before PostgreSQL, which goes silent, loses a COMMIT or its answer, or disturbs every N-th message."""

import socket
import struct
import threading
import time
from collections import Counter
from contextlib import suppress
from itertools import count, cycle
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK = 65536
COMMIT = b"COMMIT"
ANSWER, REQUEST, HELD = "answer", "request", "held"
CUT, SWALLOW, DELAY = "cut", "swallow", "delay"

LATE = 1.0
"""Seconds for which a message is delayed."""

NOTICED = 11.0
"""Seconds after which a server ends a session whose client is silent: the keep-alives that a session of ours asks for.

This machine would answer them for ever, so that the server had no connection left in the end.
"""

RESET = struct.pack("ii", 1, 0)
"""The option of a socket that is closed by a reset, without a word."""


class PostgresRelay:
    """Passes connections on to a port of this machine, from a port of its own."""

    def __init__(self, target: int) -> None:
        """Listen at once."""
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._passing = threading.Event()
        self._passing.set()
        self._losses: list[str] = []
        self._of = b""
        self._then_silent = False
        self._disturbances: Iterator[str | None] = iter(())
        self._turn = threading.Lock()
        self.disturbed: Counter[str] = Counter()
        """How many messages were, by what was done."""
        self._open: set[socket.socket] = set()
        self._forgotten: set[socket.socket] = set()
        self._closed = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def lose(self, *what: str, of: str, then_silent: bool = False) -> None:
        """Cut the connection at a COMMIT, before the server has it (REQUEST) or when it has answered (ANSWER).

        HELD: go silent then, without an end of the connection, and before the server has the COMMIT.

        It is that of the next transactions with the text `of`. With `then_silent`, nothing is passed on after the last
        of them until `resume`.
        """
        self._of, self._losses, self._then_silent = of.encode(), list(what), then_silent

    def go_silent(self) -> None:
        """Pass on nothing, and close no connection, like a network without a route."""
        self._passing.clear()

    @property
    def is_silent(self) -> bool:
        return not self._passing.is_set()

    def forget(self) -> None:
        """Pass on nothing more of the present connections, nor their end, like a firewall that has forgotten them."""
        self._forgotten |= self._open

    def disturb(self, every: int, *what: str) -> None:
        """Do one of `what`, in turn, at every so-many-th message to the server; none: no more.

        CUT resets the connection, and DELAY holds the message back. SWALLOW passes on nothing more of it, and does not
        tell the client of its end; the server notices by its keep-alives.
        """
        each = cycle(what)
        self._disturbances = iter(()) if not what else (next(each) if n % every == 0 else None for n in count(1))

    def resume(self) -> None:
        """Pass on again, also what was held back."""
        self._passing.set()

    def close(self) -> None:
        """End all connections."""
        # A thread that waits for a connection would otherwise accept one more.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._closed.set()
        self._passing.set()
        for one in list(self._open):
            _end(one)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                try:
                    server = socket.create_connection(("127.0.0.1", self._target))
                except ConnectionRefusedError:
                    # The server is being restarted.
                    client.close()
                    continue
                self._open |= {client, server}
                lost = threading.Event()
                for pump in (self._to_server, self._to_client):
                    threading.Thread(target=pump, args=(client, server, lost), daemon=True).start()

    def _to_server(self, client: socket.socket, server: socket.socket, lost: threading.Event) -> None:
        transaction = b""
        with suppress(OSError):
            while piece := client.recv(BLOCK):
                self._wait_to_pass(client)
                transaction += piece
                if COMMIT in piece:
                    if self._losses and self._of in transaction:
                        loss = self._losses.pop(0)
                        if loss == HELD:
                            self.go_silent()
                            self._wait_to_pass(client)
                        else:
                            lost.set()
                        if loss == REQUEST:
                            break
                    transaction = b""
                self._disturb_next(client, server)
                server.sendall(piece)
        self._cut(client, server, lost)

    def _to_client(self, client: socket.socket, server: socket.socket, lost: threading.Event) -> None:
        with suppress(OSError):
            while (piece := server.recv(BLOCK)) and not lost.is_set():
                self._wait_to_pass(client)
                client.sendall(piece)
        self._cut(client, server, lost)

    def _disturb_next(self, client: socket.socket, server: socket.socket) -> None:
        with self._turn:
            what = next(self._disturbances, None)
        if what is None:
            return
        self.disturbed[what] += 1
        if what == DELAY:
            time.sleep(LATE)
        elif what == SWALLOW:
            self._forgotten |= {client, server}
            if not self._closed.wait(NOTICED):
                server.shutdown(socket.SHUT_RDWR)
            self._closed.wait()
        else:
            for one in (client, server):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                # Whoever waits for something from it wakes up; it is closed when both directions have ended.
                one.shutdown(socket.SHUT_RD)
            raise ConnectionResetError

    def _wait_to_pass(self, client: socket.socket) -> None:
        self._passing.wait()
        if client in self._forgotten:
            self._closed.wait()

    def _cut(self, client: socket.socket, server: socket.socket, lost: threading.Event) -> None:
        self._wait_to_pass(client)
        if self._then_silent and lost.is_set() and not self._losses:
            self._then_silent = False
            self.go_silent()
        for one in (client, server):
            _end(one)
            self._open.discard(one)


def _end(one: socket.socket) -> None:
    with suppress(OSError):
        if one.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, len(RESET)) != RESET:
            one.shutdown(socket.SHUT_RDWR)
    one.close()
