"""A log that has gone back, or that another process wrote to, is recognised before anything is added to it."""

import asyncio
import os
from collections.abc import Awaitable, Callable

import pytest

from adapters.event_log.database_log import DatabaseEventLog
from adapters.null_logger import NullLogger
from domain.errors import ConcurrentWrite, LogChanged, StorageUnavailable
from tests.adapters.event_log.places import PostgresPlace, opened, registered, verify
from tests.support import postgres as server

TABLES = ("stored_events", "seals")


def end_sessions() -> None:
    """End all sessions of this process, like a server that fails."""
    ended = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name LIKE %s"
    server.execute(ended, f"job-recovery %:{os.getpid()}")


def go_back(place: PostgresPlace, to: int) -> None:
    """Lose the end of the log, like a replica that lagged."""
    place.execute("DELETE FROM stored_events WHERE position > ?", to)
    place.execute("DELETE FROM seals WHERE last > ?", to)


async def write(place: PostgresPlace, *jobs: str) -> None:
    """Write as another process, when the writer has been ended."""
    with opened(place) as other:
        for job in jobs:
            await other.append(registered(job))


async def failed_over(place: PostgresPlace, log: DatabaseEventLog, to: int, *others: str) -> str:
    """Replace the server by a replica that has less, and perhaps other events; return what the next write is told."""
    end_sessions()
    go_back(place, to)
    await write(place, *others)
    with pytest.raises(LogChanged, match="Start the service again") as told:
        await until_given_up(log)
    return str(told.value)


async def until_given_up(log: DatabaseEventLog) -> None:
    """Write until that is refused for good, and raise that error. On a slow machine, connecting may take two writes."""
    for _ in range(20):
        try:
            await log.append(registered("job-9"))
        except LogChanged:
            raise
        except StorageUnavailable:
            await asyncio.sleep(0.25)


async def test_the_events_that_a_replica_has_lost_are_counted(postgres: PostgresPlace) -> None:
    with opened(postgres) as log:
        for job in ("job-1", "job-2", "job-3"):
            await log.append(registered(job))

        told = await failed_over(postgres, log, 1)

        assert "the last 2 acknowledged events, from position 2 to 3, are lost: the server failed over" in told
        assert "register the jobs again" in told
    assert verify(postgres).events == 1


@pytest.mark.parametrize("others", [["job-5"], ["job-5", "job-6"], ["job-5", "job-6", "job-7"], ["job-2", "job-3"]])
async def test_a_log_is_not_the_same_though_as_many_events_have_taken_the_positions_of_the_lost(
    postgres: PostgresPlace, others: list[str]
) -> None:
    with opened(postgres) as log:
        for job in ("job-1", "job-2", "job-3"):
            await log.append(registered(job))
        lost = verify(postgres).seal

        told = await failed_over(postgres, log, 1, "job-4", *others[1:])

        assert f"from position 2 to 3, are lost, and {len(others)} others are in their place" in told
    assert verify(postgres).events == 1 + len(others)
    assert verify(postgres).seal != lost


async def test_events_that_another_instance_added_are_not_taken_for_lost(postgres: PostgresPlace) -> None:
    with opened(postgres) as log:
        await log.append(registered("job-1"))
        await write(postgres, "job-2", "job-3")

        with pytest.raises(ConcurrentWrite, match="another instance has registered a job"):
            await log.append(registered("job-4"))
        assert await log.append(registered("job-4")) == 4


async def test_an_empty_log_is_told_from_the_one_that_was_left(postgres: PostgresPlace) -> None:
    with opened(postgres) as log:
        await log.append(registered("job-1"))

        assert "the last 1 acknowledged events, from position 1 to 1, are lost" in await failed_over(postgres, log, 0)


async def test_a_backup_that_is_older_than_this_process_is_told(postgres: PostgresPlace) -> None:
    await write(postgres, "job-1", "job-2")
    with opened(postgres) as log:
        await log.append(registered("job-3"))

        told = await failed_over(postgres, log, 1)

        assert "it has none of the commits at positions 2 to 3 that this process knows, and ends at 1" in told


@pytest.mark.parametrize("write_something", [DatabaseEventLog.check_writable, lambda log: log.append(registered("a"))])
async def test_a_backup_that_is_restored_under_an_open_session_is_not_written_to(
    postgres: PostgresPlace, write_something: Callable[[DatabaseEventLog], Awaitable[object]]
) -> None:
    with opened(postgres) as log:
        await log.append(registered("job-1"))
        await log.append(registered("job-2"))
        go_back(postgres, 1)

        with pytest.raises(LogChanged, match="from position 2 to 2, are lost"):
            await write_something(log)
        with pytest.raises(LogChanged):
            await log.append(registered("job-4"))

    assert verify(postgres).events == 1


async def test_an_event_that_is_missing_behind_its_seal_is_not_replaced(postgres: PostgresPlace) -> None:
    with opened(postgres) as log:
        await log.append(registered("job-1"))
        postgres.execute("DELETE FROM stored_events")

        with pytest.raises(LogChanged, match="its last event is not the one that was sealed at position 1"):
            await log.append(registered("job-2"))

    assert postgres.execute("SELECT count(*) FROM stored_events") == [(0,)]


async def test_a_log_that_has_changed_is_read_anew_by_the_next_start(postgres: PostgresPlace) -> None:
    with opened(postgres) as log:
        await log.append(registered("job-1"))
        await log.append(registered("job-2"))
        await failed_over(postgres, log, 1)
        with pytest.raises(StorageUnavailable):
            await log.check_writable()

    with opened(postgres) as log:
        assert await log.append(registered("job-2")) == 2
    assert verify(postgres).events == 2


class Places(NullLogger):
    """A logger that keeps from where a log was copied."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def warning(self, event: str, /, **details: object) -> None:
        if event == "event_log_copied":
            self.told.append(details["copied_from"])


def test_a_copy_in_another_place_is_told_once(postgres: PostgresPlace) -> None:
    logger = Places()
    for _ in range(2):
        postgres.open(logger).close()
    assert logger.told == []
    elsewhere = "server 42, database 7, schema original"
    postgres.execute("UPDATE installation SET place = ?", elsewhere)

    for _ in range(2):
        postgres.open(logger).close()

    assert logger.told == [elsewhere]
    ((here,),) = postgres.execute("SELECT place FROM installation")
    ((server_id,),) = server.execute("SELECT system_identifier FROM pg_control_system()")
    assert here.startswith(f"server {server_id}, database ")
    assert here.endswith(f", schema {postgres.schema}")
