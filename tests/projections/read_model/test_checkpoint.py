"""The checkpoint moves only from its own position, and only in its own version."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, update

from adapters.event_log.sqlite import sqlite3
from domain.events import Event, JobReleased
from projections.read_model import checkpoint, schema
from projections.read_model.checkpoint import START, Checkpoint
from projections.read_model.model_file import open_read_model
from projections.read_model.projector import Projector
from tests.support.builders import NOON
from tests.support.clock import FakeClock
from tests.support.harness import Harness, RecordingLog
from tests.support.memory_log import MemoryLog


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = open_read_model(tmp_path / "read_model.sqlite", sqlite3)
    yield opened
    opened.dispose()


def event(version: int) -> Event:
    return JobReleased(
        originator_id="vm-context:ctx-1",
        originator_version=version,
        recorded_at=NOON,
        correlation_id="c",
        causation_id="c",
        job_id="job-1",
    )


def where(engine: Engine) -> Checkpoint | None:
    with engine.connect() as connection:
        return checkpoint.read(connection)


def move(engine: Engine, position: int, to: int) -> bool:
    with engine.begin() as connection:
        return checkpoint.move(connection, position, (to, event(to)))


@pytest.mark.parametrize("elsewhere", [4, 6])
def test_the_checkpoint_moves_only_from_its_own_position(engine: Engine, elsewhere: int) -> None:
    assert move(engine, 0, 5)
    before = where(engine)

    assert not move(engine, elsewhere, 9)
    assert where(engine) == before == Checkpoint(5, f"vm-context:ctx-1#5 at {NOON.isoformat()}", schema.VERSION)
    assert move(engine, 5, 9)


@pytest.mark.parametrize("version", [schema.VERSION - 1, schema.VERSION + 1])
def test_the_checkpoint_of_another_version_does_not_move(engine: Engine, version: int) -> None:
    with engine.begin() as connection:
        connection.execute(update(schema.position).values(version=version))

    assert not move(engine, 0, 5)


@pytest.mark.parametrize("version", [schema.VERSION - 1, schema.VERSION + 1])
async def test_a_read_model_of_another_version_is_reset_whatever_its_columns(engine: Engine, version: int) -> None:
    """After an upgrade or a downgrade; the other version may have no column for the event."""
    harness = Harness(MemoryLog())
    await harness.job()
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE position")
        connection.exec_driver_sql(
            "CREATE TABLE position (name TEXT PRIMARY KEY, version INTEGER, notification_id INTEGER)"
        )
        connection.exec_driver_sql("INSERT INTO position VALUES ('read-model', ?, 1)", (version,))
    assert where(engine) == Checkpoint(1, None, version)

    projector = Projector(engine, harness.event_log, FakeClock(), RecordingLog())
    await projector.reset_if_outdated()

    assert where(engine) == START
    assert await projector.catch_up() == 2


def test_a_read_model_without_a_checkpoint_has_no_position(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(schema.position.delete())

    assert where(engine) is None
    assert not move(engine, 0, 5)


def test_the_checkpoints_of_other_read_models_do_not_change(engine: Engine) -> None:
    others = [("another-model", 3, 40), ("zzz-model", 1, 70)]
    with engine.begin() as connection:
        for name, version, position in others:
            row = {"name": name, "version": version, "notification_id": position}
            connection.execute(schema.position.insert().values(row))

    assert move(engine, 0, 5)

    found = where(engine)
    assert found is not None
    assert (found.position, found.version) == (5, schema.VERSION)
    with engine.connect() as connection:
        kept = connection.execute(select(schema.position).where(schema.position.c.name != checkpoint.NAME)).all()
    assert [tuple(row) for row in kept] == [(*other, None) for other in others]
