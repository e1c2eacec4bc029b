"""The projector applies each event once and in order, and a rebuild gives the same rows."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, Row, select, update

from adapters.event_log.sqlite import sqlite3
from domain.errors import StorageUnavailable
from domain.events import Cause, Event
from domain.recovery_policy import Outcome
from domain.recovery_run import RecoveryRun
from domain.replication_job import ReplicationJob
from domain.vma_status import Document, VMAStatus
from projections.queries.present import JobFilter, Queries
from projections.read_model import schema
from projections.read_model.model_file import open_read_model, request_rebuild
from projections.read_model.projector import Projector
from tests.support.harness import COMPLETED, REQUEST, RUNNING, Harness, eventually, while_running
from tests.support.logs import open_log
from tests.support.memory_log import MemoryLog
from tests.support.read_model import rows_of


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    event_log = open_log(tmp_path)
    yield Harness(event_log)
    event_log.close()


def projector(harness: Harness, engine: Engine) -> Projector:
    return Projector(engine, harness.event_log, harness.clock, harness.log)


async def history(harness: Harness) -> None:
    """Store jobs with every kind of event."""
    kinds: list[Document | VMAStatus] = [RUNNING, COMPLETED, VMAStatus.NOT_FOUND, VMAStatus.UNREACHABLE]
    for n, says in enumerate(kinds):
        job = await harness.job(f"job-{n}")
        harness.vma.says[job.id] = says
        await harness.decided(job.id)


async def test_a_row_equals_its_aggregate(harness: Harness, engine: Engine) -> None:
    await history(harness)

    await projector(harness, engine).catch_up()

    queries = Queries(engine)
    for n in range(4):
        assert await queries.job(f"job-{n}") == await harness.event_log.load(ReplicationJob, f"job-{n}")


async def test_a_rebuild_gives_the_same_rows(harness: Harness, engine: Engine) -> None:
    follower = projector(harness, engine)
    await follower.catch_up()
    for n in range(3):
        await harness.job(f"early-{n}")
        await follower.catch_up()
    await history(harness)
    await follower.catch_up()
    before = rows_of(engine)

    request_rebuild(engine)
    await projector(harness, engine).catch_up()

    assert rows_of(engine) == before
    assert len(before["audit_trail"]) == len(await harness.events())


async def test_two_projectors_never_apply_an_event_twice(harness: Harness, engine: Engine) -> None:
    await history(harness)
    first, second = projector(harness, engine), projector(harness, engine)
    await first.catch_up()
    before = rows_of(engine)
    await second._take_lock()

    with pytest.raises(StorageUnavailable, match="another projector moved it"):
        await second._advance()

    assert rows_of(engine) == before


async def test_a_crash_cannot_separate_rows_from_their_checkpoint(
    harness: Harness, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows and checkpoint are in one transaction: a fault between them rolls both back."""
    await history(harness)
    before = rows_of(engine)

    def fail(*_: object) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patched:
        patched.setattr("projections.read_model.model_store.apply_batch", fail)
        with pytest.raises(RuntimeError, match="power cut"):
            await projector(harness, engine).catch_up()

    assert rows_of(engine) == before


async def test_a_read_model_that_is_not_valid_is_rebuilt(harness: Harness, engine: Engine, tmp_path: Path) -> None:
    await history(harness)
    await projector(harness, engine).catch_up()
    before = rows_of(engine)
    with engine.begin() as connection:
        connection.execute(update(schema.position).values(is_valid=False))

    again = open_read_model(tmp_path / "read_model.sqlite", sqlite3)
    await projector(harness, again).catch_up()

    assert rows_of(again) == before
    again.dispose()


