"""Name resolution for the VMAs' addresses, in threads of its own.

A name server that does not answer blocks a thread for half a minute. In the event loop's own pool a few such
look-ups would stop all else that is done there, the database's work above all.
"""

import asyncio
import socket
import threading
from collections.abc import Callable
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

LookUp = Callable[[str, int, socket.AddressFamily], list[ResolveResult]]


class Resolver(AbstractResolver):
    """Resolves names, each in one thread at a time."""

    def __init__(self, timeout: float, look_up: LookUp | None = None) -> None:
        """Wait at most `timeout` seconds for a name server; `look_up` takes the place of the system's resolver."""
        self._timeout = timeout
        self._look_up = look_up or system_look_up
        self._lookups: dict[tuple[str, int, socket.AddressFamily], asyncio.Future[list[ResolveResult]]] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return a host's addresses.

        Raises:
            OSError: it has none, or the name server does not answer.

        """
        key = (host, port, family)
        if key not in self._lookups:
            self._lookups[key] = self._start(key)
        lookup = self._lookups[key]
        await asyncio.wait({lookup}, timeout=self._timeout)
        if not lookup.done():
            raise socket.gaierror(socket.EAI_AGAIN, "the name server does not answer")
        self._lookups.pop(key, None)
        return lookup.result()

    async def close(self) -> None:
        """Leave the threads that still wait for a name server: they do not keep the process from ending."""

    def _start(self, key: tuple[str, int, socket.AddressFamily]) -> asyncio.Future[list[ResolveResult]]:
        loop = asyncio.get_running_loop()
        found: asyncio.Future[list[ResolveResult]] = loop.create_future()

        def work() -> None:
            try:
                addresses, error = self._look_up(*key), None
            except (OSError, UnicodeError) as trouble:
                addresses, error = [], trouble
            if not loop.is_closed():
                loop.call_soon_threadsafe(_settle, found, addresses, error)

        threading.Thread(target=work, name=f"resolve {key[0]}", daemon=True).start()
        return found


def _settle(
    found: asyncio.Future[list[ResolveResult]], addresses: list[ResolveResult], error: Exception | None
) -> None:
    if error is None:
        found.set_result(addresses)
    else:
        # A host name that cannot even be encoded is one that does not exist.
        found.set_exception(error if isinstance(error, OSError) else socket.gaierror(socket.EAI_NONAME, str(error)))


def system_look_up(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
    """Return a host's addresses as the system knows them; blocks the thread.

    Raises:
        OSError: it has none.

    """
    found = socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return [_result(host, kind, proto, address) for kind, _, proto, _, address in found]


def _result(host: str, family: int, proto: int, address: tuple[Any, ...]) -> ResolveResult:
    # Numeric again, for an IPv6 address of one link needs the name of the link with it.
    flags = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
    number, port = socket.getnameinfo(address, flags)
    return ResolveResult(
        hostname=host,
        host=number,
        port=int(port),
        family=family,
        proto=proto,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )
