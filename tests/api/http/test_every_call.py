"""Access to every route, with every method, by every kind of caller."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.host.tokens import TokenFile
from adapters.simulated_vma import SimulatedVMA
from adapters.tokens import Scope
from api.http.console import PAGES
from tests.support.builders import NOON
from tests.support.http_api import PUBLISHED_PATHS, serving

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
READING = {"GET", "HEAD", "OPTIONS"}
CONSOLE = {*PAGES, "/assets/{name}"}
FOR_EVERYBODY = {"/livez", "/readyz", *CONSOLE}
NOT_IN_THE_DOCUMENT = {path: {"GET", "HEAD"} for path in ("/openapi.json", *CONSOLE)}
GONE = {"/docs", "/redoc", "/docs/oauth2-redirect"}

ALLOWED: dict[str, set[str]] = {
    **{path: {method.upper() for method in item} for path, item in PUBLISHED_PATHS.items()},
    **NOT_IN_THE_DOCUMENT,
    **{path: set() for path in GONE},
}
"""The methods of every path."""

ANSWERS = {200, 202, 404, 409, 422}
"""Statuses of an admitted request with an empty body and unknown ids."""

FOREIGN: dict[str, dict[str, str]] = {
    "foreign Host": {"Host": "rebound.example:8082"},
    "foreign Origin": {"Origin": "http://elsewhere.example"},
}
CALLERS = ("none", "wrong", *Scope, *FOREIGN)


@pytest.fixture
async def guarded(vma: SimulatedVMA, tmp_path: Path) -> AsyncIterator[dict[str, httpx.AsyncClient]]:
    """Return a client for each kind of caller, of a service that requires tokens."""
    tokens = TokenFile(tmp_path / "data")
    secrets = {scope.value: tokens.create(f"{scope.value}er", scope, NOON) for scope in Scope}
    async with serving(vma, tmp_path) as client:
        clients = {"none": client}
        for name, secret in {"wrong": "jr_wrong", **secrets}.items():
            clients[name] = httpx.AsyncClient(
                transport=client._transport,
                base_url=client.base_url,
                headers={"Authorization": f"Bearer {secret}"},
            )
        yield clients


def path_of(template: str) -> str:
    """Fill in unknown ids. A negative position ends the live stream before it begins."""
    filled = template.replace("{job_type}", "replication").replace("{position}", "999999")
    while "{" in filled:
        filled = filled[: filled.index("{")] + "nothing" + filled[filled.index("}") + 1 :]
    return f"http://localhost{filled}" + ("?after=-1" if filled.endswith("/stream") else "")


def expected(path: str, method: str, caller: str) -> set[int]:
    """Return the permitted statuses of a request, by the rules of docs/security.md."""
    guarded = path not in FOR_EVERYBODY | GONE
    wanted = "read" if method in READING else "operate"
    if path == "/api/v1/tokens":
        wanted = "admin"
    if caller in FOREIGN:
        return {403}
    if guarded and caller in {"none", "wrong"}:
        return {401}
    if guarded and list(Scope).index(Scope(caller)) < list(Scope).index(Scope(wanted)):
        return {403}
    if path in GONE:
        return {404}
    return ANSWERS if method in ALLOWED[path] else {405}


async def call(client: httpx.AsyncClient, method: str, path: str, **headers: str) -> int:
    body: Any = {"json": {}} if method not in READING else {}
    response = await client.request(method, path_of(path), headers=headers, **body)
    return response.status_code


async def test_every_request_is_admitted_or_refused_by_the_rules(guarded: dict[str, httpx.AsyncClient]) -> None:
    wrong = []
    for path in ALLOWED:
        for method in METHODS:
            for caller, client in guarded.items():
                status = await call(client, method, path)
                if status not in expected(path, method, caller):
                    wrong.append((path, method, caller, status))

    assert wrong == []


async def test_a_page_of_another_site_cannot_call_an_open_service(api: httpx.AsyncClient) -> None:
    wrong = []
    for path in ALLOWED:
        for method in METHODS:
            for caller, headers in FOREIGN.items():
                status = await call(api, method, path, **headers)
                if status not in expected(path, method, caller):
                    wrong.append((path, method, caller, status))

    assert wrong == []


def test_the_table_is_as_large_as_it_says() -> None:
    assert len(ALLOWED) * len(METHODS) * len(CALLERS) >= 2200
