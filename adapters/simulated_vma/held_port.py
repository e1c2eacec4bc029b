"""A port that stays with its owner while nothing listens on it."""

import socket
from typing import Self


class HeldPort:
    """A port that is bound, but on which nothing listens: a client's connection is refused.

    While it is held, no client, and no server that asks for any port, is given this one. A server that names it and
    sets SO_REUSEADDR, as servers do, can listen on it, end and come back, also from another process. Otherwise the
    system may give the port of a server that has ended to any client's connection.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Bind a port, 0 for a free one.

        Raises:
            OSError: a server listens on the port, or the host has no such address.
            UnicodeError: the name of the host is not valid.

        """
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        self._socket = socket.socket(family, kind, protocol)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind(address)
        except OSError as error:
            self._socket.close()
            raise OSError(error.errno, f"port {port}: {error.strerror}") from None
        self.number = int(self._socket.getsockname()[1])

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()
