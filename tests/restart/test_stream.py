"""A client of the live stream gets every event once, in order, also when the service is killed."""

import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest

from adapters.simulated_vma import SimulatedVMA
from adapters.tokens import Scope
from tests.restart.conftest import StartService
from tests.support import logs
from tests.support.service import ServiceProcess, wait_until


class Follower:
    """Follows the stream as a browser does: reconnects with the last id."""

    def __init__(self, service: ServiceProcess, **query: str) -> None:
        self.ids: list[int] = []
        self.last_id = ""
        self.kinds: list[str] = []
        self._service = service
        self._query = query
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ends.set()
        self._thread.join(timeout=20)

    def _follow(self) -> None:
        while not self._ends.is_set():
            headers = {"Last-Event-ID": self.last_id} if self.ids else {}
            query = {} if self.ids else {"after": "0"}
            url = f"{self._service.url}/api/v1/events/stream"
            try:
                with httpx.stream(
                    "GET", url, headers=headers, params={**query, **self._query}, timeout=5, trust_env=False
                ) as response:
                    self._read(response)
            except httpx.HTTPError:
                time.sleep(0.05)

    def _read(self, response: httpx.Response) -> None:
        for line in response.iter_lines():
            if self._ends.is_set():
                return
            if line.startswith("id: "):
                self.last_id = line.removeprefix("id: ")
                self.ids.append(int(self.last_id.partition(".")[0]))
            if line.startswith("event: "):
                self.kinds.append(line.removeprefix("event: "))


@pytest.fixture
def running(vma: SimulatedVMA, start_service: StartService) -> Iterator[ServiceProcess]:
    """Serve five jobs."""
    service = start_service()
    for n in range(5):
        vma.world.add_job(f"job-{n}", [f"disk-{n}"], duration=60, progress=10)
        service.register(f"job-{n}", f"disk-{n}")
    yield service
    service.close()


def test_every_event_comes_once_and_in_order_though_the_service_is_killed(running: ServiceProcess) -> None:
    everything, decided = Follower(running), Follower(running, type="RecoveryDecided")
    for _ in range(3):
        seen = len(everything.ids)
        wait_until(lambda seen=seen: len(everything.ids) > seen + 5, what="events")  # type: ignore[misc]
        running.kill()
        running.start()
        wait_until(lambda: running.logged("recovery_completed"))
    entries = running.pages("/api/v1/audit", order="oldest")
    last = entries[-1]["position"]
    expected = [entry["position"] for entry in entries if entry["type"] == "RecoveryDecided"]
    wait_until(lambda: everything.ids and everything.ids[-1] >= last, what="the end")
    wait_until(lambda: len(decided.ids) >= len(expected), what="the end of the decisions")
    everything.stop()
    decided.stop()

    upto = everything.ids[: everything.ids.index(last) + 1]
    assert upto == [entry["position"] for entry in entries]
    assert decided.ids[: len(expected)] == expected
    assert set(decided.kinds) == {"RecoveryDecided"}


def test_an_invalid_position_is_refused(running: ServiceProcess) -> None:
    response = httpx.get(f"{running.url}/api/v1/events/stream", headers={"Last-Event-ID": "yesterday"}, trust_env=False)

    assert (response.status_code, "last-event-id" in response.json()["detail"]) == (422, True)


def test_sigterm_ends_the_service_within_five_seconds_though_clients_follow(running: ServiceProcess) -> None:
    follower = Follower(running)
    wait_until(lambda: follower.ids)

    assert running.terminate() == 0
    follower.stop()


def test_a_stream_ends_when_its_token_is_revoked_and_another_goes_on(start_service: StartService) -> None:
    service = start_service()
    secrets = {name: service.token(name, Scope.READ) for name in ("mara", "tom")}
    lines: dict[str, list[str]] = {name: [] for name in secrets}

    def follow(name: str) -> None:
        headers = {"Authorization": f"Bearer {secrets[name]}"}
        url = f"{service.url}/api/v1/events/stream"
        stream = httpx.stream("GET", url, headers=headers, timeout=30, trust_env=False)
        with suppress(httpx.HTTPError), stream as answer:
            lines[name].append(f"status {answer.status_code}")
            for line in answer.iter_lines():
                lines[name].append(line)

    readers = {name: threading.Thread(target=follow, args=(name,), daemon=True) for name in secrets}
    for reader in readers.values():
        reader.start()
    wait_until(lambda: all(len(read) > 1 for read in lines.values()), what="both streams")

    logs.tokens_of(service.data_dir).revoke("mara")

    readers["mara"].join(30)
    assert not readers["mara"].is_alive()
    before = len(lines["tom"])
    wait_until(lambda: len(lines["tom"]) > before, what="a comment on the other stream")
    assert readers["tom"].is_alive()
    assert lines["mara"][0] == lines["tom"][0] == "status 200"


@pytest.mark.of_files("changes the file of the tokens")
def test_a_stream_ends_without_an_error_when_the_token_file_is_damaged(start_service: StartService) -> None:
    service = start_service()
    secret = service.token("mara", Scope.READ)
    headers = {"Authorization": f"Bearer {secret}"}
    url = f"{service.url}/api/v1/events/stream"
    with httpx.stream("GET", url, headers=headers, timeout=30, trust_env=False) as stream:
        assert stream.status_code == 200

        (service.data_dir / "tokens.json").write_bytes(b"damaged")

        assert stream.read()
    assert service.terminate() == 0
    assert not service.logged("library_message")
