"""Without tokens, cross-site requests of a browser are refused, and those of the operator are not."""

import httpx
import pytest

from api.http.origin import is_loopback_name

RUNS = "http://localhost/api/v1/recovery-runs"


async def runs_of_operators(api: httpx.AsyncClient) -> list[str]:
    runs = (await api.get("/recovery-runs")).json()["items"]
    return [run["run_id"] for run in runs if run["cause"] == "operator"]


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8082", "127.0.0.1:8082", "127.9.9.9", "[::1]:8082", "LOCALHOST"]
)
async def test_this_machine_is_served_by_its_own_names(api: httpx.AsyncClient, host: str) -> None:
    assert (await api.get("/jobs", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8082",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "localhost@evil.example",
        "10.0.0.1",
        "0.0.0.0",
        "[::]",
        "[fe80::1]",
        "[::1",
        "",
        "127.1",
        "localhost:8082:1",
        "localhost/",
        "evil.example@localhost",
    ],
)
async def test_a_request_with_another_host_is_refused_and_changes_nothing(api: httpx.AsyncClient, host: str) -> None:
    refused = await api.post(RUNS, json={}, headers={"Host": host})

    assert refused.status_code == 403
    assert refused.headers["content-type"] == "application/problem+json"
    assert "without tokens only this machine is served" in refused.json()["detail"]
    assert await runs_of_operators(api) == []


def test_a_name_with_an_invalid_port_is_no_loopback_name() -> None:
    assert not is_loopback_name("evil.example:99999")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:3000"},
        {"Origin": "https://localhost"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_a_page_of_another_site_is_refused(api: httpx.AsyncClient, headers: dict[str, str]) -> None:
    for path in ("/jobs", "http://localhost/livez", "http://localhost/metrics"):
        refused = await api.get(path, headers=headers)

        assert (refused.status_code, "a page of another site" in refused.json()["detail"]) == (403, True), path


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "http://localhost"}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}],
)
async def test_the_services_own_page_and_the_user_are_admitted(api: httpx.AsyncClient, headers: dict[str, str]) -> None:
    assert (await api.post(RUNS, json={"dry_run": True}, headers=headers)).status_code == 202


@pytest.mark.parametrize("media_type", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_a_post_that_any_page_could_send_is_refused(api: httpx.AsyncClient, media_type: str | None) -> None:
    headers = {"Content-Type": media_type} if media_type else {}

    refused = await api.post(RUNS, content=b"" if media_type is None else b"{}", headers=headers)

    assert (refused.status_code, refused.headers["content-type"]) == (415, "application/problem+json")
    assert "send `Content-Type: application/json`" in refused.json()["detail"]
    assert await runs_of_operators(api) == []


async def test_json_with_a_character_set_is_accepted(api: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8"}

    assert (await api.post(RUNS, content=b'{"dry_run": true}', headers=headers)).status_code == 202
