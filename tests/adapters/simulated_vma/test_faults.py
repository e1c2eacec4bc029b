"""Faults of the whole server, of its health, of all ids, or of single ids, for ever or for some answers."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import httpx
import pytest

from adapters.simulated_vma import SimulatedVMA

A, B = "progress/migration-vol-a", "progress/migration-vol-b"
SHORT = 0.3
"""Seconds after which a question counts as unanswered."""


@pytest.fixture
def vma() -> Iterator[SimulatedVMA]:
    with SimulatedVMA() as running:
        for volume in "ab":
            running.world.add_job(f"job-{volume}", [volume], progress=40.0, duration=36_000, wording="plain")
        yield running


def ask(vma: SimulatedVMA, path: str, timeout: float = 10.0) -> httpx.Response:
    return httpx.get(f"{vma.url}/api/v1/{path}", timeout=timeout, trust_env=False)


def codes(vma: SimulatedVMA, *paths: str) -> list[int]:
    return [ask(vma, path).status_code for path in paths]


def answers(vma: SimulatedVMA, path: str) -> bool:
    """Whether a question is answered at all, and in time."""
    try:
        ask(vma, path, SHORT)
    except httpx.TransportError:
        return False
    return True


@pytest.mark.parametrize("code", [401, 403, 407, 429, 500, 502, 503, 504])
def test_every_status_is_answered_with_the_headers_that_are_asked_for(vma: SimulatedVMA, code: int) -> None:
    vma.faults.set("status", code=code, headers={"Retry-After": "5"}, text="later")

    response = ask(vma, A)

    assert (response.status_code, response.headers["Retry-After"], response.text) == (code, "5", "later")


def test_an_unauthorized_is_asked_to_log_in(vma: SimulatedVMA) -> None:
    vma.faults.set("unauthorized")

    response = ask(vma, A)

    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, 'Basic realm="vma"')


def test_a_broken_tunnel_answers_everything_health_included(vma: SimulatedVMA) -> None:
    vma.faults.set("tunnel", code=504)
    assert codes(vma, "health", A, "status/job-a") == [504, 504, 504]

    vma.faults.clear()

    assert codes(vma, "health", A) == [200, 200]


def test_a_word_and_a_percentage_replace_those_of_the_document(vma: SimulatedVMA) -> None:
    vma.faults.set("word", id="migration-vol-a", word="paused")
    vma.faults.set("percentage", id="migration-vol-b", percentage=103.9)

    first, second = ask(vma, A).json(), ask(vma, B).json()

    assert (first["status"], round(first["percentage"])) == ("paused", 40)
    assert (second["status"], second["percentage"]) == ("in_progress", 103.9)


def test_they_do_so_in_the_oldest_form(vma: SimulatedVMA) -> None:
    vma.world.add_job("job-c", ["c"], dialect="oldest")
    vma.faults.set("percentage", percentage=103.9)

    assert ask(vma, "progress/migration-vol-c").json()["aggregate"]["percent"] == 103.9


class TestPlaces:
    """Where a fault is in force, and who stays unaffected."""

    def test_of_one_id_only(self, vma: SimulatedVMA) -> None:
        vma.faults.set("status", id="migration-vol-a", code=500)
        assert codes(vma, A, B, "health") == [500, 200, 200]

        vma.faults.clear(id="migration-vol-a")
        assert codes(vma, A) == [200]

    def test_of_all_ids_but_not_of_the_health(self, vma: SimulatedVMA) -> None:
        vma.faults.set("hang", place="ids")

        assert [answers(vma, path) for path in (A, B)] == [False, False]
        assert codes(vma, "health") == [200]

    def test_of_the_health_alone(self, vma: SimulatedVMA) -> None:
        vma.faults.set("hang", place="health")
        assert codes(vma, A, B) == [200, 200]
        assert not answers(vma, "health")

        vma.faults.clear(place="health")
        assert codes(vma, "health") == [200]

    def test_the_nearest_fault_counts(self, vma: SimulatedVMA) -> None:
        vma.faults.set("status", code=500)
        vma.faults.set("status", place="ids", code=403)
        vma.faults.set("status", id="migration-vol-a", code=429)
        assert codes(vma, A, B, "health") == [429, 403, 500]

        vma.faults.clear()
        assert codes(vma, A, B, "health") == [200, 200, 200]


class TestLimitedCounts:
    """A fault that passes by itself."""

    def test_it_ends_after_so_many_answers(self, vma: SimulatedVMA) -> None:
        vma.faults.set("status", code=503, times=3)

        assert codes(vma, A, "health", B, A, B, "health") == [503, 503, 503, 200, 200, 200]

    def test_only_answers_of_its_own_place_count(self, vma: SimulatedVMA) -> None:
        vma.faults.set("status", id="migration-vol-a", code=503, times=1)

        assert codes(vma, B, "health", A, A) == [200, 200, 503, 200]

    def test_its_count_restarts_when_it_is_set_again(self, vma: SimulatedVMA) -> None:
        for _ in range(2):
            vma.faults.set("status", code=503, times=1)
            assert codes(vma, A, A) == [503, 200]


class TestTheWholeServer:
    """What is wrong with it cannot be wrong for one id."""

    def test_a_slow_and_serial_vma_answers_one_request_at_a_time(self, vma: SimulatedVMA) -> None:
        vma.faults.set("serial", seconds=0.1)
        began = time.monotonic()

        with ThreadPoolExecutor(4) as pool:
            ended = sorted(pool.map(lambda path: (ask(vma, path), time.monotonic())[1], [A, B, "health", A]))

        # A client may learn late of its answer, but never early.
        assert all(end - began > 0.09 * n for n, end in enumerate(ended, start=1))

        vma.faults.clear()
        began = time.monotonic()
        assert codes(vma, A) == [200]
        assert time.monotonic() - began < 5

    def test_a_silent_listener_accepts_and_never_answers(self, vma: SimulatedVMA) -> None:
        port = vma.port
        with httpx.Client(trust_env=False) as kept_alive:
            kept_alive.get(f"{vma.url}/api/v1/health")
            vma.faults.set("silent")
            for _ in range(2):
                with pytest.raises(httpx.ReadTimeout):
                    kept_alive.get(f"{vma.url}/api/v1/health", timeout=SHORT)

        with pytest.raises(httpx.ReadTimeout):
            ask(vma, A, SHORT)

        vma.faults.clear()
        assert (codes(vma, A, "health"), vma.port) == ([200, 200], port)

    def test_a_listener_changes_from_silent_to_refusing_and_back(self, vma: SimulatedVMA) -> None:
        for _ in range(2):
            vma.faults.set("silent")
            vma.faults.set("refuse")
            with pytest.raises(httpx.ConnectError):
                ask(vma, A, SHORT)
            vma.faults.clear()
            assert codes(vma, A) == [200]

    def test_the_port_of_one_that_refuses_is_given_to_nobody_else(self, vma: SimulatedVMA) -> None:
        for fault in ("refuse", "silent", "refuse"):
            vma.faults.set(fault)
            with closing(socket.socket()) as other, pytest.raises(OSError, match="already in use"):
                other.bind(("127.0.0.1", vma.port))
        vma.faults.clear()

        assert codes(vma, A) == [200]

    def test_one_that_is_silent_can_be_stopped(self) -> None:
        with SimulatedVMA() as vma:
            vma.faults.set("silent")
            assert not answers(vma, "health")

    @pytest.mark.parametrize("mode", ["refuse", "silent", "serial", "not_found_style"])
    @pytest.mark.parametrize("some", [{"id": "migration-vol-a"}, {"place": "health"}, {"times": 3}])
    def test_it_is_not_wrong_in_part(self, vma: SimulatedVMA, mode: str, some: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match=f"'{mode}' is a fault of the whole server"):
            vma.faults.set(mode, **some)

        assert codes(vma, A, "health") == [200, 200]


class TestNotFound:
    """How an id is not known, at each endpoint."""

    @pytest.mark.parametrize(
        ("style", "code", "says"),
        [
            ("404_text", 404, "job not found\n"),
            ("200_text", 200, "job not found\n"),
            ("404_json", 404, '{"error":"job not found","job_id":"job-9"}'),
            ("404_no_migration", 404, "No active migration found for job: job-9\n"),
            ("404_names_id", 404, "Job not found: job-9"),
        ],
    )
    @pytest.mark.parametrize("endpoint", ["progress", "status"])
    def test_an_id_that_is_not_known(self, vma: SimulatedVMA, endpoint: str, style: str, code: int, says: str) -> None:
        usual = {"progress": "job not found\n", "status": "Job not found: job-9"}
        other = "status" if endpoint == "progress" else "progress"

        vma.faults.set("not_found_style", style=style, endpoint=endpoint)

        response = ask(vma, f"{endpoint}/job-9")
        assert (response.status_code, response.text) == (code, says)
        assert ask(vma, f"{other}/job-9").text == usual[other]
        assert ask(vma, A).json()["status"] == "in_progress"


@pytest.mark.parametrize(
    ("mode", "how", "says"),
    [
        ("sulk", {}, "there is no fault 'sulk': refuse, silent, serial, not_found_style, hang"),
        ("hang", {"place": "cellar"}, "there is no place 'cellar'"),
        ("not_found_style", {"style": "504"}, "there is no style '504'"),
        ("not_found_style", {"style": "404_text", "endpoint": "health"}, "there is no endpoint 'health'"),
    ],
)
def test_an_unknown_fault_is_refused(vma: SimulatedVMA, mode: str, how: dict[str, Any], says: str) -> None:
    with pytest.raises(LookupError, match=says):
        vma.faults.set(mode, **how)
