"""The simulated VMA's HTTP server, in a thread of its own, so that tests and the demo can go on beside it."""

import asyncio
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import msgspec
from aiohttp import web

from adapters.simulated_vma.control import control_app
from adapters.simulated_vma.faults import FAULTS, NOT_FOUND_STYLES, Faults, json_response
from adapters.simulated_vma.world import World
from domain.errors import InvalidInput


class Requests:
    """How often each id was asked for."""

    def __init__(self) -> None:
        """Start with none."""
        self.total = 0
        self._counts: Counter[str] = Counter()

    def note(self, asked_id: str) -> None:
        """Count one question."""
        self.total += 1
        self._counts[asked_id] += 1

    def count(self, asked_id: str) -> int:
        """Return how often this id was asked for."""
        return self._counts[asked_id]


class SimulatedVMA:
    """A real HTTP server that behaves as the VMA does, or as badly as it is told to. `latency` in seconds."""

    def __init__(
        self, port: int = 0, *, host: str = "127.0.0.1", control_port: int | None = None, latency: float = 0.0
    ) -> None:
        """Port 0 takes a free one, and keeps it; `control_port` opens a second listener that scripts the world."""
        self.host = host
        self.port = port
        self.control_port = control_port
        self.latency = latency
        self.world = World(time.monotonic)
        self.faults = Faults(self._listen)
        self.requests = Requests()
        self._started = time.monotonic_ns()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="simulated-vma", daemon=True)
        self._runners: list[web.AppRunner] = []
        self._site: web.TCPSite | None = None

    @property
    def url(self) -> str:
        """The address of the VMA."""
        return f"http://{self.host}:{self.port}"

    @property
    def control_url(self) -> str | None:
        """The address where its world is scripted, which answers while the VMA itself is down."""
        return None if self.control_port is None else f"http://{self.host}:{self.control_port}"

    def start(self) -> None:
        """Start serving.

        Raises:
            OSError: it cannot listen where it should; nothing is left behind.
            UnicodeError: no host can have the name of its host; likewise.

        """
        self._thread.start()
        try:
            self._await(self._open())
        except (OSError, UnicodeError):
            self.stop()
            raise

    def stop(self) -> None:
        """Stop serving; nothing is left behind."""
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
        vma = await self._runner(self._app())
        self._runners.append(vma)
        await self._accept()
        if self.control_port is not None:
            control = await self._runner(control_app(self.world, self.faults))
            self._runners.append(control)
            site = web.TCPSite(control, self.host, self.control_port)
            await site.start()
            self.control_port = _port(control)

    async def _close(self) -> None:
        await self._refuse()
        mine = asyncio.current_task()
        hanging = [task for task in asyncio.all_tasks() if task is not mine]
        for task in hanging:
            task.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)
        for runner in self._runners:
            await runner.cleanup()

    @staticmethod
    async def _runner(app: web.Application) -> web.AppRunner:
        runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await runner.setup()
        return runner

    def _app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/api/v1/health", self._health)
        app.router.add_get("/api/v1/progress/{id}", self._progress)
        app.router.add_get("/api/v1/status/{id}", self._status)
        app.router.add_post("/api/v1/progress/{id}/update", self._update)
        return app

    async def _health(self, request: web.Request) -> web.StreamResponse:
        uptime = f"{time.monotonic_ns() - self._started}ns"
        document = {"status": "healthy", "timestamp": "2025-10-03T14:00:00Z", "uptime": uptime}
        everywhere = self.faults.everywhere
        if everywhere is None:
            return json_response(document)
        mode, how = everywhere
        return await FAULTS[mode](request, document, how)

    async def _progress(self, request: web.Request) -> web.StreamResponse:
        asked_id = request.match_info["id"]
        return await self._answer(request, asked_id, self.world.progress_of(asked_id))

    async def _status(self, request: web.Request) -> web.StreamResponse:
        asked_id = request.match_info["id"]
        return await self._answer(request, asked_id, self.world.status_of(asked_id), f"Job not found: {asked_id}")

    async def _answer(
        self, request: web.Request, asked_id: str, document: dict[str, Any] | None, missing: str | None = None
    ) -> web.StreamResponse:
        self.requests.note(asked_id)
        if self.latency:
            await asyncio.sleep(self.latency)
        fault = self.faults.at(asked_id)
        if fault is not None:
            mode, how = fault
            return await FAULTS[mode](request, document or {"job_id": asked_id, "status": "in_progress"}, how)
        if document is not None:
            return json_response(document)
        if missing is not None:
            return web.Response(status=404, text=missing)
        return NOT_FOUND_STYLES[self.faults.not_found_style](asked_id)

    async def _update(self, request: web.Request) -> web.StreamResponse:
        asked_id = request.match_info["id"]
        is_new = self.world.update(asked_id, await request.json())
        return json_response({"status": "success"} | ({"auto_initialized": True} if is_new else {}))

    def _listen(self, wanted: bool) -> None:  # noqa: FBT001 - on or off is what it is about
        self._await(self._accept() if wanted else self._refuse())

    async def _accept(self) -> None:
        if self._site is None:
            self._site = web.TCPSite(self._runners[0], self.host, self.port, reuse_address=True, backlog=1024)
            await self._site.start()
            self.port = _port(self._runners[0])

    async def _refuse(self) -> None:
        if self._site is not None:
            await self._site.stop()
            self._site = None
        server = self._runners[0].server
        for connection in list(server.connections) if server is not None else []:
            if connection.transport is not None:
                connection.transport.abort()

    def _await(self, work: Any) -> None:  # noqa: ANN401 - a coroutine
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=10)


def run(host: str, port: int, control_port: int, world_file: Path | None) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        host: where to listen.
        port: the VMA's port.
        control_port: the port of the calls that script its world.
        world_file: a JSON list of jobs, each with the fields of `add_job`.

    Raises:
        InvalidInput: it cannot listen there, or the file is none of that form.

    """
    vma = SimulatedVMA(port, host=host, control_port=control_port)
    with _listening(vma):
        if world_file is not None:
            _fill(vma.world, world_file)
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        print(f"simulated VMA at {vma.url}, its world at {vma.control_url}", flush=True)  # noqa: T201 - the addresses, for who started it
        stop.wait()


def _fill(world: World, file: Path) -> None:
    try:
        for job in msgspec.json.decode(file.read_bytes(), type=list[dict[str, Any]]):
            world.add_job(**job)
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise InvalidInput(
            f"--world: {file} cannot be used: {error}. It is a JSON list of jobs, each with a job_id and volume_ids"
        ) from None


@contextmanager
def _listening(vma: SimulatedVMA) -> Iterator[None]:
    try:
        vma.start()
    except (OSError, UnicodeError) as error:
        ports = f"{vma.port} and {vma.control_port}"
        raise InvalidInput(f"cannot listen on {vma.host[:100]}, ports {ports}: {error}") from None
    try:
        yield
    finally:
        vma.stop()


def _port(runner: web.AppRunner) -> int:
    return int(runner.addresses[0][1])
