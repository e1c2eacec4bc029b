"""A TCP relay before a service: it counts requests, removes a prefix, and can swallow or cut what is sent."""

import selectors
import socket
import threading
from contextlib import suppress

BLOCK = 65536


class Relay:
    """Passes connections on to a port of this machine, from a port of its own."""

    def __init__(self, target: int, prefix: str = "") -> None:
        """Listen at once. `prefix` is what a reverse proxy removes from each path, such as `/job-recovery`."""
        self._target = target
        self._prefix = prefix.encode()
        self._cut, self._cut_after = b"", 0
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
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}{self._prefix.decode()}"

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

    def cut(self, path: str, after: int) -> None:
        """Break each connection within the answer to this path, after so many bytes of its body. No path: none."""
        self._cut, self._cut_after = path.encode(), after

    def close(self) -> None:
        """End all connections."""
        # A thread that waits for a connection would otherwise accept one more.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
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
        left: int | None = None
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
                        left, piece = self._until_cut(piece), self._noted(client, piece)
                    elif left is not None:
                        left += head_of(piece)
                        piece = piece[:left]
                        left -= len(piece)
                    if self._passing.is_set():
                        key.data.sendall(piece)
                    if left == 0:
                        return

    def _until_cut(self, request: bytes) -> int | None:
        """Return after how many bytes of the answer to break the connection; None: it is not broken."""
        line = request.partition(b"\r\n")[0]
        return self._cut_after if self._cut and self._cut in line else None

    def _noted(self, client: socket.socket, piece: bytes) -> bytes:
        """Remember a request: a browser sends each in one piece, and none before the answer to the last.

        Returns the request without the prefix.
        """
        line, end, rest = piece.partition(b"\r\n")
        if not line.endswith(b" HTTP/1.1"):
            return piece
        with self._lock:
            self._open[client] = line
            self.requests.append(line.removesuffix(b" HTTP/1.1").decode())
        return line.replace(b" " + self._prefix + b"/", b" /", 1) + end + rest


def head_of(piece: bytes) -> int:
    """Return how many bytes of a piece are the head of an answer, which uvicorn sends in one."""
    return piece.index(b"\r\n\r\n") + 4 if piece.startswith(b"HTTP/1.1 ") else 0
