"""Of two projectors of one read model on a server one projects, and the other takes over when it has lost the lock."""

import asyncio
import itertools
from collections.abc import Callable
from contextlib import suppress

import pytest
from sqlalchemy import text

from adapters.host.clock import SystemClock
from domain.errors import StorageUnavailable
from projections.read_model import model_server
from projections.read_model import projector as projecting
from projections.read_model.errors import ReadModelAway
from projections.read_model.model_file import request_rebuild
from projections.read_model.model_server import ReadModel
from projections.read_model.model_store import ModelStore
from projections.read_model.projector import Projector
from tests.support.harness import Harness, running
from tests.support.memory_log import MemoryLog
from tests.support.read_model import rows_of
from tests.support.read_models import SERVERS, two_processes
from tests.support.service import wait_until

THIS = {"postgresql": "SELECT pg_backend_pid()", "mariadb": "SELECT connection_id()"}
END = {"postgresql": "SELECT pg_terminate_backend({}, 5000)", "mariadb": "KILL CONNECTION {}"}
LEFT = {
    "postgresql": "SELECT 1 FROM pg_stat_activity WHERE pid = {}",
    "mariadb": "SELECT 1 FROM information_schema.processlist WHERE id = {}",
}


def projector(harness: Harness, model: ReadModel) -> Projector:
    return Projector(model.writer, harness.event_log, SystemClock(), harness.log, model.writing)


def cut_writer(kind: str, model: ReadModel) -> None:
    """Have the server end the session that writes; return when it has, with the session's locks."""
    with model.writer.connect() as connection:
        number = connection.scalar(text(THIS[kind]))
    with model.readers.connect() as connection:
        connection.execute(text(END[kind].format(number)))
        wait_until(lambda: not connection.execute(text(LEFT[kind].format(number))).all(), what="its end")


async def until(condition: Callable[[], bool]) -> None:
    await asyncio.to_thread(wait_until, condition)


@pytest.mark.parametrize("kind", SERVERS)
async def test_one_has_the_lock_and_the_other_takes_over_when_its_connection_is_cut(kind: str) -> None:
    harness = Harness(MemoryLog())
    await harness.job("job-1")
    with two_processes(kind) as (model, other):
        first, second = projector(harness, model), projector(harness, other)
        assert await first.catch_up() == await second.catch_up() == await harness.event_log.head()
        await harness.job("job-2")
        # It follows only: the first one has not applied this yet.
        assert await second.catch_up() < await harness.event_log.head()
        cut_writer(kind, model)

        assert await second.catch_up() == await harness.event_log.head()

        await harness.job("job-3")
        with suppress(StorageUnavailable):
            # Its connection is found to be cut here or before, by the driver that it has.
            await first.catch_up()
        assert await first.catch_up() < await harness.event_log.head()
        assert await second.catch_up() == await harness.event_log.head()
        rows = rows_of(other.readers)
        request_rebuild(other.writer)
        await second.catch_up()
        assert rows_of(other.readers) == rows


@pytest.mark.parametrize("kind", SERVERS)
async def test_one_that_follows_a_lock_whose_owner_does_nothing_tells_so_and_takes_over_while_commits_go_on(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projecting, "HELD_UP_AFTER", 0.5)
    harness = Harness(MemoryLog())
    with two_processes(kind) as (model, other):
        first, second = projector(harness, model), projector(harness, other)
        await first.catch_up()
        async with running(second.run()):
            numbers = itertools.count()

            async def commit() -> None:
                while True:
                    await harness.job(f"job-{next(numbers)}")
                    second.committed(await harness.event_log.head())
                    await asyncio.sleep(0.2)

            commits = asyncio.ensure_future(commit())
            await until(lambda: "another session of its server has the lock" in (second.error or ""))
            assert second.position == 0

            model.close()
            await until(lambda: second.position > 0 and second.error is None)
            commits.cancel()
            await asyncio.gather(commits, return_exceptions=True)


@pytest.mark.parametrize("kind", SERVERS)
async def test_the_session_with_the_lock_is_used_while_nothing_is_committed(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    uses = 0
    acquire = ModelStore.acquire

    def counted(store: ModelStore) -> bool:
        nonlocal uses
        uses += 1
        return acquire(store)

    monkeypatch.setattr(ModelStore, "acquire", counted)
    harness = Harness(MemoryLog())
    with two_processes(kind) as (model, other):
        first, second = projector(harness, model), projector(harness, other)
        async with running(first.run()):
            await until(lambda: first.caught_up)
            before = uses
            await until(lambda: uses > before + 2)
            await second.catch_up()
            assert first.error is None
        await harness.job("job-1")
        assert await second.catch_up() < await harness.event_log.head()


async def test_mariadb_ends_a_session_with_the_lock_that_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_server, "PROJECTOR_IDLE", 1)
    harness = Harness(MemoryLog())
    with two_processes("mariadb") as (model, other):
        await projector(harness, model).catch_up()
        second = projector(harness, other)
        await harness.job("job-1")

        async with running(second.run()):
            await until(lambda: second.position > 0)


@pytest.mark.parametrize("kind", SERVERS)
async def test_one_that_has_led_since_does_not_count_how_long_the_other_stood_still_before(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projecting, "HELD_UP_AFTER", 0.0)
    harness = Harness(MemoryLog())
    with two_processes(kind) as (model, other):
        first, second = projector(harness, model), projector(harness, other)
        await first.catch_up()
        await harness.job("job-1")
        assert await second.catch_up() < await harness.event_log.head()
        cut_writer(kind, model)
        assert await second.catch_up() == await harness.event_log.head()
        cut_writer(kind, other)
        with suppress(StorageUnavailable):
            # As above.
            await first.catch_up()
        await first.catch_up()
        await harness.job("job-2")

        with suppress(ReadModelAway):
            # It follows, and does not say that the other one stands still.
            await second.catch_up()


@pytest.mark.parametrize("kind", SERVERS)
async def test_one_that_follows_says_that_the_other_stands_still_only_where_it_does(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projecting, "HELD_UP_AFTER", 0.0)
    harness = Harness(MemoryLog())
    with two_processes(kind) as (model, other):
        first, second = projector(harness, model), projector(harness, other)
        for number in range(3):
            await first.catch_up()
            await harness.job(f"job-{number}")
            await second.catch_up()

            for _ in range(2):
                with pytest.raises(StorageUnavailable, match=f"position {first.position} and has not moved"):
                    await second.catch_up()
