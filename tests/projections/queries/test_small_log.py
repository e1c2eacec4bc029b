"""Every query of the audit trail of a small log, with its exact answer.

    position   1      2      3      4      5      6
    job        job-1  job-2  job-1  job-3  job-2  job-1
    second     1      10     6      12     8      14
    caused by  -      -      2      -      3      5
    actor      adam   -      adam   mara   -      -

The clocks of its writers differ. The first event of a job is its registration, the others are observations.
"""

import asyncio
from collections.abc import Iterator
from datetime import UTC, timedelta, timezone
from itertools import product
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import event

from adapters.event_log.sqlite import sqlite3
from domain.events import SERVICE, Cause, Event, JobRegistered, Trace
from domain.recovery_policy import Policy
from domain.replication_job import ReplicationJob
from domain.vma_status import VMAStatus
from projections.queries.audit_entry import AuditEntry, AuditFilter
from projections.queries.audit_trail import AuditTrail
from projections.queries.present import JobFilter
from projections.read_model.model_file import open_read_model
from projections.read_model.projector import Projector
from tests.support.builders import NOON, at, circumstances, document, observed, registration
from tests.support.clock import FakeClock
from tests.support.harness import RecordingLog
from tests.support.memory_log import MemoryLog
from tests.support.written import log_of

JOBS = ("job-1", "job-2", "job-1", "job-3", "job-2", "job-1")
SECONDS = (1.0, 10.0, 6.0, 12.0, 8.0, 14.0)
CAUSES = ("request-1", "request-2", "job-2#1", "request-3", "job-1#2", "job-2#2")
ACTORS = ("adam", SERVICE, "adam", "mara", SERVICE, SERVICE)
POSITIONS = range(1, 7)


def history() -> list[Event]:
    written = zip(log_of(*zip(JOBS, SECONDS, strict=True)), CAUSES, ACTORS, strict=True)
    return [msgspec.structs.replace(event, causation_id=cause, actor=actor) for event, cause, actor in written]


async def trail_of(folder: Path, events: list[Event]) -> AuditTrail:
    engine = open_read_model(folder / "read_model.sqlite", sqlite3)
    log = MemoryLog()
    await log.append(events)
    await Projector(engine, log, FakeClock(), RecordingLog()).catch_up()
    return AuditTrail(engine)


@pytest.fixture(scope="module")
def trail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AuditTrail]:
    opened = asyncio.run(trail_of(tmp_path_factory.mktemp("small"), history()))
    yield opened
    opened._engine.dispose()


def places(entries: list[AuditEntry]) -> list[int]:
    return [entry.position for entry in entries]


async def found(trail: AuditTrail, limit: int = 10, after: int | None = None, **wanted: Any) -> list[int]:
    return places(await trail.entries(AuditFilter(**wanted), limit, after))


async def test_a_page_is_the_first_events_after_a_position(trail: AuditTrail) -> None:
    for after, limit in product([None, *range(8)], range(1, 8)):
        expected = [n for n in POSITIONS if n > (after or 0)][:limit]
        assert places(await trail.entries(AuditFilter(), limit, after)) == expected


async def test_a_page_newest_first_is_the_last_events_before_a_position(trail: AuditTrail) -> None:
    for before, limit in product([None, *range(8)], range(1, 8)):
        expected = [n for n in reversed(POSITIONS) if before is None or n < before][:limit]
        assert places(await trail.entries(AuditFilter(), limit, before, newest_first=True)) == expected


async def test_events_after_the_end_are_in_no_list_no_number_and_no_export(trail: AuditTrail) -> None:
    for end, newest_first in product(range(8), [False, True]):
        expected = [n for n in POSITIONS if n <= end][:: -1 if newest_first else 1]
        exported = trail.export(AuditFilter(), newest_first=newest_first, end=end)
        assert places(await trail.entries(AuditFilter(), 10, newest_first=newest_first, end=end)) == expected
        assert [entry.position async for entry in exported] == expected
        assert await trail.total(AuditFilter(), end) == len(expected)


async def test_an_export_without_an_end_has_every_event(trail: AuditTrail) -> None:
    assert [entry.position async for entry in trail.export(AuditFilter())] == list(POSITIONS)
    assert [entry.position async for entry in trail.export(AuditFilter(job_id=("job-2",)))] == [2, 5]


async def test_a_filter_finds_the_events_that_have_one_of_its_values(trail: AuditTrail) -> None:
    assert await found(trail, job_id=("job-2",)) == [2, 5]
    assert await found(trail, job_id=("job-1", "job-3")) == [1, 3, 4, 6]
    assert await found(trail, job_id=("job-1", "job-1")) == [1, 3, 6]
    assert await found(trail, job_id=("job-4",)) == []
    assert await found(trail, causation_id=("request-2", "job-2#2")) == [2, 6]


