"""A recovery run that an operator asks for is one run, also while it cannot be stored."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
import pytest

from adapters.event_log.sqlite import sqlite3
from api.http import dependencies
from api.runtime.bootstrap import Service
from domain.errors import StorageUnavailable
from domain.events import Cause
from domain.recovery_policy import Policy
from domain.recovery_run import RecoveryRun
from tests.support import logs
from tests.support.builders import NOON
from tests.support.clock import FakeClock
from tests.support.harness import REQUEST, ScriptedVMA, asked
from tests.support.http_api import PUBLISHED_PATHS
from tests.support.past import client_of, service_with, written_to

HTTP = httpx.AsyncClient
SOON, PATIENT = 0.1, 30.0


@pytest.fixture
def vma() -> ScriptedVMA:
    return ScriptedVMA()


@pytest.fixture
async def service(tmp_path: Path, vma: ScriptedVMA) -> AsyncIterator[Service]:
    """Return a service with two open jobs, which runs nothing but what is asked of it."""
    async with service_with([], tmp_path, FakeClock(), vma) as service:
        for job_id in ("job-1", "job-2"):
            await service.app.register(asked(job_id), REQUEST)
        group = asyncio.TaskGroup()
        async with group:
            service.background.attach(group)
            yield service
            for task in group._tasks:
                task.cancel()


@pytest.fixture
async def api(service: Service) -> AsyncIterator[HTTP]:
    async with client_of(service) as client:
        yield client


@contextmanager
def locked(file: Path) -> Iterator[None]:
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


async def started(service: Service, api: HTTP, *, dry_run: bool = False, within: float = PATIENT) -> httpx.Response:
    service.background._command_timeout = within
    return await api.post("/recovery-runs", json={"dry_run": dry_run})


@pytest.mark.of_files("locks it")
async def test_a_request_that_is_repeated_while_the_log_cannot_be_written_waits_for_the_same_run(
    service: Service, api: HTTP, tmp_path: Path
) -> None:
    with locked(tmp_path / "data/events.sqlite"):
        refused = [await started(service, api, within=SOON) for _ in range(3)]
        tried = await started(service, api, dry_run=True)
        (run_id,) = {found for answer in refused for found in re.findall(r"run-\w+-\w+-\w+", answer.text)}
        begun = service.recovery.live[run_id]
    run = await begun.stored()

    assert {answer.status_code for answer in refused} == {httpx.codes.SERVICE_UNAVAILABLE}
    assert (run.id, run.jobs, tried.json()["run_id"] == run_id) == (run_id, 2, False)
    await service.projector.catch_up()
    assert [shown["run_id"] for shown in (await api.get("/recovery-runs")).json()["items"]] == [run_id]


async def test_a_refused_request_for_a_run_says_why_it_is_not_stored(service: Service, api: HTTP) -> None:
    logs.make_writable(service.event_log, writable=False)
    with pytest.raises(StorageUnavailable) as why:
        await service.event_log.check_writable()

    refused = await started(service, api, within=SOON)

    assert refused.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert str(why.value) in refused.json()["detail"]
    assert "tried again until it is" in refused.json()["detail"]


async def test_a_run_that_the_read_model_does_not_have_yet_is_shown_by_the_request_that_started_it(
    service: Service, api: HTTP
) -> None:
    await service.projector.catch_up()
    with mock.patch.object(dependencies, "READ_YOUR_WRITES", 0.01):
        stored = await started(service, api)

    assert (stored.status_code, stored.json()["status"]) == (httpx.codes.ACCEPTED, "running")
    assert stored.headers["Location"].endswith(stored.json()["run_id"])


@pytest.mark.parametrize("dry_run", [True, False])
async def test_a_run_that_is_asked_for_before_the_service_has_read_its_jobs_is_refused_and_leaves_none(
    *, dry_run: bool, tmp_path: Path
) -> None:
    async with service_with([], tmp_path, FakeClock()) as starting, client_of(starting) as api:
        refused = [await started(starting, api, dry_run=dry_run) for _ in range(2)]

        assert [answer.status_code for answer in refused] == [httpx.codes.SERVICE_UNAVAILABLE] * 2
        assert "the service is starting" in refused[0].json()["detail"]
        assert starting.recovery.live == {}


async def shown_by_each_route(api: HTTP, run_id: str, other: str) -> list[dict[str, Any]]:
    """Return a run as every route shows it."""
    compared = (await api.get("/recovery-runs/compare", params={"a": run_id, "b": other})).json()
    turned = (await api.get("/recovery-runs/compare", params={"a": other, "b": run_id})).json()
    return [
        (await api.get(f"/recovery-runs/{run_id}")).json(),
        (await api.get(f"/recovery-runs/{run_id}/replay")).json()["run"],
        compared["a"],
        turned["b"],
        *(run for run in (await api.get("/recovery-runs")).json()["items"] if run["run_id"] == run_id),
    ]


async def test_a_running_run_has_its_progress_in_every_answer_and_an_interrupted_one_has_none(
    service: Service, api: HTTP, vma: ScriptedVMA
) -> None:
    vma.hang("default")
    past = RecoveryRun(id="run-20250101-120000-00000a")
    past.start(Cause.RESTART, "instance-1", Policy(), ("job-1",), NOON, REQUEST)
    past.interrupt("the process ended", NOON, REQUEST)
    await written_to(service, past.collect_events())
    with mock.patch.object(dependencies, "READ_YOUR_WRITES", 0.01):
        running = (await started(service, api)).json()["run_id"]
    await service.projector.catch_up()

    first = await shown_by_each_route(api, running, past.id)
    service.recovery.live[running].settled_elsewhere = 1
    then = await shown_by_each_route(api, running, past.id)
    interrupted = await shown_by_each_route(api, past.id, running)

    for shown, settled in ((first, 0), (then, 1), (interrupted, None)):
        assert [run["settled_elsewhere"] for run in shown] == [settled] * 5
        assert shown == [shown[0]] * 5
    assert (first[0]["status"], interrupted[0]["status"]) == ("running", "interrupted")


async def test_the_id_of_a_request_finds_what_it_caused_and_correlates_all_but_a_run(
    service: Service, api: HTTP
) -> None:
    async def asked_with(own: str, path: str, body: dict[str, Any]) -> None:
        assert (await api.post(path, json=body, headers={"X-Request-ID": own})).is_success
        await service.projector.catch_up()

    async def types(**query: str) -> list[str]:
        found = (await api.get("/audit", params=query)).json()["items"]
        return [entry["type"] for entry in found]

    with mock.patch.object(dependencies, "READ_YOUR_WRITES", 0.01):
        order = {"outcome": "fail", "who": "mara", "why": "gone"}
        await asked_with("ticket-1", "/jobs/job-1/decision", order)
        await asked_with("ticket-2", "/recovery-runs", {"dry_run": False})
        await asked_with("ticket-3", "/recovery-runs", {"dry_run": False})

    assert "OperatorDecided" in await types(correlation_id="request-ticket-1")
    for own in ("request-ticket-2", "request-ticket-3"):
        assert await types(causation_id=own) == ["RecoveryRunStarted"]
        assert await types(correlation_id=own) == []
    description = PUBLISHED_PATHS["/api/v1/recovery-runs"]["post"]["parameters"][0]["description"]
    assert "`causation_id`" in description
    assert "those of a recovery run have the run's id" in description
