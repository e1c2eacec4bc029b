"""A copy whose connection is lost says in one line what to do, and the same command completes it."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.cli.main import main
from tests.adapters.event_log.places import PostgresPlace, SQLitePlace, opened, registered
from tests.support import postgres
from tests.support.postgres_relay import ANSWER, REQUEST, PostgresRelay

Capture = pytest.CaptureFixture[str]

AGAIN = "run the same command again"


@pytest.fixture
def schema() -> Iterator[str]:
    with postgres.new_schema() as name:
        yield name


@pytest.fixture
def relay() -> Iterator[PostgresRelay]:
    passing = PostgresRelay(postgres.port())
    yield passing
    passing.close()


def write(place: SQLitePlace | PostgresPlace) -> None:
    async def write_all() -> None:
        with opened(place) as log:
            for n in range(5):
                await log.append(registered(f"job-{n}"))

    asyncio.run(write_all())


def refusal(line: list[str], capsys: Capture) -> str:
    """Copy in vain; return the one line on standard error."""
    assert main(line) == 1
    (why,) = capsys.readouterr().err.splitlines()
    return str(why)


def check_completed(line: list[str], capsys: Capture) -> None:
    """Check that the same command does the rest, and that it has then nothing to do."""
    assert main(line) == 0
    assert "both logs verified, 5 events up to the seal 5:" in capsys.readouterr().out
    assert main(line) == 0
    assert "0 events copied; both logs verified, 5 events" in capsys.readouterr().out


@pytest.mark.parametrize("lost", [REQUEST, ANSWER])
def test_the_target_is_lost(lost: str, relay: PostgresRelay, schema: str, tmp_path: Path, capsys: Capture) -> None:
    write(SQLitePlace(tmp_path / "events.sqlite"))
    target = ["--to", postgres.url_to(relay.port), "--to-schema", schema]
    line = ["copy", "--from", f"sqlite:///{tmp_path}/events.sqlite", *target]
    relay.lose(lost, of="job-4")

    why = refusal(line, capsys)

    assert AGAIN in why
    check_completed(line, capsys)


def test_the_source_goes_silent(relay: PostgresRelay, schema: str, tmp_path: Path, capsys: Capture) -> None:
    write(PostgresPlace(schema))
    source = ["--from", postgres.url_to(relay.port), "--from-schema", schema]
    line = ["copy", *source, "--to", f"sqlite:///{tmp_path}/b.sqlite"]
    relay.go_silent()

    why = refusal(line, capsys)

    assert AGAIN in why
    relay.resume()
    check_completed(line, capsys)
