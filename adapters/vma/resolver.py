"""Name resolution for the VMAs' addresses, in threads of its own.

A name server that does not answer blocks a thread for half a minute. aiohttp's ThreadedResolver uses the event loop's
own pool: a few such threads would stop all other work there (the read model's), and delay the end of the process.
Its AsyncResolver needs a C library, and ignores the system's configuration of name resolution.
"""

import asyncio
import socket
import threading
from collections.abc import Callable
from functools import partial

from aiohttp.abc import AbstractResolver, ResolveResult

LookUp = Callable[[str, int, socket.AddressFamily], list[ResolveResult]]


class Resolver(AbstractResolver):
    """Resolves names, each in one thread at a time."""

    def __init__(self, timeout: float, look_up: LookUp | None = None) -> None:
        """Wait at most `timeout` seconds for a name server; `look_up` replaces the system's resolver."""
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
        """Do nothing: threads that wait for a name server do not delay the end of the process."""

    def _start(self, key: tuple[str, int, socket.AddressFamily]) -> asyncio.Future[list[ResolveResult]]:
        loop = asyncio.get_running_loop()
        found: asyncio.Future[list[ResolveResult]] = loop.create_future()

        def work() -> None:
            try:
                finish = partial(found.set_result, self._look_up(*key))
            except OSError as error:
                finish = partial(found.set_exception, error)
            except UnicodeError as error:
                # A host name that cannot be encoded does not exist.
                finish = partial(found.set_exception, socket.gaierror(socket.EAI_NONAME, str(error)))
            if not loop.is_closed():
                loop.call_soon_threadsafe(finish)

        threading.Thread(target=work, name=f"resolve {key[0]}", daemon=True).start()
        return found


def system_look_up(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
    """Return a host's addresses by the system's resolver; blocks the thread.

    Raises:
        OSError: it has none.

    """
    infos = socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    numeric, flags = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV, socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    # A link-local IPv6 address needs the name of its link, which only `getnameinfo` adds.
    return [
        ResolveResult(
            hostname=host,
            host=socket.getnameinfo(address, numeric)[0],
            port=port,
            family=kind,
            proto=proto,
            flags=flags,
        )
        for kind, _, proto, _, address in infos
    ]
