"""Problem details are short, whatever the request."""

import json
from typing import Any

import httpx
import pytest

from api.http.app import openapi_document

NEW = {"job_id": "job-1", "vm_name": "vm", "volume_ids": ["disk-1"]}


async def refused(api: httpx.AsyncClient, body: dict[str, Any]) -> dict[str, Any]:
    response = await api.post("/jobs", json=body)
    assert response.status_code == 422
    assert len(response.content) < 50_000
    shown: dict[str, Any] = response.json()
    return shown


async def test_of_thousands_of_errors_the_first_are_listed_and_the_others_counted(api: httpx.AsyncClient) -> None:
    shown = await refused(api, {**NEW, **{f"unknown-{n}": n for n in range(1900)}})

    assert len(shown["errors"]) == 10
    assert shown["errors"][0]["where"] == "body.unknown-0"
    assert shown["detail"].startswith("1900 errors, of which the first 10 are: body.unknown-0: ")


async def test_a_body_with_too_many_fields_is_refused_before_it_is_parsed(
    api: httpx.AsyncClient,
) -> None:
    response = await api.post("/jobs", json={f"unknown-{n}": n for n in range(2001)})

    assert response.status_code == 413
    assert response.json()["detail"] == "the body has more than 2000 fields"


async def test_ten_errors_are_listed_without_a_count(api: httpx.AsyncClient) -> None:
    shown = await refused(api, {**NEW, **{f"unknown-{n}": n for n in range(10)}})

    assert len(shown["errors"]) == 10
    assert shown["detail"].startswith("body.unknown-0: ")


@pytest.mark.parametrize("part", ["x", "/", "//@"])
async def test_the_name_of_an_unknown_field_is_cut(api: httpx.AsyncClient, part: str) -> None:
    shown = await refused(api, {**NEW, part * (90_000 // len(part)): 1})

    assert len(shown["errors"][0]["where"]) <= 1000


async def test_a_secret_is_redacted_before_a_name_is_cut(api: httpx.AsyncClient) -> None:
    name = "x" * 975 + " http://oma:hunter2-canary@vma/"

    assert "hunter2" not in json.dumps(await refused(api, {**NEW, name: 1}))


async def test_a_long_path_is_cut_and_a_short_one_is_not(api: httpx.AsyncClient) -> None:
    long = (await api.get(f"http://localhost/{'/' * 60_000}")).json()
    short = (await api.get("/jobs/nobody")).json()

    assert len(long["instance"]) == 4000
    assert short["instance"] == "/api/v1/jobs/nobody"


async def test_the_document_is_built_once(api: httpx.AsyncClient) -> None:
    assert isinstance(api._transport, httpx.ASGITransport)
    app: Any = api._transport.app

    assert app.openapi() is app.openapi()


async def test_the_document_of_a_service_names_its_vmas_and_is_the_published_one_otherwise(
    api: httpx.AsyncClient,
) -> None:
    document = (await api.get("http://localhost/openapi.json")).json()

    vma = document["components"]["schemas"]["NewJob"]["properties"]["vma"]
    assert vma["anyOf"][0] == {"type": "string", "enum": ["default"]}
    published = openapi_document()
    vma["anyOf"] = published["components"]["schemas"]["NewJob"]["properties"]["vma"]["anyOf"]
    assert document == published
