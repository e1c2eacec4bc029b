"""An OMA: registers new jobs at a rate, and repeats each until it is acknowledged."""

import asyncio
import threading
from collections import Counter
from types import TracebackType
from typing import Self

import httpx
from httpx_aiohttp import AiohttpTransport

from tests.database.site import CLIENT_TIMEOUT, Site
from tests.support.awake import awake

PAUSE, LONGEST_PAUSE = 0.5, 8.0
"""Seconds before a registration is repeated for the first time, and at most; each pause is twice the last one."""


class OMA:
    """Registers while its block runs, and ends when all registrations are acknowledged."""

    def __init__(self, site: Site, per_second: float, name: str = "new", within: float = 60.0) -> None:
        """`name` begins those of its jobs; `within` is in how many seconds after the block all are acknowledged."""
        self.acknowledged: list[str] = []
        self.refused: Counter[str] = Counter()
        self.wrong: list[str] = []
        """Answers that it must not get, such as a conflict with a job that is new."""
        self.slowest = 0.0
        """Seconds of the slowest answer."""
        self._site, self._name, self._pause, self._within = site, name, 1 / per_second, within
        self._over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._work()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._over.set()
        self._thread.join(self._within)
        if error is None:
            assert not self._thread.is_alive(), f"registrations are still refused after {self._within} s"
            assert not self.wrong, self.wrong[:3]

    async def _work(self) -> None:
        # Otherwise the time of an answer would be that of a turn in the client: by its limit of connections, and by the
        # pool of httpx's own transport, in which hundreds of requests at once wait for seconds.
        transport = AiohttpTransport(trust_env=False, limits=httpx.Limits())
        client = httpx.AsyncClient(timeout=CLIENT_TIMEOUT, transport=transport)
        async with client, asyncio.TaskGroup() as tasks:
            number = 0
            while not self._over.is_set():
                name = f"{self._name}-{number:05}"
                self._site.run_on_vma(name)
                tasks.create_task(self._register(client, name))
                number += 1
                await asyncio.sleep(self._pause)

    async def _register(self, client: httpx.AsyncClient, name: str) -> None:
        body: dict[str, object] = {"job_id": name, "vm_name": name, "volume_ids": [f"disk-{name}"]}
        pause = PAUSE
        while (answer := await self._answer(client, body)) is None:
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        if answer.is_success:
            self.acknowledged.append(name)
        else:
            self.wrong.append(f"{name}: HTTP {answer.status_code}, {answer.text}")

    async def _answer(self, client: httpx.AsyncClient, body: dict[str, object]) -> httpx.Response | None:
        """Return an answer that decides; None if the registration is to be repeated."""
        began = awake()
        try:
            answer = await client.post(f"{self._site.service.url}/api/v1/jobs", json=body)
        except httpx.TransportError as error:
            self.refused[type(error).__name__] += 1
            return None
        self.slowest = max(self.slowest, awake() - began)
        if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
            return answer
        self.refused["503"] += 1
        return None
