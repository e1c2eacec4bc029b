"""A simulated network and VMA behind the real client: its circuit, its bounds, its parser; only the wire is made up."""

import asyncio
import json
import random
import re
from typing import Any

import httpx
import msgspec

from adapters.simulated_vma.world import World
from adapters.vma.client import HttpVMA
from adapters.vma.dialects import read_reply
from adapters.vma.reply import Reply, failed
from domain.ports import Clock
from domain.vma_status import Answer, VMAStatus

_STAMP = re.compile(r'"last_update": "[^"]*"')

GARBAGE: list[tuple[int, bytes]] = [
    (200, b"<html>Bad Gateway</html>"),
    (200, b'{"status": "completed", "percentage": NaN}'),
    (200, b'{"status": "completed", "percentage": 41.5}'),
    (200, b'{"status": "completed", "bytes_transferred": 17, "total_bytes": 40}'),
    (200, b'{"job_id": "another-job", "status": "completed", "percentage": 100.0}'),
    (200, b'{"status": "comp'),
    (200, b"[]"),
    (200, b""),
    (302, b""),
    (404, b"404 page not found"),
    (500, b'{"error": "internal"}'),
    (502, b"bad gateway"),
]


class Weather(msgspec.Struct, kw_only=True):
    """How the network to a VMA is, and its server. Seconds, and shares of the questions.

    `serial`: it answers one request at a time, each after so long. `status`: it answers everything with this.
    """

    latency: float = 0.01
    lost: float = 0.0
    garbled: float = 0.0
    refused: bool = False
    silent: bool = False
    out_of_files: bool = False
    serial: float = 0.0
    status: int | None = None

    @property
    def is_bad(self) -> bool:
        """Whether the VMA as a whole may not answer."""
        return self.refused or self.silent or self.lost > 0


class SimulatedVMAClient(HttpVMA):
    """The real client; instead of sending a request it asks the simulated worlds."""

    def __init__(
        self,
        sites: dict[str, tuple[str, World]],
        weather: dict[str, Weather],
        clock: Clock,
        settings: Any,
        rng: random.Random,
    ) -> None:
        """`sites` are the VMAs of the settings, each with its address and the world that answers there."""
        urls = {name: url for name, (url, _) in sites.items()}
        super().__init__(urls, clock, settings, circuit_rest=settings.circuit_rest)
        self._worlds = {name: world for name, (_, world) in sites.items()}
        self._free_at = dict.fromkeys(sites, 0.0)
        self._weather = weather
        self._rng = rng

    async def _get(self, vma: str, endpoint: str, asked_id: str) -> Reply:
        weather, began = self._weather[vma], self._clock.monotonic()
        trouble = await self._on_its_way(vma, asked_id)
        if trouble is not None:
            return Reply(trouble)
        status, body = self._reply(vma, endpoint, asked_id)
        if weather.status is not None:
            status, body = weather.status, b"the server says no"
        if self._rng.random() < weather.garbled:
            status, body = self._rng.choice(GARBAGE)
        # The way back takes its own time, so that an answer may be older than one that comes after it.
        await asyncio.sleep(weather.latency * self._rng.random())
        return Reply(read_reply(asked_id, status, body, round((self._clock.monotonic() - began) * 1000, 1)))

    async def _get_health(self, vma: str) -> Reply:
        trouble = await self._on_its_way(vma, "health")
        return Reply(trouble or read_reply("health", int(httpx.codes.OK), b"{}", 0.0))

    async def _on_its_way(self, vma: str, asked_id: str) -> Answer | None:
        """Return why a request does not come to the VMA; None if it does, once the VMA has come to it."""
        weather = self._weather[vma]
        if weather.out_of_files:
            return Answer(asked_id=asked_id, status=VMAStatus.NOT_ASKED, detail="the machine is out of files")
        if weather.refused:
            return failed(asked_id, 0.0, "connection refused")
        if weather.silent or self._rng.random() < weather.lost:
            await asyncio.sleep(3600)
        await asyncio.sleep(weather.latency * self._rng.random())
        if weather.serial:
            self._free_at[vma] = max(self._free_at[vma], self._clock.monotonic()) + weather.serial
            await asyncio.sleep(self._free_at[vma] - self._clock.monotonic())
        return None

    def _reply(self, vma: str, endpoint: str, asked_id: str) -> tuple[int, bytes]:
        world = self._worlds[vma]
        found = world.progress_of(asked_id) if endpoint == "progress" else world.status_of(asked_id)
        if found is None:
            return int(httpx.codes.NOT_FOUND), b"job not found"
        # The world stamps its documents with the real time, which would be another at every run.
        stamped = _STAMP.sub(f'"last_update": "{self._clock.now().isoformat()}"', json.dumps(found))
        return int(httpx.codes.OK), stamped.encode()