async def test_jobs_are_filtered_and_paged(harness: Harness, engine: Engine) -> None:
    await history(harness)
    await projector(harness, engine).catch_up()
    queries = Queries(engine)

    async def ids(wanted: JobFilter, limit: int = 10, after: str = "") -> list[str]:
        return [job.id for job in await queries.jobs(wanted, limit, after)]

    assert await ids(JobFilter(), limit=2) == ["job-0", "job-1"]
    assert await ids(JobFilter(), limit=2, after="job-1") == ["job-2", "job-3"]
    assert await ids(JobFilter(state=("completed",))) == ["job-1"]
    assert await ids(JobFilter(needs_attention=True)) == ["job-2"]
    assert await ids(JobFilter(vm_context_id=("ctx-job-3", "ctx-nowhere"))) == ["job-3"]


async def test_a_projector_continues_after_a_log_that_could_not_be_read(harness: Harness, engine: Engine) -> None:
    class Unsteady:
        """A log that cannot be read the first three times."""

        def __init__(self) -> None:
            self.error = 3

        async def read_from(self, position: int, limit: int) -> list[tuple[int, Event]]:
            self.break_down()
            return await harness.event_log.read_from(position, limit)

        async def head(self) -> int:
            self.break_down()
            return await harness.event_log.head()

        def break_down(self) -> None:
            if self.error:
                self.error -= 1
                raise StorageUnavailable("the event log cannot be read: this test says so")

    await history(harness)
    head = await harness.event_log.head()
    follower = Projector(engine, Unsteady(), harness.clock, harness.log)

    await while_running(follower.run(), lambda: follower.position == head)

    assert harness.log.events.count("projection_failed") == 1
    assert follower.lag == 0


async def test_a_projector_continues_from_the_checkpoint_that_another_one_moved(
    harness: Harness, engine: Engine
) -> None:
    await history(harness)
    late, quick = projector(harness, engine), projector(harness, engine)
    await late.catch_up()
    await harness.job("job-9")
    await quick.catch_up()

    running = asyncio.ensure_future(late.run())
    head = await harness.event_log.head()
    late.committed(head)
    moved = await late.reached(head, timeout=10)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert moved
    assert await Queries(engine).job("job-9") is not None


async def test_an_event_of_one_job_changes_the_row_of_no_other(harness: Harness, engine: Engine) -> None:
    follower = projector(harness, engine)
    for n in range(3):
        await harness.job(f"job-{n}")
    await follower.catch_up()
    before = rows_of(engine)["jobs"]

    harness.vma.says["job-1"] = COMPLETED
    await harness.decided("job-1")
    await follower.catch_up()

    after = rows_of(engine)["jobs"]
    assert len(after) == 3
    assert [a == b for a, b in zip(after, before, strict=True)] == [True, False, True]


