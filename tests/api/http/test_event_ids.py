"""The place in the log at which a stream continues, by the last id of its client."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.event_log.database_log import DatabaseEventLog
from api.http.event_ids import NO_EVENT, PATTERN, Start, digest_at, event_id, start_after
from tests.support import logs
from tests.support.harness import Harness


@pytest.fixture
def log(tmp_path: Path) -> Iterator[DatabaseEventLog]:
    opened = logs.open_log(tmp_path)
    yield opened
    opened.close()


async def last_id(log: DatabaseEventLog) -> str:
    ((position, event),) = await log.read_from(await log.head() - 1, 1)
    return event_id(position, event.ref, event.recorded_at)


async def test_the_beginning_is_a_place_in_every_log(log: DatabaseEventLog) -> None:
    assert await start_after(log, "0") == Start(0, "0")
    await Harness(log).job()
    assert await start_after(log, "0") == Start(0, "0")


async def test_a_position_alone_and_the_beginning_with_any_digest_are_places_in_this_log(log: DatabaseEventLog) -> None:
    await Harness(log).job()

    for last in ("1", "2", "0.00000000"):
        assert await start_after(log, last) == Start(int(last[0]), last)
    assert (await start_after(log, "3")).reset is not None


async def test_an_empty_log_has_no_event_and_its_end_is_its_beginning(log: DatabaseEventLog) -> None:
    start = await start_after(log, "5.00000000")

    assert (start.position, start.id) == (0, "0")
    assert "the log ends at position 0 and has no event 5.00000000" in (start.reset or "")


async def test_the_same_events_at_another_time_are_another_history(log: DatabaseEventLog, tmp_path: Path) -> None:
    await Harness(log).job()
    other = logs.open_log(tmp_path / "other")
    harness = Harness(other)
    harness.clock.advance(1)
    await harness.job()

    of_this, of_other = await last_id(log), await last_id(other)
    starts = [await start_after(log, of_this), await start_after(log, of_other), await start_after(other, of_this)]
    other.close()

    assert all(re.fullmatch(PATTERN, one) for one in (of_this, of_other))
    assert [(start.position, start.id, start.reset is None) for start in starts] == [
        (2, of_this, True),
        (2, of_this, False),
        (2, of_other, False),
    ]


async def test_an_event_that_cannot_be_read_here_is_not_known_to_be_another_one(
    log: DatabaseEventLog, tmp_path: Path
) -> None:
    await Harness(log).job()
    sent = await last_id(log)
    logs.execute(tmp_path, "UPDATE stored_events SET topic = 'OfANewerVersion' WHERE position = 2")

    assert await start_after(log, sent) == Start(2, sent)
    assert (await start_after(log, "9.00000000")).id == "2"


async def test_the_digest_at_a_position_is_that_of_the_events_id(log: DatabaseEventLog, tmp_path: Path) -> None:
    harness = Harness(log)
    for job_id in ("job-1", "job-2"):
        await harness.job(job_id)
    ids = [event_id(position, event.ref, event.recorded_at) for position, event in await log.read_from(0, 10)]

    assert [f"{position}.{await digest_at(log, position)}" for position in range(1, 5)] == ids
    assert (await digest_at(log, 0), await digest_at(log, 5)) == (NO_EVENT, NO_EVENT) == ("00000000", "00000000")

    logs.execute(tmp_path, "UPDATE stored_events SET topic = 'OfANewerVersion' WHERE position = 2")

    assert await digest_at(log, 2) is None
    assert [f"{position}.{await digest_at(log, position)}" for position in (1, 3, 4)] == [ids[0], ids[2], ids[3]]
