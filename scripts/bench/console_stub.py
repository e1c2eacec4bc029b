"""A stub before a real service, in a process of its own: it lists many jobs, and streams changes of them."""

import asyncio
import itertools
import json
import multiprocessing
from collections.abc import AsyncIterator
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, NamedTuple, Self

from aiohttp import ClientSession, web

TICK = 0.05
"""Seconds between two batches of changes."""

AT_ONCE = 1000
"""Changes in one batch, when they are sent as fast as the browser takes them."""

KEPT = ("Content-Type", "Content-Security-Policy")
"""Headers that are passed on."""

STATES = ("replicating", "recovering", "pending-retry")


class Templates(NamedTuple):
    """What the stub imitates, as a real service at `url` shows it."""

    url: str
    job: dict[str, Any]
    event: dict[str, Any]


class Stub:
    """Runs the stub; `url` is its address."""

    def __init__(self, templates: Templates, jobs: int) -> None:
        self._commands, theirs = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        self._process = context.Process(target=_serve, args=(templates, jobs, theirs), daemon=True)

    def __enter__(self) -> Self:
        self._process.start()
        self.url = str(self._commands.recv())
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join()

    def change(self, rate: int) -> None:
        """Send so many changes per second from now on."""
        self._commands.send((rate, 0))

    def send_many(self, count: int) -> None:
        """Send so many changes as fast as the browser takes them; return when all are sent."""
        self._commands.send((0, count))
        self._commands.recv()


class Server:
    """The stub in its process."""

    def __init__(self, templates: Templates, jobs: int, commands: Connection) -> None:
        self.templates, self.commands = templates, commands
        self.numbers = range(jobs)
        self.changed = itertools.count(1)
        self.position = 1_000_000
        self.rate = self.many = 0

    async def run(self) -> None:
        """Serve until the process is ended."""
        app = web.Application()
        app.router.add_get("/api/v1/jobs", self.jobs)
        app.router.add_get("/api/v1/events/stream", self.stream)
        app.router.add_get("/{path:.*}", self.passed_on)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        asyncio.get_running_loop().add_reader(self.commands.fileno(), self.obey)
        async with ClientSession(self.templates.url) as self.session:
            self.commands.send("http://{}:{}".format(*runner.addresses[0]))
            await asyncio.Event().wait()

    def obey(self) -> None:
        """Take the next command."""
        self.rate, self.many = self.commands.recv()

    def job(self, number: int) -> dict[str, Any]:
        """Return a job; its state and its progress are others whenever it is asked for."""
        turn = next(self.changed)
        name = f"job-{number:05}"
        own = {"job_id": name, "vm_name": name, "vm_context_id": f"ctx-{number}", "state": STATES[turn % len(STATES)]}
        live = {**self.templates.job["live"], "progress_percent": turn % 100}
        return {**self.templates.job, **own, "version": turn, "live": live}

    async def jobs(self, request: web.Request) -> web.Response:
        """Answer a page of all jobs, or the jobs of some contexts."""
        contexts = request.query.getall("vm_context_id", [])
        numbers = [int(context.removeprefix("ctx-")) for context in contexts] or self.numbers
        start, limit = int(request.query.get("cursor", "0")), int(request.query.get("limit", "100"))
        after = str(start + limit) if start + limit < len(numbers) else None
        return web.json_response({"items": [*map(self.job, numbers[start : start + limit])], "next_cursor": after})

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Send changes, at the rate or as many as were asked for, and signs of life."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(request)
        # A tab that is closed ends the stream.
        with suppress(ConnectionError):
            async for batch in self.batches():
                await response.write(batch)
        return response

    async def batches(self) -> AsyncIterator[bytes]:
        """Yield batches of server-sent events."""
        while True:
            if self.many:
                count = min(self.many, AT_ONCE)
                self.many -= count
                yield self.events(count)
                if not self.many:
                    self.commands.send("sent")
            else:
                await asyncio.sleep(TICK)
                yield self.events(round(self.rate * TICK)) or b": alive\n\n"

    def events(self, count: int) -> bytes:
        """Return the next changes, each of another job."""
        return b"".join(self.event(position) for position in range(self.position, self.position + count))

    def event(self, position: int) -> bytes:
        """Return the change at a position."""
        self.position = position + 1
        number = position * 7919 % len(self.numbers)
        own = {"position": position, "job_id": f"job-{number:05}", "vm_context_id": f"ctx-{number}"}
        event = {**self.templates.event, **own}
        return f"id: {position}.0000\nevent: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()

    async def passed_on(self, request: web.Request) -> web.Response:
        """Answer what the real service answers."""
        accept = {"Accept": request.headers.get("Accept", "*/*")}
        async with self.session.get(request.rel_url, headers=accept) as answer:
            headers = {name: answer.headers[name] for name in KEPT if name in answer.headers}
            return web.Response(status=answer.status, body=await answer.read(), headers=headers)


def _serve(templates: Templates, jobs: int, commands: Connection) -> None:
    asyncio.run(Server(templates, jobs, commands).run())
