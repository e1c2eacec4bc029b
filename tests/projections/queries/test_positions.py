"""Versions, positions and past lists, compared with the log that they are of."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from adapters.event_log.sqlite import sqlite3
from domain.events import Event, JobRegistered
from projections.queries.audit_entry import AuditFilter
from projections.queries.audit_trail import CHUNK, MAX_CAUSES, AuditTrail
from projections.queries.present import MAX_SKIPPED, JobFilter, Queries
from projections.read_model.model_file import open_read_model, request_rebuild
from projections.read_model.projector import Projector
from tests.support.clock import FakeClock
from tests.support.harness import RecordingLog
from tests.support.memory_log import MemoryLog
from tests.support.written import ANY_LOG, Written, log_of

JOBS = ("job-1", "job-2", "job-3")

examples = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


async def trail_of(engine: Engine, events: Sequence[Event]) -> AuditTrail:
    request_rebuild(engine)
    log = MemoryLog()
    await log.append(events)
    await Projector(engine, log, FakeClock(), RecordingLog()).catch_up()
    return AuditTrail(engine)


@examples
@given(log=ANY_LOG)
async def test_each_version_has_its_position_and_each_position_its_versions(engine: Engine, log: list[Written]) -> None:
    by_hand = {job: [n for n, (one, _) in enumerate(log, start=1) if one == job] for job in JOBS}

    trail = await trail_of(engine, log_of(*log))

    for job, at in by_hand.items():
        # A version that is still to come is not before the last one.
        assert [await trail.position_of(job, n) for n in range(len(at) + 2)] == [0, *at, at[-1] if at else 0]
        versions = [await trail.version_at(job, position) for position in range(len(log) + 2)]
        assert versions == [sum(n <= position for n in at) for position in range(len(log) + 2)]
        assert [entry.position for entry in await trail.events(job, 100)] == at
        assert [entry.position for entry in await trail.events(job, 2, after=3)] == [n for n in at if n > 3][:2]
    wanted = [(job, n) for job in JOBS for n in range(len(log) + 1)]
    assert await trail.positions(wanted) == {(job, n): p for job, at in by_hand.items() for n, p in enumerate(at, 1)}
    assert (await trail.positions([]), await trail.head()) == ({}, len(log))


@examples
@given(log=ANY_LOG, limit=st.integers(1, 3), after=st.sampled_from(["", *JOBS]))
async def test_the_jobs_of_a_position_are_those_that_were_registered_by_it(
    engine: Engine, log: list[Written], limit: int, after: str
) -> None:
    trail = await trail_of(engine, log_of(*log))

    for position in range(len(log) + 2):
        names = [job for job, _ in log[:position]]
        present = [(job, names.count(job)) for job in JOBS if job in names and job > after]
        one = [pair for pair in present if pair[0] == "job-2"]
        assert await trail.jobs_at(position, JobFilter(), limit, after) == present[:limit]
        assert await trail.jobs_at(position, JobFilter(vm_context_id=("ctx-job-2",)), limit, after) == one
        assert await trail.jobs_at(position, JobFilter(state=("replicating",)), limit, after) == present[:limit]
        assert await trail.jobs_at(position, JobFilter(state=("failed",)), limit, after) == []


@examples
@given(log=ANY_LOG, end=st.integers(0, 26), jobs=st.sampled_from([(), *combinations(JOBS, 1), *combinations(JOBS, 2)]))
async def test_the_events_up_to_a_position_are_counted_and_listed(
    engine: Engine, log: list[Written], end: int, jobs: tuple[str, ...]
) -> None:
    wanted = AuditFilter(job_id=jobs)
    by_hand = [n for n, (job, _) in enumerate(log[:end], start=1) if not jobs or job in jobs]

    trail = await trail_of(engine, log_of(*log))

    assert await trail.total(wanted, end) == len(by_hand)
    assert [entry.position async for entry in trail.export(wanted, end=end)] == by_hand
    assert [one.position async for one in trail.export(wanted, newest_first=True, end=end)] == by_hand[::-1]


async def test_an_export_of_several_chunks_has_every_event_once(engine: Engine) -> None:
    trail = await trail_of(engine, log_of(*[("job-1", float(n)) for n in range(2 * CHUNK + 1)]))

    assert [entry.position async for entry in trail.export(AuditFilter())] == list(range(1, 2 * CHUNK + 2))


async def test_an_empty_log_has_nothing_at_any_position(tmp_path: Path) -> None:
    empty = open_read_model(tmp_path / "read_model.sqlite", sqlite3)
    trail = await trail_of(empty, [])

    assert (await trail.head(), await trail.entry(0), await trail.time_at(0)) == (0, None, None)
    assert (await trail.total(AuditFilter(), 0), await trail.decisions()) == (0, {})
    empty.dispose()


def caused(events: Sequence[Event], *causes: str) -> list[Event]:
    return [msgspec.structs.replace(event, causation_id=cause) for event, cause in zip(events, causes, strict=True)]


async def test_a_chain_goes_from_an_event_to_its_causes_and_ends_at_what_is_no_event(engine: Engine) -> None:
    events = caused(log_of(*3 * [("job-1", 1.0)], ("job-2", 1.0)), "request-1", "job-2#1", "job-1#2", "job-1#9")
    trail = await trail_of(engine, events)

    chains = [await trail.chain(entry) for entry in await trail.entries(AuditFilter(), 10)]

    assert [[entry.position for entry in chain] for chain in chains] == [[1], [2, 4], [3, 2, 4], [4]]


async def test_a_chain_that_is_a_circle_ends(engine: Engine) -> None:
    trail = await trail_of(engine, caused(log_of(*2 * [("job-1", 1.0)]), "job-1#2", "job-1#1"))
    entry = await trail.entry(1)
    assert entry is not None

    assert [one.position for one in await trail.chain(entry)] == MAX_CAUSES // 2 * [1, 2]


async def test_the_present_is_filtered_by_what_is_asked_for_and_counted(engine: Engine) -> None:
    await trail_of(engine, log_of(("job-1", 1.0), ("job-2", 2.0), ("job-2", 3.0), ("job-3", 4.0)))
    queries = Queries(engine)

    async def ids(wanted: JobFilter) -> list[str]:
        return [job.id for job in await queries.jobs(wanted, 10)]

    assert await ids(JobFilter(state=("replicating", "failed"))) == list(JOBS)
    assert await ids(JobFilter(state=("failed",))) == []
    assert await ids(JobFilter(vm_context_id=("ctx-job-1", "ctx-job-3"))) == ["job-1", "job-3"]
    assert await ids(JobFilter(needs_attention=False)) == list(JOBS)
    assert await ids(JobFilter(needs_attention=True)) == []
    assert await queries.jobs_by_state() == {
        "replicating": 3, "recovering": 0, "pending-retry": 0, "completed": 0, "failed": 0
    }  # fmt: skip
    assert (await queries.runs_by_status(), await queries.guesses()) == ({}, [])
    assert [await queries.job("job-4"), await queries.vm_context("ctx-4"), await queries.run("run-4")] == 3 * [None]


async def test_the_first_skipped_events_are_listed(engine: Engine) -> None:
    """An event whose job was never registered cannot be applied."""
    events = [event for event in log_of(*(MAX_SKIPPED + 3) * [("job-1", 1.0)]) if not isinstance(event, JobRegistered)]
    await trail_of(engine, events)

    skipped = await Queries(engine).skipped_events()

    assert len(skipped) == MAX_SKIPPED
    assert skipped[0].startswith("the event job-1#2 at position 1 is skipped: ")
