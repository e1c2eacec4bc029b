"""The simulated VMA's listener: open, refusing connections, or accepting them without an answer."""

import asyncio
import ssl

from aiohttp import web

from adapters.simulated_vma.held_port import HeldPort
from adapters.simulated_vma.injection import Listening

BACKLOG = 1024


class Listener:
    """One address of one server. Port 0 selects a free port, which stays its own while it refuses connections."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        self.host = host
        self.port = port
        self._tls = tls
        self._held: HeldPort | None = None
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None
        self._silent: asyncio.Server | None = None
        self._unanswered: list[asyncio.StreamWriter] = []

    async def start(self, app: web.Application) -> None:
        """Serve an application."""
        self._held = HeldPort(self.host, self.port)
        self.port = self._held.number
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        await self.listen("open")

    async def listen(self, wanted: Listening) -> None:
        """Change how it listens. Open connections are aborted if this is a change."""
        if wanted == "open" and self._site is not None:
            return
        await self._stop_listening()
        if wanted == "open":
            await self._open()
        elif wanted == "silent":
            self._silent = await asyncio.start_server(self._accept, self.host, self.port, backlog=BACKLOG)

    async def close(self) -> None:
        """Stop serving."""
        await self._stop_listening()
        if self._runner is not None:
            await self._runner.cleanup()
        if self._held is not None:
            self._held.close()

    async def _open(self) -> None:
        if self._runner is None:
            return
        site = web.TCPSite(
            self._runner, self.host, self.port, reuse_address=True, backlog=BACKLOG, ssl_context=self._tls
        )
        await site.start()
        self._site = site

    async def _stop_listening(self) -> None:
        if self._site is not None:
            await self._site.stop()
            self._site = None
        if self._silent is not None:
            self._silent.close()
            self._silent = None
        for writer in self._unanswered:
            writer.transport.abort()
        self._unanswered.clear()
        self._abort_connections()

    def _abort_connections(self) -> None:
        server = self._runner.server if self._runner is not None else None
        for connection in list(server.connections) if server is not None else []:
            if connection.transport is not None:
                connection.transport.abort()

    async def _accept(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._unanswered.append(writer)
