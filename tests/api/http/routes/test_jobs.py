"""Routes of jobs: commands succeed or are refused with a reason, and lists are complete."""

import asyncio
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.event_log.sqlite import sqlite3
from adapters.simulated_vma import SimulatedVMA
from tests.support.http_api import eventually, registered


async def test_a_registration_is_created_once_and_can_be_repeated(api: httpx.AsyncClient) -> None:
    first, again = await registered(api), await registered(api)

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["state"] == "replicating"
    assert (await api.get("/vm-contexts/ctx-1")).json()["active_job"] == "job-1"


async def test_the_response_of_a_command_is_never_ahead_of_the_next_read(
    api: httpx.AsyncClient, vma: SimulatedVMA, tmp_path: Path
) -> None:
    vma.world.add_job("job-1", ["disk-1"], progress=40.0, duration=36_000)
    # The events of the run of the start are not counted below.
    await eventually(api, "/recovery/status", runs_by_status={"finished": 1})
    with closing(sqlite3.connect(tmp_path / "data/read_model.sqlite", isolation_level=None)) as model:
        model.execute("BEGIN IMMEDIATE")
        registering = asyncio.ensure_future(registered(api))
        # The read model misses the registration, the VM context's admission and the first poll's observation.
        async with asyncio.timeout(30):
            while (await api.get("http://localhost/health")).json()["projection_lag_events"] < 3:  # noqa: ASYNC110 - over HTTP
                await asyncio.sleep(0.01)
        model.execute("ROLLBACK")

    assert (await registering).json()["version"] == 1


async def test_the_longest_job_has_a_vm_context_of_its_own_that_can_be_read(api: httpx.AsyncClient) -> None:
    longest = "x" * 196

    assert (await registered(api, job_id=longest, vm_context_id=None)).status_code == 201

    assert (await api.get(f"/vm-contexts/ctx-{longest}")).json()["active_job"] == longest


async def test_other_content_or_a_busy_vm_is_a_conflict_that_names_the_job(api: httpx.AsyncClient) -> None:
    await registered(api)

    other = await registered(api, vm_name="another")
    busy = await registered(api, job_id="job-2")

    for refused in (other, busy):
        assert (refused.status_code, refused.headers["content-type"]) == (409, "application/problem+json")
        assert "job-1" in refused.json()["detail"]


BAD: list[tuple[dict[str, Any], str]] = [
    ({"job_id": "../etc"}, "job_id"),
    ({"job_id": "a\r\nb"}, "job_id"),
    ({"job_id": ".."}, "job_id"),
    ({"job_id": " a"}, "printable characters"),
    ({"job_id": "a\u202eb"}, "job_id"),
    ({"vm_context_id": "a\u200bb"}, "vm_context_id"),
    ({"volume_ids": ["a\nb"]}, "volume_ids"),
    ({"job_id": ""}, "at least 1 character"),
    ({"job_id": "x" * 197}, "at most 196 characters"),
    ({"volume_ids": []}, "volume_ids"),
    ({"volume_ids": ["a", "a"]}, "a volume is listed twice"),
    ({"volume_ids": ["a/b"]}, "volume_ids"),
    ({"volume_ids": ["a" * 187]}, "at most 186 characters"),
    ({"progress_percent": 101}, "progress_percent"),
    ({"progress_percent": "much"}, "progress_percent"),
    ({"vma": "nowhere"}, "no VMA named 'nowhere' is configured; configured are: default"),
    ({"colour": "red"}, "colour"),
    ({"vm_name": " "}, "vm_name"),
]


@pytest.mark.parametrize(("wrong", "says"), BAD)
async def test_bad_input_is_a_problem_that_names_it_and_changes_nothing(
    api: httpx.AsyncClient, wrong: dict[str, Any], says: str
) -> None:
    response = await registered(api, **wrong)

    assert (response.status_code, response.headers["content-type"]) == (422, "application/problem+json")
    problem = response.json()
    assert says in problem["detail"]
    assert {"type", "title", "status", "detail", "instance"} <= set(problem)
    assert (await api.get("/jobs")).json() == {"items": [], "next_cursor": None, "as_of": None}


