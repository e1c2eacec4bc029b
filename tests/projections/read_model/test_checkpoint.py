"""The checkpoint moves only from its own position, and only in its own version."""

import pytest
from sqlalchemy import Engine, select

from domain.events import Event, JobReleased
from projections.read_model import checkpoint, schema
from projections.read_model.checkpoint import START, Checkpoint
from projections.read_model.model_file import request_rebuild
from projections.read_model.projector import Projector
from tests.support.builders import NOON
from tests.support.clock import FakeClock
from tests.support.harness import Harness, RecordingLog
from tests.support.memory_log import MemoryLog


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
    assert where(engine) == before == Checkpoint(5, f"vm-context:ctx-1#5 at {NOON.isoformat()}")
    assert move(engine, 5, 9)


def test_the_checkpoint_of_a_discarded_read_model_does_not_move(engine: Engine) -> None:
    request_rebuild(engine)

    assert not move(engine, 0, 5)


async def test_a_discarded_read_model_is_derived_again(engine: Engine) -> None:
    harness = Harness(MemoryLog())
    await harness.job()
    assert move(engine, 0, 1)
    request_rebuild(engine)

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
            row = {"name": name, "is_valid": bool(version), "notification_id": position}
            connection.execute(schema.position.insert().values(row))

    assert move(engine, 0, 5)

    found = where(engine)
    assert found is not None
    assert (found.position, found.is_valid) == (5, True)
    with engine.connect() as connection:
        kept = connection.execute(select(schema.position).where(schema.position.c.name != checkpoint.NAME)).all()
    assert [tuple(row) for row in kept] == [(name, bool(version), position, None) for name, version, position in others]
