"""Authentication, scopes and rate limits."""

import json
import stat
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from adapters.host.tokens import TokenFile
from adapters.simulated_vma import SimulatedVMA
from adapters.tokens import Scope
from api.runtime.access import Access, Buckets
from domain.errors import InvalidInput, NotFound, StorageUnavailable
from tests.support.builders import NOON
from tests.support.http_api import serving

JOB = {"job_id": "job-1", "vm_name": "vm", "vm_context_id": "ctx-1", "volume_ids": ["disk-1"]}


@pytest.fixture
def tokens(tmp_path: Path) -> TokenFile:
    return TokenFile(tmp_path / "data")


@pytest.fixture
def secrets(tokens: TokenFile) -> dict[str, str]:
    return {scope.value: tokens.create(f"{scope.value}er", scope, NOON) for scope in Scope}


@pytest.fixture
async def guarded(vma: SimulatedVMA, tmp_path: Path, secrets: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(vma, tmp_path) as client:
        yield client


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


async def test_a_request_without_a_valid_token_is_refused(guarded: httpx.AsyncClient) -> None:
    for headers in ({}, bearer("jr_wrong"), {"Authorization": "Basic bWFyYQ=="}, {"Authorization": "Bearer"}):
        unversioned = (f"http://localhost/{path}" for path in ("metrics", "health", "openapi.json"))
        for path in ("/jobs", "/jobs/job-1", "/audit", "/nowhere", *unversioned):
            response = await guarded.get(path, headers=headers)

            assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer"), path
            assert response.headers["content-type"] == "application/problem+json"
    for path in ("livez", "readyz"):
        assert (await guarded.get(f"http://localhost/{path}")).status_code == 200


@pytest.mark.of_files("changes the file of the tokens")
async def test_readiness_tells_everybody_that_no_token_can_be_checked_until_they_can(
    guarded: httpx.AsyncClient, tokens: TokenFile, secrets: dict[str, str]
) -> None:
    kept = tokens._path.read_bytes()
    tokens._path.write_bytes(b"[half")
    damaged = (await guarded.get("http://localhost/readyz")).json()
    tokens._path.write_bytes(kept)
    repaired = (await guarded.get("http://localhost/readyz")).json()

    assert (damaged["ready"], len(damaged["degraded"])) == (True, 1)
    assert "every call is refused: the tokens in " in damaged["degraded"][0]
    assert repaired["degraded"] == []
    assert (await guarded.get("/jobs", headers=bearer(secrets["read"]))).status_code == 200


async def test_a_token_with_the_scope_read_cannot_write(guarded: httpx.AsyncClient, secrets: dict[str, str]) -> None:
    reader = bearer(secrets["read"])
    calls: list[tuple[str, dict[str, object]]] = [
        ("/jobs", dict(JOB)),
        ("/jobs/job-1/decision", {"outcome": "fail", "who": "a", "why": "b"}),
        ("/recovery-runs", {"dry_run": True}),
        ("/telemetry/replication/job-1", {"status": "completed", "timestamp": "2025-10-03T14:00:00Z"}),
        ("/jobs", {"not": "even valid"}),
    ]
    for path, body in calls:
        refused = await guarded.post(path, json=body, headers=reader)
        assert refused.status_code == 403, path
        assert "has the scope read; this needs operate" in refused.json()["detail"]

    assert (await guarded.get("/jobs", headers=reader)).json()["items"] == []
    assert (await guarded.get("/audit", params={"actor": "reader"}, headers=reader)).json()["items"] == []


OTHER_TYPES = ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data", None]


@pytest.mark.parametrize("media_type", OTHER_TYPES)
async def test_a_command_that_is_not_declared_as_json_is_415_and_changes_nothing(
    guarded: httpx.AsyncClient, secrets: dict[str, str], media_type: str | None
) -> None:
    headers = bearer(secrets["operate"]) | ({"Content-Type": media_type} if media_type else {})

    for path in ("/jobs", "/jobs/job-1/decision", "/recovery-runs"):
        refused = await guarded.post(path, content=json.dumps(JOB), headers=headers)

        assert (refused.status_code, refused.headers["content-type"]) == (415, "application/problem+json"), path
        assert refused.json()["detail"] == "only JSON is accepted: send `Content-Type: application/json`"
    assert (await guarded.get("/jobs", headers=headers)).json()["items"] == []


async def test_a_body_of_unknown_length_has_to_be_declared_as_json_too(
    guarded: httpx.AsyncClient, secrets: dict[str, str]
) -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield json.dumps(JOB).encode()

    headers = bearer(secrets["operate"])
    form = await guarded.post("/jobs", content=parts(), headers=headers | {"Content-Type": "text/plain"})
    as_json = await guarded.post("/jobs", content=parts(), headers=headers | {"Content-Type": "application/json"})

    assert (form.status_code, as_json.status_code) == (415, 201)


async def test_only_who_may_make_a_command_is_told_its_media_type(
    guarded: httpx.AsyncClient, secrets: dict[str, str]
) -> None:
    for headers, status in (({}, 401), (bearer(secrets["read"]), 403)):
        refused = await guarded.post("/jobs", content=b"{}", headers=headers | {"Content-Type": "text/plain"})

        assert refused.status_code == status


@pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", "application/vnd.worker+json"])
async def test_a_report_with_a_token_may_have_another_type_of_json(
    guarded: httpx.AsyncClient, secrets: dict[str, str], media_type: str
) -> None:
    operator = bearer(secrets["operate"])
    await guarded.post("/jobs", json=JOB, headers=operator)
    headers = operator | {"Content-Type": media_type}

    sent = await guarded.post("/telemetry/replication/job-1", content=b'{"status": "in_progress"}', headers=headers)

    assert sent.status_code == 200


@pytest.mark.parametrize("media_type", OTHER_TYPES)
async def test_a_report_with_a_token_is_never_415(
    guarded: httpx.AsyncClient, secrets: dict[str, str], media_type: str | None
) -> None:
    headers = bearer(secrets["operate"]) | ({"Content-Type": media_type} if media_type else {})

    sent = await guarded.post("/telemetry/replication/job-1", content=b'{"status": "in_progress"}', headers=headers)

    assert sent.status_code == 422


async def test_a_command_without_a_body_is_told_that_it_needs_one(
    guarded: httpx.AsyncClient, secrets: dict[str, str]
) -> None:
    refused = await guarded.post("/recovery-runs", headers=bearer(secrets["operate"]))

    assert (refused.status_code, refused.json()["detail"]) == (422, "body: Field required")


async def test_the_actor_of_a_command_is_the_token_that_made_it(
    guarded: httpx.AsyncClient, secrets: dict[str, str]
) -> None:
    operator = bearer(secrets["operate"])
    await guarded.post("/jobs", json=JOB, headers=operator)
    await guarded.post("/jobs/job-1/decision", json={"outcome": "fail", "who": "x", "why": "y"}, headers=operator)

    entries = (await guarded.get("/audit", params={"actor": "operateer"}, headers=operator)).json()["items"]

    assert {entry["type"] for entry in entries} >= {"JobRegistered", "JobAdmitted", "OperatorDecided", "JobReleased"}


@pytest.mark.of_files("changes the file of the tokens")
async def test_only_an_admin_can_list_the_tokens_and_never_their_secrets(
    guarded: httpx.AsyncClient, secrets: dict[str, str], tokens: TokenFile
) -> None:
    assert (await guarded.get("/tokens", headers=bearer(secrets["operate"]))).status_code == 403

    listed = await guarded.get("/tokens", headers=bearer(secrets["admin"]))

    assert [token["scope"] for token in listed.json()["items"]] == ["admin", "operate", "read"]
    stored = tokens._path.read_text()
    for secret in secrets.values():
        assert secret not in listed.text
        assert secret not in stored


@pytest.mark.of_files("changes the file of the tokens")
async def test_a_revoked_token_is_refused_at_the_next_request(
    guarded: httpx.AsyncClient, secrets: dict[str, str], tokens: TokenFile
) -> None:
    assert (await guarded.get("/jobs", headers=bearer(secrets["read"]))).status_code == 200

    tokens.revoke("reader")

    assert (await guarded.get("/jobs", headers=bearer(secrets["read"]))).status_code == 401


async def test_guessing_tokens_does_not_limit_others(guarded: httpx.AsyncClient, secrets: dict[str, str]) -> None:
    for n in range(100):
        assert (await guarded.get("/jobs", headers=bearer(f"jr_guess-{n}"))).status_code == 401

    assert (await guarded.get("/jobs", headers=bearer(secrets["read"]))).status_code == 200


def test_only_the_owner_can_read_the_token_file_and_names_are_unique(tokens: TokenFile) -> None:
    secret = tokens.create("mara", Scope.READ, NOON)

    assert stat.S_IMODE(tokens._path.stat().st_mode) == 0o600
    assert (tokens.find(secret), tokens.find(secret + "x")) == (tokens.all()[0], None)
    with pytest.raises(InvalidInput, match="there is a token named 'mara'"):
        tokens.create("mara", Scope.ADMIN, NOON)
    with pytest.raises(NotFound, match="no token named 'tom'"):
        tokens.revoke("tom")


@pytest.mark.parametrize("damage", [b'[{"name": "x"}]', b'[{"name": "\xff"}]', b"[" * 100_000])
def test_with_a_damaged_token_file_every_request_is_refused(tokens: TokenFile, damage: bytes) -> None:
    tokens.create("mara", Scope.READ, NOON)
    tokens._path.write_bytes(damage)

    with pytest.raises(StorageUnavailable, match=r"tokens\.json cannot be read"):
        Access(tokens, Buckets(0, time.monotonic), None, on_loopback=True).caller(None)


@pytest.mark.of_files("changes the file of the tokens")
async def test_a_damaged_token_file_is_reported_to_the_caller(
    guarded: httpx.AsyncClient, secrets: dict[str, str], tokens: TokenFile
) -> None:
    tokens._path.write_bytes(b'[{"name": "\xff"}]')

    refused = await guarded.get("/jobs", headers=bearer(secrets["read"]))

    assert (refused.status_code, refused.headers["content-type"]) == (503, "application/problem+json")
    assert "tokens.json cannot be read" in refused.json()["detail"]


@pytest.mark.of_files("changes the file of the tokens")
async def test_while_the_token_file_is_missing_every_request_is_refused(
    guarded: httpx.AsyncClient, secrets: dict[str, str], tokens: TokenFile
) -> None:
    kept = tokens._path.rename(tokens._path.with_suffix(".backup"))
    for headers in ({}, bearer(secrets["admin"])):
        refused = await guarded.get("/jobs", headers=headers)

        assert refused.status_code == 503
        assert "are lost, and all requests are refused: restore that file from a backup" in refused.json()["detail"]

    kept.rename(tokens._path)

    assert (await guarded.get("/jobs", headers=bearer(secrets["read"]))).status_code == 200


def test_a_missing_token_file_is_noticed_after_a_restart_until_tokens_made_is_deleted(tmp_path: Path) -> None:
    TokenFile(tmp_path).create("mara", Scope.READ, NOON)
    (tmp_path / "tokens.json").unlink()
    for use in (TokenFile.all, lambda tokens: tokens.create("tom", Scope.ADMIN, NOON)):
        with pytest.raises(StorageUnavailable, match=r"delete .*tokens\.made and create new ones"):
            use(TokenFile(tmp_path))

    (tmp_path / "tokens.made").unlink()
    TokenFile(tmp_path).create("tom", Scope.ADMIN, NOON)

    assert [token.name for token in TokenFile(tmp_path).all()] == ["tom"]


def test_a_running_service_is_closed_by_the_first_token_and_not_opened_when_its_files_are_deleted(
    tmp_path: Path,
) -> None:
    running = Access(TokenFile(tmp_path), Buckets(0, time.monotonic), None, on_loopback=True)
    before = running.is_open

    TokenFile(tmp_path).create("mara", Scope.READ, NOON)
    with_a_token = running.is_open
    for file in ("tokens.json", "tokens.made"):
        (tmp_path / file).unlink()

    assert (before, with_a_token, running.is_open) == (True, False, False)
    assert Access(TokenFile(tmp_path), Buckets(0, time.monotonic), None, on_loopback=True).is_open


@pytest.mark.parametrize("name", ["job-recovery", "local", "Local", "JOB-RECOVERY"])
async def test_names_of_the_service_itself_are_reserved(api: httpx.AsyncClient, tokens: TokenFile, name: str) -> None:
    with pytest.raises(InvalidInput, match="is reserved"):
        tokens.create(name, Scope.READ, NOON)
    await api.post("/jobs", json=JOB)

    refused = await api.post("/jobs/job-1/decision", json={"outcome": "fail", "who": f" {name} ", "why": "y"})

    assert (refused.status_code, "is reserved" in refused.json()["detail"]) == (422, True)
    assert (await api.get("/jobs/job-1")).json()["state"] != "failed"
