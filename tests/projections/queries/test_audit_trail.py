"""A time is a position of the log, whatever the clocks of its writers said."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from projections.queries.audit_entry import AuditFilter
from projections.queries.audit_trail import AuditTrail
from projections.read_model.model_file import request_rebuild
from projections.read_model.projector import Projector
from tests.support.builders import at
from tests.support.clock import FakeClock
from tests.support.harness import RecordingLog
from tests.support.memory_log import MemoryLog
from tests.support.read_model import rows_of
from tests.support.written import ANY_CLOCK, ANY_LOG, DAY, Written, log_of

LOGS: dict[str, list[float]] = {
    "one clock": [1, 2, 3, 4, 5],
    "a clock that stands": [1, 1, 1, 1, 1],
    "a writer that is five seconds late": [10, 6, 12, 8, 14, 10],
    "a writer that is five seconds early": [6, 10, 8, 12, 10, 14],
    "a clock that runs backwards": [5, 4, 3, 2, 1],
    "a clock that was a day ahead for one start": [1, 2, DAY + 3, DAY + 4, 5, 6, 7],
    "a clock that was a day behind for one start": [1, 2, 3 - DAY, 4 - DAY, 5, 6, 7],
    "a log that begins a day ahead": [DAY + 1, DAY + 2, 3, 4],
    "a log that ends a day ahead": [1, 2, DAY + 3, DAY + 4],
}


examples = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


async def trail_of(engine: Engine, *batches: Sequence[Written]) -> AuditTrail:
    """Return the audit trail of a log that the read model has read in these batches."""
    request_rebuild(engine)
    log = MemoryLog()
    projector = Projector(engine, log, FakeClock(), RecordingLog())
    events = log_of(*(one for batch in batches for one in batch))
    for batch in batches:
        await log.append(events[len(log.events) : len(log.events) + len(batch)])
        await projector.catch_up()
    return AuditTrail(engine)


def last_by(seconds: Sequence[float], time: float) -> int:
    """Return the position of the last event that was recorded by a time, by hand."""
    return max((n for n, recorded in enumerate(seconds, start=1) if recorded <= time), default=0)


@pytest.mark.parametrize("name", LOGS)
async def test_a_time_is_the_position_of_the_last_event_that_was_recorded_by_it(engine: Engine, name: str) -> None:
    seconds = LOGS[name]

    trail = await trail_of(engine, [("job-1", second) for second in seconds])

    for time in {*seconds, min(seconds) - 1, max(seconds) + 1, 5.5}:
        assert await trail.position_at(at(time)) == last_by(seconds, time), time


@examples
@given(log=ANY_LOG, other=ANY_CLOCK)
async def test_a_time_up_to_an_end_is_that_of_the_log_as_it_was_there(
    engine: Engine, log: list[Written], other: float
) -> None:
    seconds = [second for _, second in log]

    trail = await trail_of(engine, log)

    for end in range(len(log) + 1):
        for time in {*seconds, other}:
            assert await trail.position_at(at(time), end) == last_by(seconds[:end], time)


@examples
@given(log=ANY_LOG, cuts=st.sets(st.integers(1, 25), max_size=5), other=ANY_CLOCK)
async def test_times_and_positions_are_the_same_however_the_log_was_read(
    engine: Engine, log: list[Written], cuts: set[int], other: float
) -> None:
    seconds = [second for _, second in log]
    edges = [0, *sorted(cut for cut in cuts if cut < len(log)), len(log)]
    batches = [log[low:high] for low, high in pairwise(edges)]

    await trail_of(engine, log)
    at_once = rows_of(engine)
    trail = await trail_of(engine, *batches)

    assert rows_of(engine) == at_once
    for time in {*seconds, other}:
        assert await trail.position_at(at(time)) == last_by(seconds, time)
    for position in range(len(log) + 2):
        told = at(seconds[min(position, len(log)) - 1]) if position else None
        assert await trail.time_at(position) == told


@examples
@given(log=ANY_LOG, period=st.tuples(ANY_CLOCK, ANY_CLOCK), newest_first=st.booleans())
async def test_a_period_is_the_events_that_were_recorded_in_it(
    engine: Engine, log: list[Written], period: tuple[float, float], *, newest_first: bool
) -> None:
    since, until = sorted(period)
    by_hand = [n for n, (_, second) in enumerate(log, start=1) if since <= second <= until]

    wanted = AuditFilter(since=at(since), until=at(until))

    trail = await trail_of(engine, log)
    found = await trail.entries(wanted, 100, newest_first=newest_first)
    exported = [entry.position async for entry in trail.export(wanted)]
    begun = await trail.entries(AuditFilter(since=at(since)), 100)

    assert [entry.position for entry in found] == (by_hand[::-1] if newest_first else by_hand)
    assert exported == by_hand
    assert [entry.position for entry in begun] == [n for n, (_, s) in enumerate(log, start=1) if s >= since]


async def test_an_event_whose_clock_was_a_day_off_is_found_by_its_printed_time(engine: Engine) -> None:
    log = [("job-1", 1.0), ("job-2", 1.0 - DAY), ("job-1", 2.0), ("job-3", 3.0 + DAY), ("job-1", 4.0)]

    trail = await trail_of(engine, log)

    for position, (_, seconds) in enumerate(log, start=1):
        found = await trail.entries(AuditFilter(since=at(seconds), until=at(seconds)), 10)
        assert [entry.position for entry in found] == [position]
