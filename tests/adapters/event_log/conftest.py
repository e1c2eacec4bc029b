"""Every test of the log runs on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.event_log.database_log import DatabaseEventLog
from tests.adapters.event_log.places import Place, PostgresPlace, SQLitePlace
from tests.support.postgres import new_schema


@pytest.fixture
def postgres() -> Iterator[PostgresPlace]:
    with new_schema() as schema:
        yield PostgresPlace(schema)


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "sqlite":
        return SQLitePlace(tmp_path / "events.sqlite")
    found: Place = request.getfixturevalue("postgres")
    return found


@pytest.fixture
def log(place: Place) -> Iterator[DatabaseEventLog]:
    opened = place.open()
    yield opened
    opened.close()
