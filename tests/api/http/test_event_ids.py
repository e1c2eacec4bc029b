"""The place in the log at which a stream continues, by the last id of its client."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.event_log.sqlite_store import SQLiteEventLog
from api.http.event_ids import Start, event_id, start_after
from tests.support.harness import Harness


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SQLiteEventLog]:
    opened = SQLiteEventLog(tmp_path / "events.sqlite", synchronous="NORMAL")
    yield opened
    opened.close()


async def last_id(log: SQLiteEventLog) -> str:
    ((position, event),) = await log.read_from(await log.head() - 1, 1)
    return event_id(position, event.ref, event.recorded_at)


async def test_the_beginning_is_a_place_in_every_log(log: SQLiteEventLog) -> None:
    assert await start_after(log, "0") == Start(0, "0")
    await Harness(log).job()
    assert await start_after(log, "0") == Start(0, "0")


async def test_an_empty_log_has_no_event_and_its_end_is_its_beginning(log: SQLiteEventLog) -> None:
    start = await start_after(log, "5.00000000")

    assert (start.position, start.id) == (0, "0")
    assert "the log ends at position 0 and has no event 5.00000000" in (start.reset or "")


async def test_the_same_events_at_another_time_are_another_history(log: SQLiteEventLog, tmp_path: Path) -> None:
    await Harness(log).job()
    other = SQLiteEventLog(tmp_path / "other.sqlite", synchronous="NORMAL")
    harness = Harness(other)
    harness.clock.advance(1)
    await harness.job()

    of_this, of_other = await last_id(log), await last_id(other)
    starts = [await start_after(log, of_this), await start_after(log, of_other), await start_after(other, of_this)]
    other.close()

    assert [(start.position, start.id, start.reset is None) for start in starts] == [
        (2, of_this, True),
        (2, of_this, False),
        (2, of_other, False),
    ]


async def test_an_event_that_cannot_be_read_here_is_not_known_to_be_another_one(log: SQLiteEventLog) -> None:
    await Harness(log).job()
    sent = await last_id(log)
    with log._recorder.datastore.transaction(commit=True) as cursor:
        cursor.execute("UPDATE stored_events SET topic = 'OfANewerVersion' WHERE rowid = 2")

    assert await start_after(log, sent) == Start(2, sent)
    assert (await start_after(log, "9.00000000")).id == "2"
