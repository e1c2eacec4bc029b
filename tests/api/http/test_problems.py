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


NO_JSON = [
    (b'{"job_id": x}', "Expecting value at character 11"),
    (b'{"job_id": "a', "Unterminated string starting at character 11"),
    (b'{"job_id": "a\x01"}', "Invalid control character at character 13"),
    (b"{} {}", "Extra data at character 3"),
    (b"{", "Expecting property name enclosed in double quotes at character 1"),
]
AS_JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(("body", "reason"), NO_JSON)
async def test_a_body_that_is_no_json_has_the_reason_and_the_character(
    api: httpx.AsyncClient, body: bytes, reason: str
) -> None:
    response = await api.post("/jobs", content=body, headers=AS_JSON)

    assert response.status_code == 422
    assert response.json()["errors"] == [{"where": "body", "problem": f"the body is no JSON: {reason}"}]
    assert response.json()["detail"] == f"body: the body is no JSON: {reason}"


UNREADABLE = [
    (b'{"job_id": "\xff"}', "the body is not UTF-8: invalid start byte at byte 12"),
    (b"[" * 90_000, "the body is nested too deep"),
    (b'{"job_id": ' + b"1" * 5000 + b"}", "the body has an integer of more than 4300 digits"),
]


@pytest.mark.parametrize(("body", "reason"), UNREADABLE)
async def test_a_body_that_cannot_be_read_has_its_reason(api: httpx.AsyncClient, body: bytes, reason: str) -> None:
    response = await api.post("/jobs", content=body, headers=AS_JSON)

    assert (response.status_code, response.headers["content-type"]) == (400, "application/problem+json")
    assert response.json()["detail"] == reason


async def test_a_field_that_is_wrong_and_an_unknown_address_have_their_own_words(api: httpx.AsyncClient) -> None:
    shown = await refused(api, {**NEW, "job_id": 7})

    assert shown["detail"] == "body.job_id: Input should be a valid string"
    assert (await api.get("/nowhere")).json()["detail"] == "Not Found"


ID = "an id has printable characters only, no `/`, no blank at its ends, and is not `.` or `..`"
WRONG_VOLUMES: list[tuple[list[str], list[tuple[str, str]]]] = [
    (["a/b"], [("body.volume_ids.0", ID)]),
    (["a/b", "c/d"], [("body.volume_ids.0", ID), ("body.volume_ids.1", ID)]),
    (["disk-1", "a/b"], [("body.volume_ids.1", ID)]),
    ([], [("body.volume_ids", "Tuple should have at least 1 item after validation, not 0")]),
    (["disk-1", "disk-1"], [("body.volume_ids", "a volume is listed twice")]),
]


@pytest.mark.parametrize(("volumes", "errors"), WRONG_VOLUMES)
async def test_a_list_is_too_short_only_if_it_is_and_not_because_of_a_wrong_item(
    api: httpx.AsyncClient, volumes: list[str], errors: list[tuple[str, str]]
) -> None:
    shown = await refused(api, {**NEW, "volume_ids": volumes})

    assert [(one["where"], one["problem"]) for one in shown["errors"]] == errors
    assert shown["detail"] == "; ".join(f"{where}: {problem}" for where, problem in errors)


async def test_an_empty_list_is_named_beside_an_error_elsewhere(api: httpx.AsyncClient) -> None:
    shown = await refused(api, {**NEW, "job_id": "a/b", "volume_ids": []})

    assert [one["where"] for one in shown["errors"]] == ["body.job_id", "body.volume_ids"]


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
