"""Clients that register and read jobs while something is done to the instances, as behind a load balancer."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import count, cycle
from threading import Event
from typing import Any, Self

import httpx

from tests.instances.site import Site
from tests.support.service import PATIENCE

REGISTER_EVERY, READ_EVERY = 0.2, 0.05
"""Seconds between two registrations, and between two reads."""

AGAIN_AFTER = 0.1
"""Seconds until a registration is repeated that no instance has accepted."""

ANSWER_WITHIN = 5.0
"""Seconds after which a client gives a request up, and sends it to the next instance."""


class Load:
    """The clients, for a block. Each of their jobs runs, too."""

    def __init__(self, site: Site) -> None:
        """Send nothing yet."""
        self.registered: list[str] = []
        """The jobs whose registration was acknowledged: each that was sent, since a client repeats it."""
        self.slowest = 0.0
        """Seconds from the first request of a registration to its acknowledgement, the longest."""
        self.reads = 0
        self.unanswered = 0
        """Reads that no instance has answered."""
        self._site = site
        self._turns = count()
        self._ended = Event()
        self._threads = ThreadPoolExecutor(2, "load")
        self._clients: list[Future[None]] = []

    def __enter__(self) -> Self:
        self._clients = [self._threads.submit(client) for client in (self._register_jobs, self._read_jobs)]
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._threads.shutdown()
        for client in self._clients:
            client.result()

    def _register_jobs(self) -> None:
        with self._new_client() as client:
            for number in self._every(REGISTER_EVERY):
                body = self._site.registration(f"later-{number:05}", number)
                began = time.monotonic()
                while not self._is_answered(client, "POST", "/api/v1/jobs", body):
                    assert time.monotonic() < began + PATIENCE, f"nobody accepts {body}"
                    time.sleep(AGAIN_AFTER)
                self.slowest = max(self.slowest, time.monotonic() - began)
                self.registered.append(str(body["job_id"]))

    def _read_jobs(self) -> None:
        names = cycle(self._site.names)
        with self._new_client() as client:
            for _ in self._every(READ_EVERY):
                path = f"/api/v1/jobs/{next(names)}"
                self.reads += 1
                self.unanswered += not self._is_answered(client, "GET", path)

    def _new_client(self) -> httpx.Client:
        sent = {"Authorization": f"Bearer {self._site.token}"}
        return httpx.Client(timeout=ANSWER_WITHIN, trust_env=False, headers=sent)

    def _every(self, seconds: float) -> Iterator[int]:
        for number in count():
            if self._ended.wait(seconds):
                return
            yield number

    def _is_answered(self, client: httpx.Client, method: str, path: str, body: dict[str, Any] | None = None) -> bool:
        """Ask one instance after the other, beginning with each in turn; return whether one has answered.

        Raises:
            AssertionError: the answer is an error.

        """
        instances = self._site.instances
        first = next(self._turns) % len(instances)
        for instance in [*instances[first:], *instances[:first]]:
            with suppress(httpx.TransportError):
                answer = client.request(method, instance.url + path, json=body)
                if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                    assert answer.is_success, answer.text
                    return True
        return False
