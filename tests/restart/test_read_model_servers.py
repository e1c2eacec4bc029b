"""The server of the read model is silent, or refuses a service: jobs are watched without it."""

import secrets
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest
from sqlalchemy import text

from adapters.simulated_vma import SimulatedVMA
from api.cli.main import main
from tests.restart.conftest import StartService
from tests.support.model_servers import ModelServer, model_server
from tests.support.read_model import rows_of
from tests.support.read_models import SERVERS
from tests.support.service import ServiceProcess, wait_until

BY_THE_START = 10.0
"""Seconds within which a start recovers its jobs: two steps of 2 s each, and what a busy machine adds."""

ANSWER = 7.0
"""Seconds within which a read has an answer: 5, and what a busy machine adds."""


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[ModelServer]:
    with model_server(request.param) as running:
        yield running


@pytest.fixture
def service(vma: SimulatedVMA, start_service: StartService, server: ModelServer) -> ServiceProcess:
    """Return a service that watches a job and reaches its read model through the relay."""
    running = start_service(**server.settings)
    vma.world.add_job("job-1", ["disk-of-job-1"], progress=41.0, duration=36_000)
    running.register("job-1", "disk-of-job-1")
    running.wait_for("job-1", vma_status="running")
    return running


def not_ready(service: ServiceProcess) -> str | None:
    found = service.get("/readyz")
    return " ".join(found.json()["why"]) if found.status_code == 503 else None


def answers(service: ServiceProcess, *paths: str) -> list[httpx.Response]:
    """Return the answers to requests that are sent at once, and must come in time."""
    began = time.monotonic()
    with ThreadPoolExecutor(len(paths)) as threads:
        found = list(threads.map(service.get, paths))
    assert time.monotonic() - began < ANSWER
    return found


def wait_for_another_poll(service: ServiceProcess) -> None:
    before = polls(service)
    wait_until(lambda: polls(service) > before, what="another poll")


def polls(service: ServiceProcess) -> int:
    return int(service.get("/api/v1/polling").json()["polls"])


def check_rows(service: ServiceProcess, server: ModelServer, patch: pytest.MonkeyPatch) -> None:
    """Check that the read model of a service, which ends, has the rows of a rebuild."""
    assert service.terminate() == 0
    rows = rows_of(server.model.readers)
    for name, value in service.environment.items():
        if name.startswith("JOB_RECOVERY_"):
            patch.setenv(name, value)
    assert main(["rebuild"]) == 0
    assert rows_of(server.model.readers) == rows


def test_a_start_with_a_silent_server_recovers_its_jobs_and_the_read_model_follows(
    service: ServiceProcess, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.kill()
    server.relay.go_silent()

    service.begin()

    wait_until(lambda: service.completed("restart"), within=BY_THE_START, what="the restart's run")
    service.connect()
    wait_for_another_poll(service)
    assert not_ready(service)
    server.relay.resume()
    wait_until(lambda: service.get("/readyz").is_success, what="ready")
    assert service.job("job-1")["decision"]["rule"] == "still-running"
    check_rows(service, server, monkeypatch)


@contextmanager
def created(database: str, server: ModelServer) -> Iterator[None]:
    """Create a database, and drop it afterwards."""
    with server.model.writer.connect().execution_options(isolation_level="AUTOCOMMIT") as administrator:
        administrator.execute(text(f"CREATE DATABASE {database}"))
        try:
            yield
        finally:
            administrator.execute(text(f"DROP DATABASE {database}"))


def test_a_start_that_its_server_refuses_recovers_its_jobs_and_the_read_model_follows(
    service: ServiceProcess, server: ModelServer
) -> None:
    service.kill()
    database = f"later_{secrets.token_hex(4)}"
    service.settings["READ_MODEL_URL"] = f"{server.settings['READ_MODEL_URL'].rpartition('/')[0]}/{database}"

    service.begin()

    wait_until(lambda: service.completed("restart"), what="the restart's run")
    service.connect()
    wait_for_another_poll(service)
    assert database in (not_ready(service) or "")
    with created(database, server):
        wait_until(lambda: service.get("/readyz").is_success, what="ready")
        assert service.job("job-1")["decision"]["rule"] == "still-running"
        service.kill()


def test_while_the_server_is_silent_reads_are_refused_in_time_and_jobs_are_watched(
    vma: SimulatedVMA, service: ServiceProcess, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.relay.go_silent()

    ready, jobs, metrics = answers(service, "/readyz", "/api/v1/jobs", "/metrics")
    assert (ready.status_code, jobs.status_code, metrics.status_code) == (503, 503, 200)
    assert "the read model cannot be used now" in " ".join(ready.json()["why"])
    assert "the read model cannot be used now" in jobs.json()["detail"]
    assert "\njob_recovery_poll_lag_seconds " in metrics.text
    assert "\njob_recovery_jobs{" not in metrics.text
    wait_for_another_poll(service)
    assert service.decide("job-1", "fail")["state"] == "failed"
    server.relay.resume()
    wait_until(lambda: service.get("/readyz").is_success, what="ready again")
    wait_until(lambda: [job["state"] for job in service.jobs()] == ["failed"], what="the decision in the list")
    assert "\njob_recovery_jobs{" in service.get("/metrics").text
    check_rows(service, server, monkeypatch)
