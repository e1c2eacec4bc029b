"""Records what a browser asks of other machines. It is the browser's proxy, so also workers cannot get past it."""

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

BROWSERS_OWN = {
    "accounts.google.com",
    "clients2.google.com",
    "content-autofill.googleapis.com",
    "update.googleapis.com",
}
"""Hosts that Chromium asks for its own purposes, whatever page is open."""

REFUSED = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Elsewhere:
    """A proxy that refuses everything. `asked` has the hosts that a page asked for."""

    def __init__(self) -> None:
        self.asked: set[str] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._refuse, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        # A thread that waits for a connection would otherwise accept one more.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _refuse(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                with client, suppress(OSError):
                    # A browser that ends may leave a connection on which it has asked nothing.
                    if request := client.recv(4096):
                        self.asked |= {_host(request)} - BROWSERS_OWN
                        client.sendall(REFUSED)


def _host(request: bytes) -> str:
    """Return the host of a request to a proxy: `CONNECT host:443`, or `GET http://host/path`."""
    target = request.partition(b"\r\n")[0].decode(errors="replace").split(" ")[1]
    return urlsplit(target if "://" in target else f"//{target}").hostname or target