@pytest.mark.parametrize("path", ["/jobs/job-9", "/jobs/job-9/events", "/vm-contexts/ctx-9", "/recovery-runs/run-9"])
async def test_an_unknown_id_is_a_404_that_names_it(api: httpx.AsyncClient, path: str) -> None:
    response = await api.get(path)

    assert response.status_code == 404
    assert path.split("/")[2] in response.json()["detail"]


async def test_pages_go_through_every_job_once(api: httpx.AsyncClient) -> None:
    for n in range(7):
        await registered(api, job_id=f"job-{n}", vm_context_id=f"ctx-{n}", volume_ids=[f"disk-{n}"])
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await api.get("/jobs", params={"limit": 3, **cursor})).json()
        seen += [job["job_id"] for job in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}

    assert seen == [f"job-{n}" for n in range(7)]


@pytest.mark.parametrize("cursor", ["%%%", "!", "AAAA*", "\u00bc", "0A", "7", "41" * 801])
async def test_an_invalid_cursor_is_refused(api: httpx.AsyncClient, cursor: str) -> None:
    response = await api.get("/jobs", params={"cursor": cursor})

    assert (response.status_code, "query.cursor" in response.json()["detail"]) == (422, True)


async def test_an_operators_decision_is_in_the_trail_with_who_and_why(api: httpx.AsyncClient) -> None:
    await registered(api)

    order = {"outcome": "fail", "who": "mara", "why": "VM deleted"}
    decided = await api.post("/jobs/job-1/decision", json=order, headers={"X-Request-Id": "ticket-17"})
    again = await api.post("/jobs/job-1/decision", json=order)

    assert (decided.status_code, decided.json()["state"], decided.json()["basis"]) == (200, "failed", None)
    assert (again.status_code, "is failed" in again.json()["detail"]) == (409, True)
    *_, event, released = (await api.get("/jobs/job-1/events")).json()["items"]
    assert (released["type"], released["stream_id"], released["actor"]) == ("JobReleased", "vm-context:ctx-1", "mara")
    assert (event["type"], event["data"]["who"], event["data"]["why"]) == ("OperatorDecided", "mara", "VM deleted")
    assert event["correlation_id"] == "request-ticket-17"


async def test_a_decision_needs_who_and_why(api: httpx.AsyncClient) -> None:
    await registered(api)

    for order in ({"outcome": "fail", "who": "mara"}, {"outcome": "fail", "why": "x"}, {"outcome": "retry"}):
        assert (await api.post("/jobs/job-1/decision", json=order)).status_code == 422


async def test_a_job_shows_its_last_poll(api: httpx.AsyncClient, vma: SimulatedVMA) -> None:
    vma.world.add_job("job-1", ["disk-1"], progress=41.0, duration=36_000)
    await registered(api)

    job = await eventually(api, "/jobs/job-1", vma_status="running")

    assert job["live"]["polls"] >= 1
    assert job["disks"][0]["volume_id"] == "disk-1"
    assert 40 <= job["progress_percent"] <= 43
    vma.world.finish("job-1")
    done = await eventually(api, "/jobs/job-1", state="completed")
    assert (done["basis"], done["progress_percent"]) == ("observed", 100.0)


async def test_a_dry_run_shows_what_it_would_decide_and_changes_nothing(
    api: httpx.AsyncClient, vma: SimulatedVMA
) -> None:
    vma.world.add_job("job-1", ["disk-1"], progress=41.0, duration=36_000)
    await registered(api)
    await eventually(api, "/jobs/job-1", vma_status="running")
    before = (await api.get("/jobs/job-1/events")).json()

    started = await api.post("/recovery-runs", json={"dry_run": True})
    path = f"/recovery-runs/{started.json()['run_id']}"
    await eventually(api, path, status="finished")

    made = (await api.get(f"{path}/decisions")).json()["items"]
    assert [(d["job_id"], d["rule"], d["outcome"]) for d in made] == [("job-1", "still-running", "resume")]
    assert started.status_code == 202
    run = (await api.get(path)).json()
    assert (run["dry_run"], run["settled"], run["outcomes"], run["rules"]) == (
        True,
        1,
        {"resume": 1},
        {"still-running": 1},
    )
    assert (run["resumed"], run["polled_again"], run["settled_elsewhere"]) == (1, None, 0)
    for question in (f"{path}/replay", f"{path}/export", f"/recovery-runs/compare?a={run['run_id']}&b=run-1"):
        refused = await api.get(question)
        assert (refused.status_code, "is a dry run, which stores no events" in refused.json()["detail"]) == (409, True)
    assert (await api.get("/jobs/job-1/events")).json()["items"][: len(before["items"])] == before["items"]
    assert "RecoveryStarted" not in str((await api.get("/jobs/job-1/events")).json())


