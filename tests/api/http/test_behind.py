"""While the read model is behind the log, no answer looks as if it had every event."""

from collections.abc import AsyncIterator
from pathlib import Path
from unittest import mock

import httpx
import pytest
from starlette.requests import Request

from api.http import dependencies, past
from api.http.app import create_app
from api.http.filters import AuditQuery
from api.http.routes import stream
from api.http.routes.stream import start_of, stream_events
from api.runtime.bootstrap import Service
from tests.support.clock import FakeClock
from tests.support.past import client_of, service_with
from tests.support.written import log_of

APPLIED, STORED = 3, 5
LOG = log_of(("job-1", 0.0), ("job-2", 1.0), ("job-1", 2.0), ("job-1", 3.0), ("job-2", 4.0))
NOW = {"at": "2025-10-03T12:30:00Z"}

HTTP = httpx.AsyncClient


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    """Return a service whose read model has some of the events, and applies no others until it is told to."""
    clock = FakeClock()
    clock.advance(3600)
    async with service_with(LOG[:APPLIED], tmp_path, clock) as service:
        await service.event_log.append(LOG[APPLIED:])
        with mock.patch.object(dependencies, "READ_YOUR_WRITES", 0.01):
            yield service


@pytest.fixture
async def api(service: Service) -> AsyncIterator[HTTP]:
    async with client_of(service) as client:
        yield client


async def test_an_export_waits_for_every_event_or_is_refused(service: Service, api: HTTP) -> None:
    refused = await api.get("/audit/export")
    await service.projector.catch_up()
    whole = await api.get("/audit/export")

    assert refused.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert f"position {APPLIED} of {STORED}" in refused.json()["detail"]
    assert (whole.status_code, whole.headers["Job-Recovery-Events"]) == (httpx.codes.OK, str(STORED))


@pytest.mark.parametrize("path", ["/jobs", "/jobs/job-1"])
async def test_a_state_of_the_past_that_lacks_the_last_events_is_told_as_one_that_can_change(
    path: str, service: Service, api: HTTP
) -> None:
    lacking = (await api.get(path, params=NOW)).json()["as_of"]
    await service.projector.catch_up()
    whole = (await api.get(path, params=NOW)).json()["as_of"]

    assert (lacking["position"], lacking["is_future"]) == (APPLIED, True)
    assert (whole["position"], whole["is_future"]) == (STORED, False)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/jobs", NOW),
        ("/jobs/job-1", NOW),
        ("/jobs", {"at": "2100-01-01"}),
        ("/jobs/job-1", {"position": STORED}),
        ("/jobs/job-1/diff", {"from": "1", "to": "2025-10-03T12:30:00Z"}),
    ],
)
async def test_while_many_events_are_missing_nothing_of_the_past_is_answered(
    path: str, query: dict[str, str], api: HTTP
) -> None:
    with mock.patch.object(past, "FEW_EVENTS", 1):
        refused = await api.get(path, params=query)

    assert refused.status_code == httpx.codes.SERVICE_UNAVAILABLE, refused.text
    assert f"position {APPLIED} of {STORED}" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/recovery-runs/what-if", {}),
        ("/recovery-runs/run-1/replay", {}),
        ("/recovery-runs/run-1/export", {}),
        ("/recovery-runs/compare", {"a": "run-1", "b": "run-2"}),
    ],
)
async def test_while_an_event_is_missing_no_run_is_answered_as_if_it_were_whole(
    path: str, query: dict[str, str], service: Service, api: HTTP
) -> None:
    refused = await api.get(path, params=query)
    await service.projector.catch_up()

    assert refused.status_code == httpx.codes.SERVICE_UNAVAILABLE, refused.text
    assert f"position {APPLIED} of {STORED}" in refused.json()["detail"]
    assert (await api.get(path, params=query)).status_code != httpx.codes.SERVICE_UNAVAILABLE


async def test_a_further_page_of_the_past_is_refused_while_the_read_model_lacks_an_event_of_its_moment(
    service: Service, api: HTTP
) -> None:
    await service.projector.catch_up()
    page = (await api.get("/jobs", params={"position": STORED, "limit": 1})).json()
    further = {"limit": 1, "cursor": page["next_cursor"]}
    service.projector.position = APPLIED

    refused = await api.get("/jobs", params=further)
    service.projector.position = STORED
    answered = await api.get("/jobs", params=further)

    assert (refused.status_code, answered.status_code) == (httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.OK)
    assert [job["job_id"] for job in page["items"] + answered.json()["items"]] == ["job-1", "job-2"]


@pytest.mark.parametrize(("path", "query"), [("/jobs", {}), ("/jobs/job-1", {"version": 2}), ("/audit", {})])
async def test_meanwhile_the_present_and_exact_versions_are_answered(
    path: str, query: dict[str, int], api: HTTP
) -> None:
    with mock.patch.object(past, "FEW_EVENTS", 1):
        assert (await api.get(path, params=query)).status_code == httpx.codes.OK


async def test_a_version_is_that_version_however_far_the_projector_says_that_it_is(service: Service, api: HTTP) -> None:
    service.projector.position = 1

    shown = (await api.get("/jobs/job-1", params={"version": 2})).json()

    assert (shown["version"], shown["as_of"]["position"], shown["as_of"]["is_future"]) == (2, 3, False)


async def test_a_stream_of_new_events_begins_after_what_a_list_has(service: Service) -> None:
    request = Request({"type": "http", "app": create_app(service), "headers": []})

    lists_lack_some = await anext(stream_events(request, await start_of(request), AuditQuery()))
    await service.projector.catch_up()
    lists_have_all = await anext(stream_events(request, await start_of(request), AuditQuery()))

    comments = [f"after position {position}" for position in (APPLIED, STORED)]
    assert [lists_lack_some.comment, lists_have_all.comment] == comments


async def test_a_stream_of_new_events_is_refused_while_the_lists_lack_many_and_one_with_an_id_is_not(
    service: Service, api: HTTP
) -> None:
    request = Request({"type": "http", "app": create_app(service), "headers": []})
    with mock.patch.object(stream, "FEW_EVENTS", 1):
        refused = [await api.get("/events/stream") for _ in range(20)]

        assert (await start_of(request, after="3")).position == APPLIED

    assert [answer.status_code for answer in refused] == [httpx.codes.SERVICE_UNAVAILABLE] * 20
    assert f"position {APPLIED} of {STORED}" in refused[0].json()["detail"]
    assert (await start_of(request)).position == APPLIED


async def test_a_command_does_not_wait_for_a_read_model_that_is_far_behind(service: Service, api: HTTP) -> None:
    decision = {"outcome": "fail", "who": "mara", "why": "VM deleted"}
    with mock.patch.object(dependencies, "READ_YOUR_WRITES", 3600), mock.patch.object(dependencies, "FEW_EVENTS", 1):
        decided = await api.post("/jobs/job-1/decision", json=decision)

    assert (decided.status_code, decided.json()["state"]) == (httpx.codes.OK, "failed")
