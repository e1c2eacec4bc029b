"""No route ignores a query parameter that it does not have."""

import re
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from api.http.parameters import CheckedRoute
from tests.support.http_api import PUBLISHED_PATHS, registered

HTTP = httpx.AsyncClient


@pytest.fixture(scope="module")
async def api(shared_api: HTTP) -> HTTP:
    """Serve one job."""
    await registered(shared_api)
    return shared_api


CALLS = [
    (method, path)
    for path, methods in [
        *((path, list(item)) for path, item in PUBLISHED_PATHS.items()),
        ("/openapi.json", ["get", "head"]),
    ]
    for method in methods
]


@pytest.mark.parametrize(("method", "path"), CALLS)
async def test_every_route_refuses_an_unknown_parameter_and_names_it(api: HTTP, method: str, path: str) -> None:
    filled = re.sub(r"{\w+}", "1", path.replace("{job_type}", "replication"))
    body: dict[str, Any] = {"json": {}} if method == "post" else {}

    answer = await api.request(method, f"http://localhost{filled}", params={"zzz-unheard-of": "1"}, **body)

    assert answer.status_code == 422
    if method != "head":
        assert answer.headers["content-type"] == "application/problem+json"
        assert [one["where"] for one in answer.json()["errors"]] == ["query.zzz-unheard-of"]


NEAREST = [
    ("/jobs", "sate", "state"),
    ("/jobs", "State", "state"),
    ("/jobs", "status", "state"),
    ("/jobs", "context", "vm_context_id"),
    ("/jobs/job-1", "as-known", "as_known"),
    ("/audit", "job", "job_id"),
    ("/audit", "run", "run_id"),
    ("/audit", "since", "from"),
    ("/audit/export", "formt", "format"),
    ("/events/stream", "afer", "after"),
    ("/events/stream", "job", "job_id"),
    ("/recovery-runs/what-if", "complete_over_percent", "complete_above_percent"),
    ("/recovery-runs/what-if", "since", "from"),
]


@pytest.mark.parametrize(("path", "given", "nearest"), NEAREST)
async def test_the_nearest_parameter_of_the_route_is_named(api: HTTP, path: str, given: str, nearest: str) -> None:
    answer = await api.get(path, params={given: "1"})

    assert answer.status_code == 422
    assert answer.json()["detail"] == f"query.{given}: unknown parameter: did you mean '{nearest}'?"


async def test_a_parameter_of_another_route_is_not_proposed(api: HTTP) -> None:
    runs = (await api.get("/recovery-runs", params={"job": "job-1"})).json()["detail"]
    alive = (await api.get("http://localhost/livez", params={"state": "failed"})).json()["detail"]

    assert runs == "query.job: unknown parameter: there are cursor, limit"
    assert alive == "query.state: unknown parameter: this address has none"


async def test_a_parameter_that_is_no_list_is_refused_the_second_time(api: HTTP) -> None:
    for path, name, value in (
        ("/jobs", "limit", "5"),
        ("/audit", "order", "oldest"),
        ("/jobs/job-1", "version", "1"),
        ("/recovery-runs/what-if", "complete_above_percent", "95"),
    ):
        once = await api.get(path, params=[(name, value)])
        twice = await api.get(path, params=[(name, value), (name, value)])

        assert (once.status_code, twice.status_code) == (200, 422), path
        assert twice.json()["detail"] == f"query.{name}: given 2 times, but it has one value: give it once"


NOT_UTF_8 = [
    ("/audit?actor=%ff", ["query.actor"]),
    ("/audit?actor=mara&actor=%C3&actor=%ff&job_id=%E2%82", ["query.actor", "query.job_id"]),
    ("/audit?%ff=1", ["query.\N{REPLACEMENT CHARACTER}"]),
    ("/jobs?at=%ED%A0%80", ["query.at"]),
    ("/jobs/%ff", ["path.job_id"]),
    ("/jobs/job-1%C3?version=%ff", ["path.job_id", "query.version"]),
    ("/recovery-runs/%c0%af/replay", ["path.run_id"]),
    ("http://localhost/livez?%ff", ["query.\N{REPLACEMENT CHARACTER}"]),
]


@pytest.mark.parametrize(("address", "named"), NOT_UTF_8)
async def test_a_value_that_is_not_utf8_is_refused_and_named(api: HTTP, address: str, named: list[str]) -> None:
    answer = await api.get(address)

    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert answer.json()["errors"] == [{"where": where, "problem": "the value is not UTF-8"} for where in named]


async def test_a_command_at_an_address_that_is_not_utf8_is_refused(api: HTTP) -> None:
    answer = await api.post("/jobs/%ff/decision", json={"outcome": "fail", "who": "mara", "why": "gone"})

    assert (answer.status_code, answer.json()["detail"]) == (422, "path.job_id: the value is not UTF-8")


async def test_letters_beyond_ascii_and_the_replacement_character_are_values_as_any_other(api: HTTP) -> None:
    for address, status in (
        ("/audit?actor=J%C3%B6rg", 200),
        ("/audit?actor=%F0%9F%99%82&actor=%EF%BF%BD", 200),
        ("/audit?actor=100%", 200),
        ("/jobs/%E6%97%A5", 404),
        ("/jobs/%EF%BF%BD", 404),
    ):
        assert (await api.get(address)).status_code == status, address


async def test_of_thousands_of_unknown_parameters_the_first_are_listed(api: HTTP) -> None:
    answer = await api.get("/jobs", params={f"stat{n}": "1" for n in range(5000)})

    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(
        "5000 errors, of which the first 10 are: query.stat0: unknown parameter: did"
    )
    assert len(answer.json()["errors"]) == 10


async def test_the_declared_parameters_are_taken_as_before(api: HTTP) -> None:
    for path, query in (
        ("/jobs", {"state": "replicating", "limit": "5", "at": "2100-01-01"}),
        ("/jobs/job-1/diff", {"from": "1", "to": "1"}),
        ("/audit", {"job_id": "job-1", "from": "2000-01-01", "to": "2100-01-01", "order": "oldest"}),
        ("/recovery-runs/what-if", {"complete_above_percent": "95", "from": "2000-01-01"}),
        ("http://localhost/livez", {}),
    ):
        assert (await api.get(path, params=query)).status_code == 200, path


async def test_a_route_is_analysed_at_its_first_request_and_the_others_are_not() -> None:
    async def answered(n: int) -> int:
        return n

    asked, other = (CheckedRoute(path, answered, methods=["GET"]) for path in ("/asked", "/other"))
    app = FastAPI(openapi_url=None)
    app.router.routes.extend([asked, other])

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        refused = await client.post("/asked")
        assert "dependant" not in vars(asked)
        answers = [(await client.get("/asked", params={"n": n})).json() for n in (1, 2)]

    assert (refused.status_code, answers) == (405, [1, 2])
    assert ("dependant" in vars(asked), "dependant" in vars(other)) == (True, False)
    with pytest.raises(AttributeError, match="unheard_of"):
        asked.unheard_of  # noqa: B018 - the access is what fails