async def test_a_requested_run_recovers_all_open_jobs(api: httpx.AsyncClient, vma: SimulatedVMA) -> None:
    vma.world.add_job("job-1", ["disk-1"], progress=41.0, duration=36_000)
    await registered(api)

    # The run does not end before the answer.
    vma.latency = 0.5
    started = await api.post("/recovery-runs", json={"dry_run": False})
    vma.latency = 0.0
    run = await eventually(api, f"/recovery-runs/{started.json()['run_id']}", status="finished")

    assert (run["cause"], run["rules"]) == ("operator", {"still-running": 1})
    assert (run["resumed"], run["polled_again"]) == (1, 1)
    assert started.json() | {"status": "running"} == started.json()
    assert started.json().keys() == run.keys()
    assert started.json()["started_at"] == run["started_at"]
    assert run["run_id"] in [r["run_id"] for r in (await api.get("/recovery-runs")).json()["items"]]


async def test_the_openapi_document_names_every_error(api: httpx.AsyncClient) -> None:
    document = (await api.get("http://localhost/openapi.json")).json()

    for path, calls in document["paths"].items():
        if path.startswith("/api/v1"):
            for call in calls.values():
                assert "422" in call["responses"], path
    assert "application/problem+json" in document["paths"]["/api/v1/jobs"]["post"]["responses"]["409"]["content"]


async def test_health_shows_a_vma_that_is_down_and_the_service_stays_ready(
    api: httpx.AsyncClient, vma: SimulatedVMA
) -> None:
    vma.faults.set("refuse")
    await registered(api, progress_percent=40)
    await eventually(api, "/jobs/job-1", state="pending-retry")

    health = (await api.get("http://localhost/health")).json()

    assert health["vmas"] == {"default": "open"}
    assert (health["jobs_waiting"], (await api.get("http://localhost/readyz")).json()["ready"]) == (1, True)
    assert (await api.get("http://localhost/livez")).json() == {"status": "alive"}


async def test_the_allow_header_names_every_method_of_a_path(api: httpx.AsyncClient) -> None:
    response = await api.delete("/jobs")

    assert (response.status_code, response.headers["allow"]) == (405, "GET, POST")


async def test_a_balancer_may_ask_by_head_and_gets_the_status_and_the_headers_of_get(api: httpx.AsyncClient) -> None:
    for path in ("livez", "readyz", "livez"):
        got, asked = [await ask(f"http://localhost/{path}") for ask in (api.get, api.head)]
        assert (asked.status_code, asked.headers) == (got.status_code, got.headers), path

    assert (await api.post("http://localhost/livez", json={})).headers["allow"] == "GET, HEAD"
    for path in ("health", "metrics", "api/v1/jobs"):
        assert (await api.head(f"http://localhost/{path}")).status_code == 405, path


@pytest.mark.parametrize("path", ["jobs/", "jobs/job-1/", "recovery-runs/", "audit/", "audit/seal/", "vm-contexts/"])
async def test_an_address_of_the_api_with_a_slash_at_its_end_is_unknown_and_leads_nowhere(
    api: httpx.AsyncClient, path: str
) -> None:
    await registered(api)

    answer = await api.get(f"/{path}")

    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert "location" not in answer.headers
    assert (await api.get("/jobs/job-1")).status_code == 200
    posted = await api.post("/jobs/", json={})
    assert posted.status_code == 404
