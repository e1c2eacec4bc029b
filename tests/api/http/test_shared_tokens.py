"""Two services on one log, and commands on tokens: each of them admits and refuses by the same tokens."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.simulated_vma import SimulatedVMA
from api.cli.main import main
from tests.support import postgres
from tests.support.http_api import serving
from tests.support.postgres_relay import PostgresRelay

TRIES = 500
"""How often a request is made until it is answered as it must be."""

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Return the schema of a log that commands use as well."""
    with postgres.new_schema() as name:
        monkeypatch.setenv("JOB_RECOVERY_DATABASE_URL", postgres.SERVER)
        monkeypatch.setenv("JOB_RECOVERY_DATABASE_SCHEMA", name)
        monkeypatch.setenv("JOB_RECOVERY_DATA_DIR", str(tmp_path / "of-the-command"))
        yield name


@pytest.fixture
def relay() -> Iterator[PostgresRelay]:
    """Return what the second service reaches the database through."""
    with closing(PostgresRelay(postgres.port())) as before:
        yield before


@pytest.fixture
async def services(
    vma: SimulatedVMA, tmp_path: Path, schema: str, relay: PostgresRelay
) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    common: dict[str, Any] = {"database_schema": schema}
    through = postgres.url_to(relay.port)
    async with (
        serving(vma, tmp_path / "one", database_url=postgres.SERVER, **common) as one,
        serving(vma, tmp_path / "two", database_url=through, **common) as two,
    ):
        yield one, two


def create(name: str, capsys: Capture) -> dict[str, str]:
    """Create a token by the command line, and return the header with it."""
    capsys.readouterr()
    assert main(["token", "create", name, "--scope", "read"]) == 0
    return {"Authorization": f"Bearer {capsys.readouterr().out.strip()}"}


async def until(client: httpx.AsyncClient, headers: dict[str, str], status: int, path: str = "/jobs") -> None:
    for _ in range(TRIES):
        if (await client.get(path, headers=headers)).status_code == status:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"{client.base_url} does not answer with {status}")


async def test_what_a_command_does_to_a_token_is_so_at_every_service(
    services: tuple[httpx.AsyncClient, httpx.AsyncClient], capsys: Capture
) -> None:
    for client in services:
        assert (await client.get("/jobs")).status_code == 200, "no token was created yet"
    mara, tom = create("mara", capsys), create("tom", capsys)
    for client in services:
        await until(client, mara, 200)
        await until(client, {}, 401)

    assert main(["token", "revoke", "mara"]) == 0

    for client in services:
        await until(client, mara, 401)
        assert (await client.get("/jobs", headers=tom)).status_code == 200


async def test_a_service_that_has_lost_the_database_answers_those_that_it_knew(
    services: tuple[httpx.AsyncClient, httpx.AsyncClient], relay: PostgresRelay, capsys: Capture
) -> None:
    _, cut_off = services
    mara = create("mara", capsys)
    await until(cut_off, {}, 401)

    relay.close()
    await until(cut_off, mara, 503, "http://localhost/readyz")

    ready = (await cut_off.get("http://localhost/readyz", headers=mara)).json()
    assert (ready["ready"], len(ready["why"]), "send a token" in str(ready["why"])) == (False, 1, False)
    assert (await cut_off.get("/jobs", headers=mara)).status_code == 200
    assert (await cut_off.get("/jobs", headers={"Authorization": "Bearer jr_wrong"})).status_code == 401


@pytest.mark.usefixtures("schema")
def test_commands_say_whose_tokens_they_are_and_what_the_next_start_adopts(tmp_path: Path, capsys: Capture) -> None:
    create("mara", capsys)
    folder = tmp_path / "of-the-command"
    folder.mkdir()
    (folder / "tokens.json").write_text("[]")

    for line in (["list"], ["revoke", "mara"]):
        assert main(["token", *line]) == 0
        written = capsys.readouterr()
        assert "of the event log in schema jr_test_" in written.out
        assert f"the tokens in {folder} are not in the database until the service is started" in written.err


@pytest.mark.usefixtures("schema")
def test_a_start_that_other_machines_reach_without_a_token_is_refused(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOB_RECOVERY_HOST", "0.0.0.0")
    monkeypatch.setenv("JOB_RECOVERY_PORT", "0")

    assert main(["serve"]) == 2
    assert "without tokens only this machine is served" in capsys.readouterr().err