async def test_more_streams_than_fit_into_one_query_are_all_updated(
    harness: Harness, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.read_model.bulk.ROWS", 2)
    follower = projector(harness, engine)
    for n in range(5):
        await harness.job(f"job-{n}")
        harness.vma.says[f"job-{n}"] = RUNNING
    await follower.catch_up()
    first = [row.first_position for row in positions(engine)]

    for n in range(5):
        await harness.decided(f"job-{n}")
    await follower.catch_up()

    queries = Queries(engine)
    for n in range(5):
        assert await queries.job(f"job-{n}") == await harness.event_log.load(ReplicationJob, f"job-{n}")
    assert [row.first_position for row in positions(engine)] == first


def positions(engine: Engine) -> Sequence[Row[Any]]:
    with engine.connect() as connection:
        return connection.execute(select(schema.jobs.c.first_position).order_by(schema.jobs.c.id)).all()


async def test_a_run_has_the_position_of_its_first_event(harness: Harness, engine: Engine) -> None:
    run = RecoveryRun(id="run-1")
    run.start(Cause.RESTART, "instance-1", harness.policy, (), harness.clock.now(), REQUEST)
    run.interrupt("the process ended", harness.clock.now(), REQUEST)
    await harness.job()
    position = await harness.event_log.append(run.collect_events())

    await projector(harness, engine).catch_up()

    assert [place for place, _ in await Queries(engine).runs(10)] == [position - 1]


async def test_a_projector_shows_its_lag_and_whether_it_has_caught_up(harness: Harness, engine: Engine) -> None:
    follower = projector(harness, engine)
    assert (follower.position, follower.lag, follower.caught_up) == (0, 0, False)
    await history(harness)
    head = await harness.event_log.head()

    follower.committed(head)
    follower.committed(head - 1)
    assert follower.lag == head
    assert not await follower.reached(head, timeout=0.01)
    await follower.catch_up()

    assert (follower.position, follower.lag, follower.caught_up) == (head, 0, True)
    assert await follower.reached(head, timeout=5)
    assert await follower.reached(head - 1, timeout=5)


async def test_an_open_job_that_has_long_been_inconclusive_needs_attention_until_it_ends(
    harness: Harness, engine: Engine
) -> None:
    follower, queries = projector(harness, engine), Queries(engine)

    async def need_attention() -> list[str]:
        await follower.catch_up()
        return [job.id for job in await queries.jobs(JobFilter(needs_attention=True), 10, "")]

    for job_id in ("job-1", "job-2"):
        await harness.job(job_id)
        harness.vma.says[job_id] = VMAStatus.UNINTELLIGIBLE
        await harness.decided(job_id, inconclusive_for=299.0)
    assert await need_attention() == []

    await harness.decided("job-1", inconclusive_for=300.0)
    assert await need_attention() == ["job-1"]

    await harness.app.operator_decide("job-1", Outcome.FAIL, "mara", "gone", REQUEST)
    assert await need_attention() == []


async def test_a_projector_ahead_of_its_read_model_applies_nothing(harness: Harness, engine: Engine) -> None:
    await history(harness)
    follower = projector(harness, engine)
    await follower.catch_up()
    request_rebuild(engine)
    before = rows_of(engine)
    await harness.job("job-9")

    with pytest.raises(StorageUnavailable, match="another projector moved it"):
        await follower._advance()

    assert rows_of(engine) == before


async def test_a_commit_without_a_call_is_found_by_polling(
    harness: Harness, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.read_model.projector.SLOW_POLL", 0.01)
    follower = projector(harness, engine)
    running = asyncio.ensure_future(follower.run())
    assert not await follower.reached(1, timeout=0.05)

    await harness.job()
    found = await follower.reached(await harness.event_log.head(), timeout=10)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert found


class FaultyLog(MemoryLog):
    """Raises an unexpected error while `fault` is set."""

    fault: Exception | None = None

    async def read_from(self, position: int, limit: int) -> list[tuple[int, Event]]:
        await asyncio.sleep(0)
        if self.fault is not None:
            raise self.fault
        return await super().read_from(position, limit)


async def test_an_unexpected_error_is_logged_once_and_the_projector_continues_after_it(engine: Engine) -> None:
    log = FaultyLog()
    harness = Harness(log)
    await harness.job()
    log.fault = TypeError("a slip")
    follower = Projector(engine, log, harness.clock, harness.log)
    running = asyncio.ensure_future(follower.run())

    async def has_tried_again() -> bool:
        return harness.clock.elapsed > 3

    await eventually(has_tried_again)
    trouble, log.fault = follower.error, None
    found = await follower.reached(await log.head(), timeout=10)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert trouble == "the read model cannot be updated: TypeError: a slip"
    assert harness.log.events.count("projection_failed") == 1
    assert found
    assert not follower.error


class CountedLog(MemoryLog):
    """Counts its reads."""

    reads = 0

    async def read_from(self, position: int, limit: int) -> list[tuple[int, Event]]:
        self.reads += 1
        await asyncio.sleep(0)
        return await super().read_from(position, limit)


async def test_without_new_events_the_log_is_not_read_until_the_next_poll(engine: Engine) -> None:
    harness, log = Harness(MemoryLog()), CountedLog()
    follower = asyncio.ensure_future(Projector(engine, log, harness.clock, harness.log).run())

    async def has_read() -> bool:
        return log.reads > 0

    await eventually(has_read)
    for _ in range(200):
        await asyncio.sleep(0)
    follower.cancel()
    await asyncio.gather(follower, return_exceptions=True)

    assert log.reads == 1
