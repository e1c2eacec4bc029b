"""A password may have any character, and appears nowhere."""

import traceback

import pytest

from adapters.event_log.postgres_store import PostgresEventLog, database_of
from adapters.event_log.postgres_url import parameters_of, place_of
from domain.errors import StorageUnavailable
from tests.adapters.event_log.places import PostgresPlace, registered, verify
from tests.support import postgres as server

PASSWORD = "p@s%s/#?:ü"
ENCODED = "p%40s%25s%2F%23%3F:%C3%BC"


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://zachariah:{ENCODED}@db.example:5433/jobs",
        f"postgres://zachariah:{ENCODED}@db.example:5433/jobs",
        f"postgresql://db.example:5433/jobs?user=zachariah&password={ENCODED}",
        f"host=db.example port=5433 user=zachariah dbname=jobs password={PASSWORD}",
        f"host=db.example port=5433 user=zachariah dbname=jobs password='{PASSWORD}'",
    ],
)
def test_a_password_of_any_characters_is_read_from_every_form(url: str) -> None:
    found = parameters_of(url)

    assert found == {"host": "db.example", "port": "5433", "user": "zachariah", "dbname": "jobs", "password": PASSWORD}
    assert place_of(found, "here") == "in schema here of jobs at db.example:5433"


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://zachariah:{PASSWORD}@db/jobs",
        "postgresql://zachariah:hidden@hidden@db/jobs",
        "postgresql://zachariah:hidden/x@db/jobs",
        "postgresql://zachariah:hidden?x@db/jobs",
        "postgresql://zachariah:hidden#x@db/jobs",
        "postgresql://zachariah:hidden%zz@db/jobs",
        "postgresql://zachariah:hidden:x/y",
        "mysql://zachariah:hidden@db/jobs",
        "hidden",
        "host=db hidden",
        "host=db hidden=1",
        "postgresql://zachariah:hidden@db/jobs?hidden=1",
        "postgresql://zachariah:hi%00dden@db/jobs",
        "host=db port=hidden",
        "",
    ],
)
def test_what_cannot_be_read_is_refused_without_quoting_it(url: str) -> None:
    with pytest.raises(ValueError, match="postgresql://USER:PASSWORD@HOST:PORT/DATABASE") as refused:
        parameters_of(url)

    told = "".join(traceback.format_exception(refused.value))
    assert "hidden" not in told.replace("hidden in told", "")
    assert "p@s" not in told


def test_an_error_of_a_connection_shows_neither_user_nor_password() -> None:
    url = f"postgresql://zachariah:{ENCODED}@127.0.0.1:1/jobs"

    with pytest.raises(StorageUnavailable) as refused:
        PostgresEventLog(url, "here", patience=0)

    message = str(refused.value)
    assert message.startswith("the event log in schema here of jobs at 127.0.0.1:1 cannot be opened: connection ")
    shown = "".join(traceback.format_exception(refused.value)) + repr(database_of(url, "here"))
    assert [secret for secret in (PASSWORD, ENCODED, "zachariah") if secret in shown] == []


async def test_a_role_with_such_a_password_can_use_the_log(postgres: PostgresPlace) -> None:
    role = f"{postgres.schema}_role"
    server.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'")
    server.execute(f"CREATE SCHEMA {postgres.schema} AUTHORIZATION {role}")
    try:
        place = PostgresPlace(postgres.schema, server.url_to(server.port(), user=role, password=PASSWORD))
        log = place.open()
        assert await log.append(registered("job-1")) == 1
        log.close()
        assert verify(place).events == 1
    finally:
        server.execute(f"DROP SCHEMA {postgres.schema} CASCADE")
        server.execute(f"DROP ROLE {role}")
