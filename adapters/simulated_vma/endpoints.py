"""The simulated VMA's HTTP endpoints, which answer with its faults if any are set."""

import asyncio
import time
from base64 import b64encode
from collections import Counter
from hmac import compare_digest

from aiohttp import web
from aiohttp.typedefs import Handler

from adapters.simulated_vma.document_fields import JSONObject
from adapters.simulated_vma.faults import FAULTS, json_response, unauthorized
from adapters.simulated_vma.injection import Faults, Injected
from adapters.simulated_vma.world import World


class Requests:
    """The number of requests for each id."""

    def __init__(self) -> None:
        """Start with none."""
        self.total = 0
        self._counts: Counter[str] = Counter()

    def add(self, asked_id: str) -> None:
        """Count one request."""
        self.total += 1
        self._counts[asked_id] += 1

    def count(self, asked_id: str) -> int:
        """Return the number of requests for this id."""
        return self._counts[asked_id]


class Endpoints:
    """Health, progress and status of a world. `latency` in seconds; `credentials` are a user and a password."""

    def __init__(
        self, world: World, faults: Faults, *, latency: float = 0.0, credentials: tuple[str, str] | None = None
    ) -> None:
        self.latency = latency
        self.requests = Requests()
        self._world = world
        self._faults = faults
        self._expected = None if credentials is None else _basic(*credentials)
        self._turn = asyncio.Lock()
        self._started = time.monotonic_ns()

    def app(self) -> web.Application:
        """Return the application."""
        app = web.Application(middlewares=[self._one_at_a_time, self._logged_in])
        app.router.add_get("/api/v1/health", self._health)
        app.router.add_get("/api/v1/progress/{id:[^/]+}", self._progress)
        app.router.add_get("/api/v1/status/{id:[^/]+}", self._status)
        app.router.add_post("/api/v1/progress/{id:[^/]+}/update", self._update)
        return app

    @web.middleware
    async def _one_at_a_time(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Process one request at a time while the VMA is serial, also those whose client has gone."""
        if self._faults.serial:
            async with self._turn:
                await asyncio.sleep(self._faults.serial)
        return await handler(request)

    @web.middleware
    async def _logged_in(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.get("Authorization", "")
        if self._expected is None or compare_digest(given.encode(), self._expected.encode()):
            return await handler(request)
        return unauthorized()

    async def _health(self, request: web.Request) -> web.StreamResponse:
        uptime = f"{time.monotonic_ns() - self._started}ns"
        document = {"status": "healthy", "timestamp": "2025-10-03T14:00:00Z", "uptime": uptime}
        fault = self._faults.next_for_health()
        return json_response(document) if fault is None else await _answer_with_fault(fault, request, document)

    async def _progress(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, "progress", self._world.progress_of(request.match_info["id"]))

    async def _status(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, "status", self._world.status_of(request.match_info["id"]))

    async def _answer(self, request: web.Request, endpoint: str, document: JSONObject | None) -> web.StreamResponse:
        asked_id = request.match_info["id"]
        self.requests.add(asked_id)
        if self.latency:
            await asyncio.sleep(self.latency)
        fault = self._faults.next_for_id(asked_id)
        if fault is not None:
            return await _answer_with_fault(fault, request, document or {"job_id": asked_id, "status": "in_progress"})
        return json_response(document) if document is not None else self._faults.not_found.answer(endpoint, asked_id)

    async def _update(self, request: web.Request) -> web.StreamResponse:
        is_new = self._world.update(request.match_info["id"], await request.json())
        return json_response({"status": "success"} | ({"auto_initialized": True} if is_new else {}))


async def _answer_with_fault(fault: Injected, request: web.Request, document: JSONObject) -> web.StreamResponse:
    return await FAULTS[fault.mode](request, document, fault.how)


def _basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()
