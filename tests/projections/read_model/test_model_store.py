"""What the projector asks the read model about itself: events that were applied or skipped, and other releases."""

from sqlalchemy import Engine, text

from domain.events import Event, UnreadableEvent
from projections.read_model import schema
from projections.read_model.audit_rows import Entry
from projections.read_model.checkpoint import START, Checkpoint
from projections.read_model.model_store import ModelStore
from projections.read_model.projector import Projector
from tests.support.harness import Harness
from tests.support.memory_log import MemoryLog

UNREADABLE = (3, 5)
"""Positions of events that a newer version has written."""


class NewerLog(MemoryLog):
    """A log in which some events cannot be read, as long as this version is too old for them."""

    is_too_new = True

    async def read_from(self, position: int, limit: int) -> list[tuple[int, Event]]:
        return [self._as_read(entry) for entry in await super().read_from(position, limit)]

    def _as_read(self, entry: Entry) -> Entry:
        position, event = entry
        if not self.is_too_new or position not in UNREADABLE:
            return entry
        return position, UnreadableEvent(
            originator_id=event.originator_id,
            originator_version=event.originator_version,
            recorded_at=event.recorded_at,
            correlation_id="",
            causation_id="",
            why="a newer version wrote it",
        )


async def three_jobs() -> tuple[Harness, NewerLog]:
    """Return a log of six events, of which two cannot be read."""
    log = NewerLog()
    harness = Harness(log)
    for number in range(3):
        await harness.job(f"job-{number}")
    return harness, log


async def test_the_last_event_that_was_applied_by_a_position_is_before_those_that_were_skipped(engine: Engine) -> None:
    harness, log = await three_jobs()
    await Projector(engine, log, harness.clock, harness.log).catch_up()
    store = ModelStore(engine)

    found = [store.applied_by(position) for position in range(8)]

    assert [one.position for one in found] == [0, 1, 2, 2, 4, 4, 6, 6]
    assert found[0] == START
    assert found[3] == Checkpoint(2, log.events[1].identity)
    assert store.unreadable_events() == list(UNREADABLE)


async def test_events_that_were_skipped_are_applied_by_a_version_that_can_read_them(engine: Engine) -> None:
    harness, log = await three_jobs()
    old = Projector(engine, log, harness.clock, harness.log)
    await old.catch_up()
    harness.log.events.clear()
    assert not await old.reset_if_outdated()
    assert await old.catch_up() == 6
    assert harness.log.events == []

    log.is_too_new = False
    new = Projector(engine, log, harness.clock, harness.log)
    assert not await new.reset_if_outdated()
    assert await new.catch_up() == 6

    assert harness.log.events == ["read_model_rebuilt", "read_model_rebuilding"]
    assert ModelStore(engine).unreadable_events() == []


async def test_a_checkpoint_without_one_of_its_columns_is_replaced(engine: Engine) -> None:
    harness, log = await three_jobs()
    log.is_too_new = False
    await Projector(engine, log, harness.clock, harness.log).catch_up()
    with engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE {schema.position.name} DROP COLUMN event"))
    harness.log.events.clear()

    again = Projector(engine, log, harness.clock, harness.log)

    assert not await again.reset_if_outdated()
    assert await again.catch_up() == 6
    assert harness.log.events == ["read_model_rebuilt", "read_model_rebuilding"]


async def test_the_tables_of_other_releases_are_named_once_and_no_strangers(engine: Engine) -> None:
    store = ModelStore(engine)
    assert store.other_releases() == []
    with engine.begin() as connection:
        for name in ("read_model_7_0123abcd_jobs", "read_model_7_0123abcd_position", "read_model_of_mine", "jobs"):
            connection.execute(text(f"CREATE TABLE {name} (id INTEGER)"))
    harness = Harness(MemoryLog())
    follower = Projector(engine, harness.event_log, harness.clock, harness.log)

    for _ in range(2):
        await follower.catch_up()

    assert store.other_releases() == ["read_model_7_0123abcd_"]
    assert harness.log.events == ["read_model_of_other_releases"]
    assert schema.PREFIX not in store.other_releases()
