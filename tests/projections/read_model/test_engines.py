"""The read model means the same on every engine."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, select, text

from domain.errors import StorageUnavailable
from domain.recovery_policy import Outcome
from domain.vma_status import VMAStatus
from projections.queries.audit_entry import AuditFilter
from projections.queries.audit_trail import AuditTrail
from projections.queries.present import JobFilter, Queries
from projections.read_model import schema
from projections.read_model.model_file import request_rebuild
from projections.read_model.model_server import ReadModel
from projections.read_model.model_store import ModelStore
from projections.read_model.projector import Projector
from tests.support.harness import REQUEST, RUNNING, Harness, eventually
from tests.support.memory_log import MemoryLog
from tests.support.read_model import rows_of

IDS = ["A", "Z", "a", "a b", "aa", "z", "\xc4", "\xe4", "\xe9", "e\u0301", "\xdf", "ss", "\u65e5", "\U0001f600"]
"""Ids that collations of languages compare as equal, or order otherwise."""

OPERATIONS = (Path(__file__).parents[3] / "docs/operations.md").read_text()
DOCUMENTED = re.findall(r"```sql\n(SELECT CONCAT.*?)```", OPERATIONS, re.DOTALL)[0]
"""The statement that prints those that drop the tables of an earlier release."""


def projector(harness: Harness, model: ReadModel) -> Projector:
    return Projector(model.writer, harness.event_log, harness.clock, harness.log, model.writing)


async def history(*ids: str) -> Harness:
    """Return a log with these jobs, some of them decided."""
    harness = Harness(MemoryLog())
    for n, job_id in enumerate(ids):
        harness.vma.says[job_id] = RUNNING if n % 2 else VMAStatus.NOT_FOUND
        await harness.job(job_id)
        await harness.decided(job_id)
    return harness


@asynccontextmanager
async def following(follower: Projector) -> AsyncIterator[None]:
    task = asyncio.ensure_future(follower.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_ids_are_compared_and_ordered_by_bytes(read_model: ReadModel) -> None:
    harness = await history(*IDS)
    await projector(harness, read_model).catch_up()
    queries, trail = Queries(read_model.readers, read_model.reading), AuditTrail(read_model.readers, read_model.reading)

    expected = sorted(IDS, key=str.encode)
    assert [job.id for job in await queries.jobs(JobFilter(), 100)] == expected
    head = await trail.head()
    assert [job_id for job_id, _ in await trail.jobs_at(head, JobFilter(), 100)] == expected
    for n, job_id in enumerate(expected):
        assert [job.id for job in await queries.jobs(JobFilter(), 2, job_id)] == expected[n + 1 : n + 3]
        assert {entry.job_id for entry in await trail.entries(AuditFilter(job_id=(job_id,)), 100)} == {job_id}
        assert await queries.job(job_id + " ") is None


async def test_a_rebuild_gives_the_same_rows(read_model: ReadModel) -> None:
    harness = await history("job-1", "job-2")
    await projector(harness, read_model).catch_up()
    before = rows_of(read_model.readers)
    request_rebuild(read_model.writer)

    await projector(harness, read_model).catch_up()

    assert rows_of(read_model.readers) == before
    times = [row[0] for row in _column(read_model, schema.audit_trail.c.recorded_at)]
    assert times == [event.recorded_at.replace(tzinfo=None) for event in await harness.events()]


async def test_times_keep_their_microseconds_and_large_documents_are_stored(read_model: ReadModel) -> None:
    harness = Harness(MemoryLog())
    harness.clock.advance(0.123457)
    await harness.job("job-1")
    await harness.app.operator_decide("job-1", Outcome.FAIL, "mara", "x\0" * 50_000, REQUEST)

    await projector(harness, read_model).catch_up()

    entries = await AuditTrail(read_model.readers, read_model.reading).entries(AuditFilter(), 10)
    assert [entry.event() for entry in entries] == await harness.events()


async def test_a_text_with_nul_finds_nothing_and_breaks_nothing(read_model: ReadModel) -> None:
    harness = await history("job-1")
    await projector(harness, read_model).catch_up()
    queries = Queries(read_model.readers, read_model.reading)

    assert await queries.job("job-1\0") is None
    assert await queries.job("\ud800") is None


@pytest.mark.parametrize("event_follows", [False, True])
async def test_dropped_tables_are_made_again_while_serving(read_model: ReadModel, *, event_follows: bool) -> None:
    harness = await history("job-1")
    follower = projector(harness, read_model)
    queries = Queries(read_model.readers, read_model.reading)
    await follower.catch_up()
    async with following(follower):
        # What it has applied shows that it follows.
        await _register(harness, follower, "job-2")
        await eventually(_lists(queries, ["job-1", "job-2"]))

        _drop_tables(read_model)
        if event_follows:
            await _register(harness, follower, "job-3")

        await eventually(_lists(queries, ["job-1", "job-2", *(["job-3"] if event_follows else [])]))
        # The rows are committed before the projector knows it.
        await eventually(_has_no_error(follower))


async def _register(harness: Harness, follower: Projector, job_id: str) -> None:
    await harness.job(job_id)
    follower.committed(await harness.event_log.head())


def _drop_tables(model: ReadModel) -> None:
    with model.writer.begin() as connection:
        for table in schema.metadata.sorted_tables:
            connection.execute(text(f"DROP TABLE {table.name}"))


def _has_no_error(follower: Projector) -> Callable[[], Any]:
    async def has_none() -> bool:
        return follower.error is None

    return has_none


async def test_another_version_keeps_its_tables(read_model: ReadModel) -> None:
    harness = await history("job-1")
    with read_model.writer.begin() as connection:
        connection.execute(text("CREATE TABLE read_model_7_00000000_jobs (id INTEGER)"))
        connection.execute(text("INSERT INTO read_model_7_00000000_jobs VALUES (7)"))

    follower = projector(harness, read_model)
    await follower.catch_up()
    request_rebuild(read_model.writer)
    await follower.reset_if_outdated()

    with read_model.readers.connect() as connection:
        assert connection.scalar(text("SELECT id FROM read_model_7_00000000_jobs")) == 7
        assert schema.metadata.tables.keys() <= set(inspect(connection).get_table_names())


async def test_tables_of_other_releases_are_named_once_and_can_be_dropped_as_documented(
    read_model: ReadModel, kind: str
) -> None:
    harness = await history("job-1")
    other = "read_model_7_0123abcd_"
    with read_model.writer.begin() as connection:
        for name in ("jobs", "position"):
            connection.execute(text(f"CREATE TABLE {other}{name} (id INTEGER)"))
        connection.execute(text("CREATE TABLE read_model_of_somebody (id INTEGER)"))

    follower = projector(harness, read_model)
    await follower.catch_up()
    await follower.catch_up()

    assert ModelStore(read_model.writer).other_releases() == [other]
    assert harness.log.events.count("read_model_of_other_releases") == 1
    if kind == "sqlite":
        return  # There, the documents say to delete the file.
    place = {"postgresql": "current_schema()", "mariadb": "database()"}[kind]
    with read_model.writer.begin() as connection:
        documented = DOCUMENTED.replace("'job_recovery'", place)
        for statement in connection.scalars(text(documented)).all():
            connection.execute(text(statement))
    assert ModelStore(read_model.writer).other_releases() == []
    with read_model.readers.connect() as connection:
        assert {"read_model_of_somebody", *schema.metadata.tables} <= set(inspect(connection).get_table_names())


def _lists(queries: Queries, expected: list[str]) -> Callable[[], Any]:
    async def listed() -> bool:
        with suppress(StorageUnavailable):
            return [job.id for job in await queries.jobs(JobFilter(), 10)] == expected
        return False

    return listed


def _column(model: ReadModel, column: Any) -> list[Any]:
    with model.readers.connect() as connection:
        return list(connection.execute(select(column).order_by(schema.audit_trail.c.position)))
