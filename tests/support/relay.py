"""A TCP relay before a service: it counts requests, and can swallow what is sent without closing a connection."""

import selectors
import socket
import threading
from contextlib import suppress

BLOCK = 65536


class Relay:
    """Passes connections on to a port of this machine, from a port of its own."""

    def __init__(self, target: int) -> None:
        """Listen at once."""
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._open: dict[socket.socket, bytes] = {}
        self._passing = threading.Event()
        self._passing.set()
        self.requests: list[str] = []
        """Method and path of every request, in order."""
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def streams(self) -> int:
        """Return how many open connections have the live stream as their last request."""
        with self._lock:
            return sum(b"/events/stream" in last for last in self._open.values())

    def swallow(self) -> None:
        """Take in everything and pass on nothing, like a firewall that has forgotten the connections."""
        self._passing.clear()

    def resume(self) -> None:
        """Pass on again."""
        self._passing.set()

    def close(self) -> None:
        """End all connections."""
        self._listener.close()
        with self._lock:
            for one in self._open:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with self._lock:
            self._open[client] = b""
        try:
            with client, socket.create_connection(("127.0.0.1", self._target)) as server, suppress(OSError):
                self._pump(client, server)
        except ConnectionRefusedError:
            # The client was closed: a browser sees a reset, as without a relay.
            pass
        finally:
            with self._lock:
                del self._open[client]

    def _pump(self, client: socket.socket, server: socket.socket) -> None:
        with selectors.DefaultSelector() as ready:
            ready.register(client, selectors.EVENT_READ, server)
            ready.register(server, selectors.EVENT_READ, client)
            while True:
                for key, _ in ready.select():
                    assert isinstance(key.fileobj, socket.socket)
                    piece = key.fileobj.recv(BLOCK)
                    if not piece:
                        return
                    if key.fileobj is client:
                        self._note(client, piece)
                    if self._passing.is_set():
                        key.data.sendall(piece)

    def _note(self, client: socket.socket, piece: bytes) -> None:
        """Remember a request: a browser sends each in one piece, and none before the answer to the last."""
        line, _, _ = piece.partition(b"\r\n")
        if line.endswith(b" HTTP/1.1"):
            with self._lock:
                self._open[client] = line
                self.requests.append(line.removesuffix(b" HTTP/1.1").decode())