async def test_pages_of_several_values_begin_with_the_first_of_any_of_them(trail: AuditTrail) -> None:
    both: dict[str, Any] = {"job_id": ("job-1", "job-3")}

    assert [await found(trail, 2, after, **both) for after in (None, 1, 3, 4, 6)] == [[1, 3], [3, 4], [4, 6], [6], []]
    newest = await trail.entries(AuditFilter(**both), 2, newest_first=True)
    assert places(newest) == [6, 4]


async def test_of_two_filters_an_event_has_a_value_of_each(trail: AuditTrail) -> None:
    registered = ("JobRegistered",)

    assert await found(trail, type=registered) == [1, 2, 4]
    assert await found(trail, type=registered, job_id=("job-1", "job-2")) == [1, 2]
    assert await found(trail, type=registered, job_id=("job-2",), actor=("mara",)) == []
    assert await trail.total(AuditFilter(type=registered, job_id=("job-1", "job-2")), 6) == 2
    assert await trail.total(AuditFilter(type=registered, job_id=("job-1", "job-2")), 1) == 1


async def test_what_nobody_asked_for_is_the_services_and_no_other_actor_is(trail: AuditTrail) -> None:
    assert await found(trail, actor=(SERVICE,)) == [2, 5, 6]
    assert await found(trail, actor=("adam",)) == [1, 3]
    assert await found(trail, actor=("mara",)) == [4]
    assert await found(trail, actor=("mara", SERVICE)) == [2, 4, 5, 6]
    assert await found(trail, state=(SERVICE,)) == []


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=2))])
async def test_a_period_is_the_events_that_were_recorded_in_it_whatever_the_zone(
    trail: AuditTrail, zone: timezone
) -> None:
    for since, until in product([0.0, *SECONDS, 15.0], repeat=2):
        expected = [n for n, second in enumerate(SECONDS, 1) if since <= second <= until]
        period = AuditFilter(since=at(since).astimezone(zone), until=at(until).astimezone(zone))
        assert places(await trail.entries(period, 10)) == expected, period
        assert await trail.total(period, 6) == len(expected)


async def test_a_period_may_be_open_at_either_end(trail: AuditTrail) -> None:
    for time in (0.0, *SECONDS, 15.0):
        assert await found(trail, since=at(time)) == [n for n, second in enumerate(SECONDS, 1) if second >= time]
        assert await found(trail, until=at(time)) == [n for n, second in enumerate(SECONDS, 1) if second <= time]


async def test_a_stream_has_its_own_events_after_a_position(trail: AuditTrail) -> None:
    assert places(await trail.events("job-1", 10)) == [1, 3, 6]
    assert places(await trail.events("job-1", 2)) == [1, 3]
    assert places(await trail.events("job-1", 10, after=1)) == [3, 6]
    assert places(await trail.events("job-1", 10, after=2)) == [3, 6]
    assert await trail.events("job-4", 10) == []


def recovered(job_id: str, *answers: VMAStatus) -> list[Event]:
    """Return the events of a job that one run after the other decided by these answers."""
    job = ReplicationJob(id=job_id)
    job.register(registration(job_id), at(0), Trace("r", "r"))
    for n, answer in enumerate(answers):
        seen = observed(document(answer, 41.0) if answer is VMAStatus.RUNNING else answer, seconds=n)
        job.begin_recovery(f"run-{n}", Cause.RESTART, at(n), "instance")
        job.recover(f"run-{n}", seen, circumstances(seen), Policy(), lambda _: 5.0, at(n))
    return list(job.pending)


async def test_decisions_are_counted_by_rule_and_outcome(tmp_path: Path) -> None:
    down, running = VMAStatus.UNREACHABLE, VMAStatus.RUNNING
    trail = await trail_of(tmp_path, [*recovered("job-1", down, running), *recovered("job-2", running, down, running)])

    assert await trail.decisions() == {("unreachable-recent", "retry"): 2, ("still-running", "resume"): 3}
    trail._engine.dispose()


async def test_an_entry_shows_its_event(trail: AuditTrail) -> None:
    entry = await trail.entry(3)

    assert entry is not None
    assert (entry.position, entry.stream_id, entry.version, entry.type) == (3, "job-1", 2, "VMAStatusObserved")
    assert (entry.recorded_at, entry.actor, entry.state, entry.job_id) == (at(6), "adam", "replicating", "job-1")
    assert entry.event() == history()[2]
    assert (await trail.entry(0), await trail.entry(7)) == (None, None)
    service = await trail.entry(2)
    assert service is not None
    assert (service.actor, service.data["vm_context_id"]) == (SERVICE, "ctx-job-2")


async def test_a_chain_is_an_event_and_its_causes(trail: AuditTrail) -> None:
    chains = {n: places(await trail.chain(entry)) for n in POSITIONS if (entry := await trail.entry(n))}

    assert chains == {1: [1], 2: [2], 3: [3, 2], 4: [4], 5: [5, 3, 2], 6: [6, 5, 3, 2]}


async def test_a_cause_that_is_no_event_ends_a_chain(trail: AuditTrail) -> None:
    entry = await trail.entry(6)
    assert entry is not None

    for cause in ("", "#", "job-1#", "job-1#0", "job-1#9", "job-1#x", "job-0#1", "job-9#1", "job-1#²"):
        changed = AuditEntry(**{name: getattr(entry, name) for name in AuditEntry.__slots__} | {"causation_id": cause})
        assert await trail.chain(changed) == [changed], cause


