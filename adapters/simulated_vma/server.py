"""The simulated VMA's HTTP server, in a thread of its own, beside the tests or the demo."""

import asyncio
import ssl
import threading
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Self

from adapters.simulated_vma.control import control_app
from adapters.simulated_vma.endpoints import Endpoints, Requests
from adapters.simulated_vma.injection import Faults, Listening
from adapters.simulated_vma.listener import Listener
from adapters.simulated_vma.world import World

LOOPBACK = "127.0.0.1"
"""The address of the control API, wherever the VMA itself listens, because it needs no password."""


class SimulatedVMA:
    """A real HTTP server that behaves as the VMA does, with the faults that are set.

    `latency` in seconds. With `ssl_context` it serves HTTPS; with `credentials`, a user and a password, it answers
    401 to all others.
    """

    def __init__(  # noqa: PLR0913 - each is independent of the others
        self,
        port: int = 0,
        *,
        host: str = LOOPBACK,
        control_port: int | None = None,
        latency: float = 0.0,
        ssl_context: ssl.SSLContext | None = None,
        credentials: tuple[str, str] | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Port 0 selects a free port, which does not change; `control_port` opens the control API."""
        self.host = host
        self.world = World(now, datetime.now(UTC) - timedelta(seconds=now()))
        self.faults = Faults(self._listen)
        self._endpoints = Endpoints(self.world, self.faults, latency=latency, credentials=credentials)
        self._scheme = "http" if ssl_context is None else "https"
        self._listener = Listener(host, port, ssl_context)
        self._control = None if control_port is None else Listener(LOOPBACK, control_port)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="simulated-vma", daemon=True)

    @property
    def requests(self) -> Requests:
        """Return the number of requests for each id."""
        return self._endpoints.requests

    @property
    def latency(self) -> float:
        """Return the seconds that each answer about an id takes."""
        return self._endpoints.latency

    @latency.setter
    def latency(self, seconds: float) -> None:
        self._endpoints.latency = seconds

    @property
    def port(self) -> int:
        """Return the VMA's port."""
        return self._listener.port

    @property
    def control_port(self) -> int | None:
        """Return the port of the control API."""
        return None if self._control is None else self._control.port

    @property
    def url(self) -> str:
        """Return the address of the VMA."""
        return f"{self._scheme}://{self.host}:{self.port}"

    @property
    def control_url(self) -> str | None:
        """Return the address of the control API, which answers while the VMA itself is down."""
        return None if self._control is None else f"http://{LOOPBACK}:{self._control.port}"

    def start(self) -> None:
        """Start serving.

        Raises:
            OSError: it cannot listen on its address; everything was closed.
            UnicodeError: the name of its host is not valid; likewise.

        """
        self._thread.start()
        try:
            self._await(self._open())
        except (OSError, UnicodeError):
            self.stop()
            raise

    def stop(self) -> None:
        """Stop serving and close everything."""
        self._await(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    async def _open(self) -> None:
        await self._listener.start(self._endpoints.app())
        if self._control is not None:
            await self._control.start(control_app(self.world, self.faults))

    async def _close(self) -> None:
        await self._listener.listen("refused")
        own = asyncio.current_task()
        hanging = [task for task in asyncio.all_tasks() if task is not own]
        for task in hanging:
            task.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)
        await self._listener.close()
        if self._control is not None:
            await self._control.close()

    def _listen(self, wanted: Listening) -> None:
        self._await(self._listener.listen(wanted))

    def _await(self, work: Coroutine[object, object, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=10)
