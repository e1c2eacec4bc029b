"""The service with its log on PostgreSQL: restarts, and a database that goes away while it runs."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from adapters.simulated_vma import SimulatedVMA
from api.cli.main import main
from tests.restart.conftest import StartService
from tests.support import postgres as server
from tests.support.awake import awake
from tests.support.postgres_relay import ANSWER as ANSWER_OF_COMMIT
from tests.support.postgres_relay import HELD, PostgresRelay
from tests.support.service import PATIENT, ServiceProcess, wait_until

ANSWER = 6.0
"""Seconds within which a command has an answer: 5, and what a busy machine adds."""


PASSWORD = server.password() or "hunter22@/%"
"""A server that trusts everybody on this machine takes any."""


@pytest.fixture
def schema() -> Iterator[str]:
    with server.new_schema() as name:
        yield name


@pytest.fixture
def relay(schema: str) -> Iterator[PostgresRelay]:
    passing = PostgresRelay(server.port())
    yield passing
    passing.close()


@pytest.fixture
def service(start_service: StartService, schema: str, relay: PostgresRelay) -> ServiceProcess:
    """Return a service that reaches its log through the relay."""
    url = server.url_to(relay.port, password=PASSWORD)
    return start_service(DATABASE_URL=url, DATABASE_SCHEMA=schema, **PATIENT)


def run_job(vma: SimulatedVMA, service: ServiceProcess, name: str = "job-1") -> None:
    vma.world.add_job(name, [f"disk-of-{name}"], progress=41.0, duration=36_000)
    service.register(name, f"disk-of-{name}")
    service.wait_for(name, vma_status="running")


def refusal(service: ServiceProcess, name: str) -> dict[str, Any]:
    """Return the answer to a registration that must be refused, in time."""
    began = awake()
    response = service.post("/api/v1/jobs", {"job_id": name, "vm_name": "vm", "volume_ids": [f"disk-of-{name}"]})
    assert awake() - began < ANSWER
    found: dict[str, Any] = response.json()
    assert response.status_code == 503, found
    return found


def unready(service: ServiceProcess) -> str:
    found = wait_until(lambda: (r := service.get("/readyz")).status_code == 503 and r.json(), what="unready")
    return " ".join(found["why"])


def test_a_killed_service_resumes_its_jobs_and_its_log_verifies(
    vma: SimulatedVMA, service: ServiceProcess, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run_job(vma, service)
    service.kill()
    service.start()

    assert service.wait_for("job-1", state="replicating", rule="still-running")["progress_percent"] >= 41
    assert service.events("job-1")[0]["type"] == "JobRegistered"
    assert not (service.data_dir / "events.sqlite").exists()
    for name, value in service.environment.items():
        if name.startswith("JOB_RECOVERY_"):
            monkeypatch.setenv(name, value)
    assert main(["verify"]) == 0
    assert "events verified" in capsys.readouterr().out
    assert service.terminate() == 0
    assert main(["rebuild"]) == 0
    assert "rebuilt the read model from" in capsys.readouterr().out


def test_while_a_stranger_locks_the_log_polls_go_on_and_the_strangers_process_is_named(
    vma: SimulatedVMA, service: ServiceProcess, schema: str
) -> None:
    run_job(vma, service)
    before = service.events("job-1")
    with psycopg.connect(server.SERVER, application_name="a dump") as stranger:
        stranger.execute(f"LOCK TABLE {schema}.stored_events IN SHARE MODE")
        process = f"PostgreSQL process {stranger.info.backend_pid} (a dump"

        # On a slow machine the server's own answer may come too late to be told.
        wait_until(lambda: process in unready(service), what="/readyz names it")
        wait_until(lambda: process in refusal(service, "job-2")["detail"], what="a refusal names it")
        polled = service.job("job-1")["live"]["polled_at"]
        wait_until(lambda: service.job("job-1")["live"]["polled_at"] > polled, what="another poll")

    wait_until(lambda: service.get("/readyz").is_success, what="ready again")
    run_job(vma, service, "job-2")
    assert service.events("job-1") == before


def test_while_the_database_is_away_polls_go_on_nothing_is_recorded_and_it_is_used_again_when_it_is_back(
    vma: SimulatedVMA, service: ServiceProcess, relay: PostgresRelay
) -> None:
    run_job(vma, service)
    before = service.events("job-1")
    relay.go_silent()

    assert "the event log" in unready(service)
    refusal(service, "job-2")
    wait_until(lambda: service.logged("event_log_unavailable"))
    polled = service.job("job-1")["live"]["polled_at"]
    wait_until(lambda: service.job("job-1")["live"]["polled_at"] > polled, what="another poll")
    vma.world.fail("job-1", "disk full")
    relay.resume()

    service.wait_for("job-1", state="failed", rule=None)
    assert service.events("job-1")[: len(before)] == before
    wait_until(lambda: service.get("/readyz").is_success, what="ready again")
    assert len(service.logged("event_log_unavailable")) == 1
    assert len(wait_until(lambda: service.logged("event_log_available"))) == 1
    run_job(vma, service, "job-2")


def test_a_registration_that_is_stored_although_it_was_refused_is_watched_without_a_restart(
    vma: SimulatedVMA, service: ServiceProcess, relay: PostgresRelay
) -> None:
    vma.world.add_job("job-1", ["disk-of-job-1"], progress=41.0, duration=36_000)
    relay.lose(ANSWER_OF_COMMIT, of="job-1", then_silent=True)
    refusal(service, "job-1")
    relay.resume()
    wait_until(lambda: service.get("/readyz").is_success, what="ready again")

    service.wait_for("job-1", vma_status="running")
    polled = wait_until(lambda: service.job("job-1")["live"])["polled_at"]
    wait_until(lambda: service.job("job-1")["live"]["polled_at"] > polled, what="another poll")
    again = service.post("/api/v1/jobs", {"job_id": "job-1", "vm_name": "vm", "volume_ids": ["disk-of-job-1"]})
    assert again.status_code == 200
    assert [event["type"] for event in service.events("job-1")].count("JobRegistered") == 1
    taken = service.post("/api/v1/jobs", {"job_id": "job-2", "vm_name": "vm", "volume_ids": ["disk-of-job-1"]})
    assert (taken.status_code, "belongs to the open job job-1" in taken.text) == (409, True)


def test_the_password_of_the_database_appears_nowhere(
    vma: SimulatedVMA, service: ServiceProcess, relay: PostgresRelay
) -> None:
    run_job(vma, service)
    relay.go_silent()
    told = [unready(service), str(refusal(service, "job-2"))]
    told += [service.get(path).text for path in ("/readyz", "/health", "/metrics", "/api/v1/settings")]
    service.terminate()
    told += [service.log_file.read_text(), *(file.read_bytes().decode("latin-1") for file in files_of(service))]

    assert any("JOB_RECOVERY_DATABASE_URL" in text for text in told)
    assert [text[:200] for text in told if PASSWORD in text or quote(PASSWORD, safe="") in text] == []


def files_of(service: ServiceProcess) -> list[Path]:
    return [file for file in service.data_dir.iterdir() if file.is_file()]


def test_a_service_whose_database_does_not_answer_ends_within_five_seconds(
    service: ServiceProcess, relay: PostgresRelay
) -> None:
    relay.go_silent()
    unready(service)
    began = awake()

    assert service.terminate() == 0

    assert awake() - began < ANSWER


def test_a_command_that_is_in_progress_when_the_service_ends_is_refused_and_told_so(
    vma: SimulatedVMA, service: ServiceProcess, relay: PostgresRelay
) -> None:
    run_job(vma, service)
    service.terminate()
    why = ""
    for n in range(2, 7):
        # On a slow machine the COMMIT may be given up by itself before the service ends.
        if "the service is stopping" not in why:
            service.start()
            relay.lose(HELD, of=f"job-{n}")
            with ThreadPoolExecutor(1) as client:
                answer = client.submit(refusal, service, f"job-{n}")
                wait_until(lambda: relay.is_silent, what="a COMMIT that is held")

                assert service.terminate() == 0
            why = answer.result()["detail"]
            relay.resume()

    assert "the service is stopping" in why
    assert "Traceback" not in service.log_file.read_text()