async def test_a_chain_has_at_most_a_hundred_events(tmp_path: Path) -> None:
    events = [msgspec.structs.replace(one, causation_id="job-1#1") for one in log_of(("job-1", 1.0))]
    trail = await trail_of(tmp_path, events)
    (entry,) = await trail.entries(AuditFilter(), 10)

    assert await trail.chain(entry) == 100 * [entry]
    trail._engine.dispose()


async def test_a_time_is_the_position_of_the_last_event_recorded_by_it(trail: AuditTrail) -> None:
    by_time = {0: 0, 1: 1, 5: 1, 6: 3, 8: 5, 9: 5, 10: 5, 12: 5, 13: 5, 14: 6, 20: 6}

    assert {second: await trail.position_at(at(second)) for second in by_time} == by_time
    elsewhere = at(6).astimezone(timezone(timedelta(hours=-5)))
    assert await trail.position_at(elsewhere) == 3


async def test_a_position_has_the_time_of_the_last_event_up_to_it(trail: AuditTrail) -> None:
    times = [await trail.time_at(position) for position in range(8)]

    assert times == [None, *map(at, SECONDS), at(14)]


async def test_a_version_of_a_stream_has_a_position_and_a_position_a_version(trail: AuditTrail) -> None:
    assert [await trail.position_of("job-1", version) for version in range(5)] == [0, 1, 3, 6, 6]
    assert [await trail.version_at("job-1", position) for position in range(8)] == [0, 1, 1, 2, 2, 2, 3, 3]
    assert [await trail.version_at("job-2", position) for position in range(8)] == [0, 0, 1, 1, 1, 2, 2, 2]
    assert (await trail.position_of("job-4", 1), await trail.version_at("job-4", 6)) == (0, 0)


async def test_several_versions_have_their_positions_at_once(trail: AuditTrail) -> None:
    wanted = [("job-1", 2), ("job-2", 1), ("job-2", 3), ("job-4", 1)]

    assert await trail.positions(wanted) == {("job-1", 2): 3, ("job-2", 1): 2}
    assert await trail.positions([]) == {}


async def test_the_jobs_of_a_position_have_their_versions_then(trail: AuditTrail) -> None:
    async def jobs(position: int, limit: int = 10, after: str = "", **wanted: Any) -> list[tuple[str, int]]:
        return await trail.jobs_at(position, JobFilter(**wanted), limit, after)

    assert await jobs(0) == []
    assert await jobs(1) == [("job-1", 1)]
    assert await jobs(4) == [("job-1", 2), ("job-2", 1), ("job-3", 1)]
    assert await jobs(6) == await jobs(7) == [("job-1", 3), ("job-2", 2), ("job-3", 1)]
    assert await jobs(6, limit=2) == [("job-1", 3), ("job-2", 2)]
    assert await jobs(6, after="job-1") == [("job-2", 2), ("job-3", 1)]
    assert await jobs(6, state=("replicating", "failed"), vm_context_id=("ctx-job-2",)) == [("job-2", 2)]
    assert await jobs(6, state=("failed",)) == []


async def test_an_empty_log_has_nothing(tmp_path: Path) -> None:
    empty = await trail_of(tmp_path, [])

    assert (await empty.head(), await empty.position_at(NOON), await empty.time_at(5)) == (0, 0, None)
    assert await empty.entries(AuditFilter(since=NOON), 10) == []
    assert await empty.entries(AuditFilter(until=NOON), 10) == []
    assert (await empty.total(AuditFilter(), 10), await empty.entry(1)) == (0, None)
    assert [entry async for entry in empty.export(AuditFilter())] == []
    empty._engine.dispose()


async def statement_of(trail: AuditTrail, **wanted: Any) -> str:
    """Return the statement that reads the first page of a filter by values."""
    statements: list[str] = []

    def record(connection: Any, cursor: Any, statement: str, *_: object) -> None:
        statements.append(statement)

    engine = trail._engine
    event.listen(engine, "before_cursor_execute", record)
    try:
        await trail.entries(AuditFilter(**wanted), 10)
    finally:
        event.remove(engine, "before_cursor_execute", record)
    (statement,) = statements
    return statement


async def test_the_filter_with_most_values_is_read_value_by_value(trail: AuditTrail) -> None:
    two, three = ("a", "b"), ("a", "b", "c")

    for wanted in ({"type": two, "job_id": three}, {"type": three, "job_id": two}, {"type": three, "state": two}):
        assert (await statement_of(trail, **wanted)).count("UNION ALL") == 2, wanted
    assert "UNION" not in await statement_of(trail, job_id=("a",), state=("b",))


async def test_the_head_is_the_last_position(trail: AuditTrail) -> None:
    assert await trail.head() == 6
    assert [isinstance(one, JobRegistered) for one in history()] == [True, True, False, True, False, False]
