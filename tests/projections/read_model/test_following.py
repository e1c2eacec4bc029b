"""A projector without the lock follows the checkpoint; one that gets the lock continues there.

The lock is a test's own here, so that the rules are tried on a file, too; `test_two_projectors` has those of servers.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine

from adapters.event_log.sqlite import sqlite3
from domain.errors import StorageUnavailable
from projections.queries.present import JobFilter, Queries
from projections.read_model import projector as projecting
from projections.read_model import projector_lock
from projections.read_model.model_file import open_read_model, request_rebuild
from projections.read_model.projector import Projector
from tests.support.harness import Harness, eventually, running
from tests.support.memory_log import MemoryLog


class Pair:
    """Two projectors of one log and one read model, of which `owner` has the lock."""

    def __init__(self, engines: tuple[Engine, Engine]) -> None:
        self.harness = Harness(MemoryLog())
        self.log = self.harness.event_log
        self.leader, self.follower = (
            Projector(engine, self.log, self.harness.clock, self.harness.log) for engine in engines
        )
        self._engines = {self.leader: engines[0], self.follower: engines[1]}
        self.owner = self.leader

    def is_owner(self, connection: Connection) -> bool:
        return connection.engine is self._engines[self.owner]

    async def jobs(self) -> list[str]:
        return [job.id for job in await Queries(self._engines[self.follower]).jobs(JobFilter(), 10)]


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    model = tmp_path / "read_model.sqlite"
    engines = open_read_model(model, sqlite3), open_read_model(model, sqlite3)
    pair = Pair(engines)
    monkeypatch.setattr(projector_lock, "acquire", pair.is_owner)
    monkeypatch.setattr(projecting, "SLOW_POLL", 0.01)
    yield pair
    for engine in engines:
        engine.dispose()


def stands_at(projector: Projector) -> tuple[int, int, bool]:
    return projector.position, projector.lag, projector.caught_up


async def test_a_follower_is_where_the_leader_is_and_applies_nothing_itself(pair: Pair) -> None:
    await pair.harness.job("job-1")
    await pair.leader.catch_up()
    await pair.harness.job("job-2")

    assert await pair.follower.catch_up() == 2
    assert stands_at(pair.follower) == (2, 2, False)
    assert await pair.jobs() == ["job-1"]

    await pair.leader.catch_up()
    assert await pair.follower.catch_up() == 4
    assert stands_at(pair.follower) == stands_at(pair.leader) == (4, 0, True)


async def test_a_leader_that_is_ahead_of_what_a_follower_knows_of_is_no_negative_lag(pair: Pair) -> None:
    await pair.leader.catch_up()
    await pair.follower.catch_up()
    await pair.harness.job("job-1")
    await pair.leader.catch_up()

    await pair.follower._advance()

    assert stands_at(pair.follower) == (2, 0, True)


async def test_a_running_follower_has_caught_up_when_the_leader_has(pair: Pair) -> None:
    await pair.leader.catch_up()
    await pair.harness.job("job-1")
    async with running(pair.follower.run()):

        async def knows_of_the_job() -> bool:
            return pair.follower.lag == 2

        await eventually(knows_of_the_job)
        assert stands_at(pair.follower) == (0, 2, False)
        await pair.leader.catch_up()
        assert await pair.follower.reached(2, timeout=10)

        async def has_caught_up() -> bool:
            return pair.follower.caught_up

        await eventually(has_caught_up)
        # Once it has, it stays so, whatever comes.
        await pair.harness.job("job-2")
        pair.follower.committed(4)
        await eventually(knows_of_the_job)
        assert stands_at(pair.follower) == (2, 2, True)


async def test_a_follower_that_gets_the_lock_applies_what_the_leader_has_not(pair: Pair) -> None:
    await pair.harness.job("job-1")
    await pair.leader.catch_up()
    async with running(pair.follower.run()):
        assert await pair.follower.reached(2, timeout=10)
        await pair.harness.job("job-2")
        pair.owner = pair.follower

        assert await pair.follower.reached(4, timeout=10)

    assert await pair.jobs() == ["job-1", "job-2"]
    with pytest.raises(StorageUnavailable, match="another process updates the read model"):
        await pair.leader._advance()


async def test_a_follower_knows_whether_the_read_model_is_of_this_log(pair: Pair) -> None:
    await pair.harness.job("job-1")
    await pair.leader.catch_up()
    assert not await pair.follower.reset_if_outdated()

    other = Harness(MemoryLog())
    other.clock.advance(1)
    await other.job("job-1")
    pair.follower._log = other.event_log

    assert await pair.follower.reset_if_outdated()
    assert await pair.jobs() == ["job-1"]


async def test_a_follower_waits_while_the_read_model_is_at_no_event_of_its_log(pair: Pair) -> None:
    await pair.harness.job("job-1")
    await pair.leader.catch_up()
    request_rebuild(pair._engines[pair.leader])

    with pytest.raises(StorageUnavailable, match="another process updates the read model, and is not at an event of"):
        await pair.follower.catch_up()

    await pair.leader.reset_if_outdated()
    await pair.leader.catch_up()
    assert await pair.follower.catch_up() == 2


async def test_a_follower_takes_a_read_model_of_another_log_as_soon_as_the_lock_is_free(pair: Pair) -> None:
    """A backup of the log was restored while the process that had the lock still held it, with events that are lost."""
    for job in ("job-1", "job-2"):
        await pair.harness.job(job)
    await pair.leader.catch_up()
    restored = Harness(MemoryLog())
    await restored.job("job-1")
    pair.follower._log = restored.event_log

    async with running(pair.follower.run()):

        async def waits() -> bool:
            return pair.follower.error is not None

        await eventually(waits)
        pair.owner = pair.follower

        async def is_of_its_own_log() -> bool:
            return pair.follower.error is None and pair.follower.caught_up

        await eventually(is_of_its_own_log)

    assert await pair.jobs() == ["job-1"]
    assert pair.harness.log.events.count("read_model_of_another_log") == 1


async def test_a_leader_stands_still_if_it_applies_nothing_of_what_there_is_for_too_long(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def follow_after(seconds: float) -> int:
        with monkeypatch.context() as patched:
            patched.setattr(loop, "time", lambda: began + seconds)
            return await pair.follower.catch_up()

    await pair.leader.catch_up()
    assert await follow_after(0) == await follow_after(100) == 0
    await pair.harness.job("job-1")
    assert await follow_after(101) == await follow_after(106) == 0
    with pytest.raises(StorageUnavailable, match="at position 0 and has not moved for 6 s"):
        await follow_after(106.6)

    await pair.leader.catch_up()
    await pair.harness.job("job-2")
    assert await follow_after(107) == await follow_after(112) == 2
    with pytest.raises(StorageUnavailable, match="at position 2 and has not moved for 5 s"):
        await follow_after(112.1)


async def test_a_commit_of_many_batches_is_applied_as_a_whole(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projecting, "SLOW_POLL", 60.0)
    monkeypatch.setattr(projecting, "LIVE_BATCH", 1)
    async with running(pair.leader.run()):

        async def waits() -> bool:
            return pair.leader.caught_up

        await eventually(waits)
        for number in range(3):
            await pair.harness.job(f"job-{number}")
        pair.leader.committed(await pair.log.head())

        assert await pair.leader.reached(6, timeout=10)
