"""A simulated network and VMA behind the real client; only the transport is simulated."""

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
from domain.ports import ProbeTarget
from domain.vma_status import Answer, VMAStatus
from tests.support.loop import SimulatedClock

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


class Conditions(msgspec.Struct, kw_only=True):
    """The conditions of the network to a VMA and of its server. Seconds, and shares of the requests.

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
        """Return whether the VMA as a whole may not answer."""
        return self.refused or self.silent or self.lost > 0


class SimulatedVMAClient(HttpVMA):
    """The real client, whose requests go to the simulated worlds."""

    def __init__(
        self,
        sites: dict[str, tuple[str, World]],
        conditions: dict[str, Conditions],
        clock: SimulatedClock,
        settings: Any,
        rng: random.Random,
    ) -> None:
        """`sites` are the VMAs of the settings, each with its address and the world that answers there."""
        urls = {name: url for name, (url, _) in sites.items()}
        super().__init__(urls, clock, settings, circuit_rest=settings.circuit_rest)
        self._worlds = {name: world for name, (_, world) in sites.items()}
        self._free_at = dict.fromkeys(sites, 0.0)
        self._conditions = conditions
        self._simulated = clock
        self._rng = rng

    async def ask_exports(self, target: ProbeTarget) -> dict[str, Answer]:
        answers = await super().ask_exports(target)
        # A process that was stopped meanwhile learns of them later.
        await self._simulated.go_on()
        return answers

    async def ask_job_id(self, target: ProbeTarget) -> list[Answer]:
        answers = await super().ask_job_id(target)
        await self._simulated.go_on()
        return answers

    async def _get(self, vma: str, endpoint: str, asked_id: str) -> Reply:
        conditions, began = self._conditions[vma], self._clock.monotonic()
        failure = await self._deliver(vma, asked_id)
        if failure is not None:
            return Reply(failure)
        status, body = self._reply(vma, endpoint, asked_id)
        if conditions.status is not None:
            status, body = conditions.status, b"the server says no"
        if self._rng.random() < conditions.garbled:
            status, body = self._rng.choice(GARBAGE)
        # The latency of a reply is random, so that replies may overtake each other.
        await asyncio.sleep(conditions.latency * self._rng.random())
        return Reply(read_reply(asked_id, status, body, round((self._clock.monotonic() - began) * 1000, 1)))

    async def _get_health(self, vma: str) -> Reply:
        failure = await self._deliver(vma, "health")
        return Reply(failure or read_reply("health", int(httpx.codes.OK), b"{}", 0.0))

    async def _deliver(self, vma: str, asked_id: str) -> Answer | None:
        """Return why a request does not arrive at the VMA; None when the VMA has received it."""
        conditions = self._conditions[vma]
        if conditions.out_of_files:
            return Answer(asked_id=asked_id, status=VMAStatus.NOT_ASKED, detail="the machine is out of files")
        if conditions.refused:
            return failed(asked_id, 0.0, "connection refused")
        if conditions.silent or self._rng.random() < conditions.lost:
            await asyncio.sleep(3600)
        await asyncio.sleep(conditions.latency * self._rng.random())
        if conditions.serial:
            self._free_at[vma] = max(self._free_at[vma], self._clock.monotonic()) + conditions.serial
            await asyncio.sleep(self._free_at[vma] - self._clock.monotonic())
        return None

    def _reply(self, vma: str, endpoint: str, asked_id: str) -> tuple[int, bytes]:
        world = self._worlds[vma]
        found = world.progress_of(asked_id) if endpoint == "progress" else world.status_of(asked_id)
        if found is None:
            return int(httpx.codes.NOT_FOUND), b"job not found"
        # The world's documents have the real time, which differs in every run.
        stamped = _STAMP.sub(f'"last_update": "{self._clock.now().isoformat()}"', json.dumps(found))
        return int(httpx.codes.OK), stamped.encode()
