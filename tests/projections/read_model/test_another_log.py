"""A read model of another log, and a damaged one, are detected and rebuilt."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from adapters.event_log.database_log import DatabaseEventLog
from domain.errors import StorageUnavailable
from domain.events import Event
from projections.queries.present import JobFilter, Queries
from projections.read_model import schema
from projections.read_model.errors import ReadModelDamaged
from projections.read_model.model_file import request_rebuild
from projections.read_model.projector import Projector
from tests.support.harness import Harness, eventually, while_running
from tests.support.logs import open_log


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[list[Harness]]:
    """Return three logs, all empty."""
    opened = [Harness(open_log(tmp_path / f"log-{n}")) for n in range(3)]
    yield opened
    for harness in opened:
        assert isinstance(harness.event_log, DatabaseEventLog)
        harness.event_log.close()


class ObservedLog:
    """A log that calls `on_read` before each read."""

    def __init__(self, harness: Harness, on_read: Callable[[], None]) -> None:
        assert isinstance(harness.event_log, DatabaseEventLog)
        self._log = harness.event_log
        self._on_read = on_read

    async def read_from(self, position: int, limit: int) -> list[tuple[int, Event]]:
        self._on_read()
        return await self._log.read_from(position, limit)

    async def head(self) -> int:
        return await self._log.head()


def projector(harness: Harness, engine: Engine) -> Projector:
    assert isinstance(harness.event_log, DatabaseEventLog)
    return Projector(engine, harness.event_log, harness.clock, harness.log)


async def started(harness: Harness, engine: Engine) -> int:
    """Update the read model as the service does at its start; return the position."""
    follower = projector(harness, engine)
    await follower.reset_if_outdated()
    return await follower.catch_up()


async def jobs(engine: Engine) -> list[str]:
    return [job.id for job in await Queries(engine).jobs(JobFilter(), 10)]


@pytest.mark.parametrize("others", [["job-1"], ["job-1", "job-8"], ["job-1", "job-8", "job-9"]])
async def test_a_restored_log_of_any_length_causes_a_rebuild(
    logs: list[Harness], engine: Engine, others: list[str]
) -> None:
    for job in ("job-1", "job-2"):
        await logs[0].job(job)
    await started(logs[0], engine)
    for job in others:
        await logs[1].job(job)

    await started(logs[1], engine)

    assert await jobs(engine) == others
    assert logs[1].log.events == ["read_model_of_another_log", "read_model_rebuilding"]


async def test_the_same_job_registered_at_another_time_is_another_event(logs: list[Harness], engine: Engine) -> None:
    await logs[0].job()
    await started(logs[0], engine)
    logs[1].clock.advance(1)
    await logs[1].job()

    await started(logs[1], engine)

    assert logs[1].log.events == ["read_model_of_another_log", "read_model_rebuilding"]


async def test_the_same_log_is_continued_without_a_log_line(logs: list[Harness], engine: Engine) -> None:
    await logs[0].job()
    await started(logs[0], engine)
    logs[0].log.events.clear()
    await logs[0].job("job-2")

    await started(logs[0], engine)

    assert (await jobs(engine), logs[0].log.events) == (["job-1", "job-2"], [])


@pytest.mark.parametrize("discarded", [False, True])
async def test_a_log_that_has_become_empty_is_refused_and_the_read_model_stays(
    logs: list[Harness], engine: Engine, *, discarded: bool
) -> None:
    await logs[0].job()
    seen = await started(logs[0], engine)
    if discarded:
        request_rebuild(engine)

    with pytest.raises(StorageUnavailable, match=f"has applied {seen} events of it: restore the log") as refused:
        await started(logs[1], engine)

    assert f"to start with an empty log, delete {engine.url.database}, too" in str(refused.value)
    assert await jobs(engine) == ["job-1"]


@pytest.mark.parametrize("folded", [b"{}", b"\xff"])
async def test_a_row_that_cannot_be_updated_causes_a_rebuild(
    logs: list[Harness], engine: Engine, folded: bytes
) -> None:
    await logs[0].job()
    await started(logs[0], engine)
    with engine.begin() as connection:
        connection.execute(update(schema.jobs).values(folded=folded))
    await logs[0].decided("job-1")

    await started(logs[0], engine)

    assert logs[0].log.events == ["read_model_rebuilding", "read_model_rebuilt", "read_model_rebuilding"]
    assert await jobs(engine) == ["job-1"]


async def test_the_error_of_a_row_that_cannot_be_read_has_a_remedy(logs: list[Harness], engine: Engine) -> None:
    await logs[0].job()
    await started(logs[0], engine)
    with engine.begin() as connection:
        connection.execute(update(schema.jobs).values(folded=b"\xff"))

    with pytest.raises(ReadModelDamaged, match=r"ReplicationJob in it cannot be decoded.*Restart the service"):
        await jobs(engine)


async def test_damage_found_while_running_is_logged_once_and_stays_visible(logs: list[Harness], engine: Engine) -> None:
    harness = logs[0]
    await harness.job()
    follower = projector(harness, engine)
    await follower.catch_up()
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE UNIQUE INDEX wrong ON {schema.audit_trail.name} (stream_id)")
    await harness.decided("job-1")
    tries = 0

    def tried() -> None:
        nonlocal tries
        tries += 1

    follower._log = ObservedLog(harness, tried)
    await while_running(follower.run(), lambda: tries > 3)

    assert harness.log.events == ["read_model_rebuilding", "read_model_damaged"]
    assert follower.error is not None
    assert "Restart the service" in follower.error


async def test_an_error_is_visible_until_the_projector_continues(logs: list[Harness], engine: Engine) -> None:
    harness = logs[0]
    await harness.job()
    broken = True

    def unsteady() -> None:
        if broken:
            raise StorageUnavailable("the event log cannot be read: this test says so")

    follower = projector(harness, engine)
    follower._log = ObservedLog(harness, unsteady)

    async def follower_is_in_trouble() -> bool:
        return follower.error is not None

    running = asyncio.ensure_future(follower.run())
    await eventually(follower_is_in_trouble)
    known = follower.error
    broken = False

    assert await follower.reached(await harness.event_log.head(), timeout=10)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert "this test says so" in (known or "")
    assert follower.error is None
