"""A log that has gone back is recognised at the start and while the read model follows it; the lost are counted."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from adapters.event_log.sqlite import sqlite3
from domain.errors import LogChanged
from domain.events import Event, JobReleased, UnreadableEvent, is_named
from projections.queries.present import JobFilter, Queries
from projections.read_model.model_file import open_read_model
from projections.read_model.projector import Projector
from tests.support.builders import NOON
from tests.support.clock import FakeClock
from tests.support.harness import Harness, RecordingLog
from tests.support.memory_log import MemoryLog


class DetailedLog(RecordingLog):
    """A logger that records the fields of its events, too."""

    def __init__(self) -> None:
        super().__init__()
        self.details: list[dict[str, Any]] = []

    def warning(self, event: str, /, **details: object) -> None:
        self.events.append(event)
        self.details.append(details)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = open_read_model(tmp_path / "read_model.sqlite", sqlite3)
    yield opened
    opened.dispose()


async def log_of(*jobs: str, after: MemoryLog | None = None, later: float = 0.0) -> MemoryLog:
    """Return a log with two events for each job, after those of another log."""
    harness = Harness(MemoryLog())
    if after is not None:
        await harness.event_log.append(after.events)
    harness.clock.advance(later)
    for job in jobs:
        await harness.job(job)
    assert isinstance(harness.event_log, MemoryLog)
    return harness.event_log


def projector(engine: Engine, log: MemoryLog, logger: RecordingLog | None = None) -> Projector:
    return Projector(engine, log, FakeClock(), logger or RecordingLog())


async def jobs(engine: Engine) -> list[str]:
    return [job.id for job in await Queries(engine).jobs(JobFilter(), 10)]


@pytest.mark.parametrize("kept", range(1, 5))
@pytest.mark.parametrize("others", [(), ("job-7",), ("job-7", "job-8", "job-9", "job-10")])
async def test_a_start_tells_how_many_events_are_lost_from_which_position(
    engine: Engine, kept: int, others: tuple[str, ...]
) -> None:
    common = await log_of(*(f"job-{n}" for n in range(kept)))
    await projector(engine, await log_of("job-5", "job-6", after=common)).catch_up()
    present, logger = await log_of(*others, after=common, later=1), DetailedLog()

    follower = projector(engine, present, logger)
    assert await follower.reset_if_outdated()
    await follower.catch_up()

    assert logger.events == ["read_model_of_another_log", "read_model_rebuilding"]
    (told,) = logger.details
    assert (told["lost_events"], told["from_position"], told["position"]) == (4, 2 * kept + 1, 2 * kept + 4)
    assert await jobs(engine) == sorted([*(f"job-{n}" for n in range(kept)), *others])
    assert not await projector(engine, present).reset_if_outdated()


async def test_events_that_do_not_follow_the_last_one_are_not_applied_by_a_running_service(engine: Engine) -> None:
    common = await log_of("job-1")
    follower = projector(engine, await log_of("job-2", after=common))
    await follower.catch_up()
    follower._log = await log_of("job-3", "job-4", after=common, later=1)
    follower.committed(6)

    with pytest.raises(LogChanged, match="last 2 events of the read model, from position 3 to 4, are not in"):
        await asyncio.wait_for(follower.run(), 30)

    assert await jobs(engine) == ["job-1", "job-2"]


async def test_a_log_that_is_shorter_for_a_moment_changes_nothing(engine: Engine) -> None:
    common = await log_of("job-1")
    whole = await log_of("job-2", after=common)
    follower = projector(engine, whole)
    await follower.catch_up()
    follower._log = common
    running = asyncio.ensure_future(follower.run())
    follower.committed(3)
    await asyncio.sleep(0)
    follower._log = await log_of("job-3", after=whole)
    follower.committed(6)

    assert await follower.reached(6, timeout=30)

    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert await jobs(engine) == ["job-1", "job-2", "job-3"]


def test_an_event_that_cannot_be_read_then_or_now_is_known_by_its_reference() -> None:
    fields: dict[str, Any] = {
        "originator_id": "vm-context:a", "originator_version": 7, "recorded_at": NOON,
        "correlation_id": "c", "causation_id": "c",
    }  # fmt: skip
    readable: Event = JobReleased(**fields, job_id="job-1")
    unreadable = UnreadableEvent(**fields, why="a newer version wrote it")

    for one in (readable, unreadable):
        assert is_named(one, readable.identity)
        assert is_named(one, unreadable.identity)
        assert not is_named(one, "vm-context:a#8")
        assert not is_named(one, "vm-context:a#70 at 2025-10-03T12:00:00+00:00")
        assert not is_named(one, None)
    assert not is_named(readable, "vm-context:a#7 at 2001-01-01T00:00:00+00:00")
