"""The pages of each list are together the list, in its order, whatever their size and what is written in between."""

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import Engine

from domain.events import Cause
from domain.recovery_policy import Outcome
from domain.recovery_run import RecoveryRun
from projections.queries.audit_entry import AuditFilter
from projections.queries.audit_trail import AuditTrail
from projections.queries.present import JobFilter, Queries
from projections.read_model.projector import Projector
from tests.support.harness import REQUEST, Harness
from tests.support.logs import open_log

K = TypeVar("K")

SIZES = [1, 2, 3, 7, 1000]


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    event_log = open_log(tmp_path)
    yield Harness(event_log)
    event_log.close()


async def write(harness: Harness, engine: Engine, first: int, count: int = 4) -> None:
    """Store so many jobs and runs; a second job of every VM is decided by an operator."""
    for n in range(first, first + count):
        run = RecoveryRun(id=f"run-{n}")
        run.start(Cause.RESTART, "instance-1", harness.policy, (), harness.clock.now(), REQUEST)
        await harness.event_log.append(run.collect_events())
        await harness.job(f"job-{n:02}")
        await harness.decided(f"job-{n:02}")
    await harness.app.operator_decide(f"job-{first:02}", Outcome.FAIL, "mara", "gone", REQUEST)
    await Projector(engine, harness.event_log, harness.clock, harness.log).catch_up()


async def paged(read: Callable[[int, K | None], Awaitable[list[K]]], size: int, between: Awaitable[None]) -> list[K]:
    """Read page after page, until one is empty; write something after the first."""
    found = await read(size, None)
    await between
    while page := await read(size, found[-1]):
        assert not set(page) & set(found), "a page repeats a row"
        found += page
    return found


@pytest.mark.parametrize("size", SIZES)
async def test_the_events_of_all_jobs_newest_first_are_those_from_before_the_first_page(
    harness: Harness, engine: Engine, size: int
) -> None:
    await write(harness, engine, 0)
    trail, head = AuditTrail(engine), await harness.event_log.head()

    async def read(limit: int, after: int | None) -> list[int]:
        return [entry.position for entry in await trail.entries(AuditFilter(), limit, after, newest_first=True)]

    assert await paged(read, size, write(harness, engine, 4)) == list(range(head, 0, -1))


@pytest.mark.parametrize("size", SIZES)
async def test_those_oldest_first_include_what_was_written_meanwhile(
    harness: Harness, engine: Engine, size: int
) -> None:
    await write(harness, engine, 0)
    trail = AuditTrail(engine)

    async def read(limit: int, after: int | None) -> list[int]:
        return [entry.position for entry in await trail.entries(AuditFilter(), limit, after)]

    found = await paged(read, size, write(harness, engine, 4))
    assert found == list(range(1, await harness.event_log.head() + 1))


@pytest.mark.parametrize("size", SIZES)
async def test_the_jobs_are_in_the_order_of_their_ids(harness: Harness, engine: Engine, size: int) -> None:
    await write(harness, engine, 0)
    queries = Queries(engine)

    async def read(limit: int, after: str | None) -> list[str]:
        return [job.id for job in await queries.jobs(JobFilter(), limit, after or "")]

    assert await paged(read, size, write(harness, engine, 4)) == [f"job-{n:02}" for n in range(8)]


@pytest.mark.parametrize("size", SIZES)
async def test_the_runs_are_those_from_before_the_first_page_newest_first(
    harness: Harness, engine: Engine, size: int
) -> None:
    await write(harness, engine, 0)
    queries = Queries(engine)

    async def read(limit: int, before: tuple[int, str] | None) -> list[tuple[int, str]]:
        found = await queries.runs(limit, before[0] if before else None)
        return [(position, run.id) for position, run in found]

    found = await paged(read, size, write(harness, engine, 4))
    assert [run_id for _, run_id in found] == [f"run-{n}" for n in (3, 2, 1, 0)]


async def test_decisions_of_recovery_are_counted_without_those_of_operators(harness: Harness, engine: Engine) -> None:
    await write(harness, engine, 0)

    decided = await AuditTrail(engine).decisions()

    assert [(outcome, count) for (_, outcome), count in decided.items()] == [("fail", 4)]
