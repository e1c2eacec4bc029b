"""Limits on concurrent live streams and exports, which affect no other requests and callers."""

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import cast

import httpx
import pytest

from adapters.simulated_vma import SimulatedVMA
from adapters.tokens import Scope
from api.http.slots import EXPORTS, STREAMS
from tests.support.http_api import serving
from tests.support.service import ServiceProcess, wait_until

STREAM = "/api/v1/events/stream"
PER_CALLER = STREAMS._per_caller
Callers = Callable[[int], list[httpx.Client]]
LONG_ANSWERS = [
    "/audit/export",
    "/audit/export?format=csv",
    "/recovery-runs/what-if",
    "/recovery-runs/compare?a=none&b=none",
    "/recovery-runs/none/replay",
    "/recovery-runs/none/export",
]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[ServiceProcess]:
    with SimulatedVMA() as vma:
        running = ServiceProcess(tmp_path / "data", vma.url, RATE_LIMIT="0")
        running.start()
        yield running
        running.close()


@pytest.fixture
def callers(service: ServiceProcess) -> Iterator[Callers]:
    """Return a function that creates clients, each with a token of its own."""
    with ExitStack() as clients:

        def client(name: str) -> httpx.Client:
            secret = service.token(name, Scope.READ)
            limits, headers = httpx.Limits(max_connections=None), {"Authorization": f"Bearer {secret}"}
            made = httpx.Client(base_url=service.url, headers=headers, trust_env=False, limits=limits, timeout=20)
            return clients.enter_context(made)

        yield lambda count: [client(f"caller-{n}") for n in range(count)]


def follow(streams: ExitStack, caller: httpx.Client, count: int) -> None:
    """Open live streams, and wait for the first bytes of each."""
    for _ in range(count):
        stream = streams.enter_context(caller.stream("GET", STREAM))
        assert stream.status_code == 200
        received = cast("Generator[bytes]", stream.iter_raw())
        next(received)
        # Without its iterator, the client would close the stream.
        streams.callback(received.close)


def test_live_streams_are_limited_per_caller(callers: Callers) -> None:
    greedy, other = callers(2)
    with ExitStack() as streams:
        follow(streams, greedy, PER_CALLER)

        refused = greedy.get(STREAM)

        assert refused.status_code == 429
        assert refused.headers["Retry-After"] == "5"
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert refused.json()["detail"] == (
            "too many live streams: the limit is 16 per caller and 64 in total. End one, or retry later"
        )
        follow(streams, other, 1)
        assert greedy.get("/api/v1/jobs").is_success
        assert greedy.get("/api/v1/audit/export").is_success


def test_a_stream_that_has_ended_releases_its_slot(callers: Callers) -> None:
    (caller,) = callers(1)
    for _ in range(2):
        with ExitStack() as streams:
            follow(streams, caller, PER_CALLER)
        with ExitStack() as streams:

            def is_admitted(streams: ExitStack = streams) -> bool:
                return streams.enter_context(caller.stream("GET", STREAM)).status_code == 200

            wait_until(is_admitted)


def test_live_streams_are_limited_in_total(callers: Callers) -> None:
    *greedy, last = callers(STREAMS._limit // PER_CALLER + 1)
    with ExitStack() as streams:
        for caller in greedy:
            follow(streams, caller, PER_CALLER)

        refused = last.get(STREAM)

        assert refused.status_code == 429
        assert refused.json()["detail"].startswith("too many live streams: ")
        assert last.get("/livez").is_success
        assert last.get("/api/v1/jobs").is_success


def test_sequential_exports_are_not_limited(callers: Callers) -> None:
    (caller,) = callers(1)

    for _ in range(3):
        for path in LONG_ANSWERS:
            assert caller.get(f"/api/v1{path}").status_code != 429, path


@pytest.mark.parametrize("path", LONG_ANSWERS)
async def test_every_export_and_replay_needs_a_slot(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EXPORTS, "_per_caller", 0)
    with SimulatedVMA() as vma:
        async with serving(vma, tmp_path) as api:
            assert (await api.get(path)).status_code == 429
            assert (await api.get("/audit")).status_code == 200
