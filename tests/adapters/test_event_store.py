"""The log: what was acknowledged is there, in order, once; what was refused left no trace."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from adapters.event_store import SQLiteEventLog
from adapters.sqlite import sqlite3
from domain.errors import ConcurrentWrite, StorageUnavailable
from domain.events import EVENTS, Event, JobStalled, Trace
from domain.replication_job import ReplicationJob
from tests.builders import NOON


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.sqlite"


@pytest.fixture
def log(path: Path) -> Iterator[SQLiteEventLog]:
    opened = SQLiteEventLog(path)
    yield opened
    opened.close()


def registered(job_id: str) -> ReplicationJob:
    job = ReplicationJob(id=job_id)
    job.register("vm", f"ctx-{job_id}", ("v1",), "default", 0.0, NOON, Trace("r", "r"))
    return job


async def positions(log: SQLiteEventLog) -> list[int]:
    return [position for position, _ in await log.read_from(0, 10_000)]


async def test_what_was_appended_is_loaded_again(log: SQLiteEventLog) -> None:
    job = registered("job-1")

    position = await log.append(job.collect_events())

    assert (position, await log.head()) == (1, 1)
    assert await log.load(ReplicationJob, "job-1") == job
    assert await log.load(ReplicationJob, "job-2") is None
    assert await log.load_many(ReplicationJob, ["job-1", "job-2"]) == {"job-1": job}


async def test_each_of_many_writers_at_once_is_told_its_own_position(log: SQLiteEventLog) -> None:
    told = await asyncio.gather(*(log.append(registered(f"job-{n}").pending) for n in range(300)))

    assert sorted(told) == list(range(1, 301))
    by_position = dict(await log.read_from(0, 1000))
    assert [by_position[position].originator_id for position in told] == [f"job-{n}" for n in range(300)]


async def test_a_taken_version_is_refused_and_those_in_the_same_group_stand(log: SQLiteEventLog) -> None:
    await log.append(registered("job-1").pending)

    group = [registered("job-0"), registered("job-1"), registered("job-2")]
    results = await asyncio.gather(*(log.append(job.pending) for job in group), return_exceptions=True)

    assert isinstance(results[1], ConcurrentWrite)
    assert "job-1 was written to by another process first" in str(results[1])
    assert [e.originator_id for _, e in await log.read_from(0, 9)] == ["job-1", "job-0", "job-2"]
    assert await positions(log) == sorted(set(await positions(log)))


async def test_events_of_one_request_are_stored_all_or_none(log: SQLiteEventLog) -> None:
    await log.append(registered("job-2").pending)

    with pytest.raises(ConcurrentWrite):
        await log.append([*registered("job-1").pending, *registered("job-2").pending])

    assert await log.load(ReplicationJob, "job-1") is None


async def test_a_log_that_cannot_be_written_says_so_and_takes_writes_again_later(log: SQLiteEventLog) -> None:
    with log._recorder.datastore.transaction(commit=True) as cursor:
        cursor.execute("PRAGMA query_only=ON")
    with pytest.raises(StorageUnavailable, match="cannot be written"):
        await log.append(registered("job-1").pending)
    with pytest.raises(StorageUnavailable, match="cannot be written"):
        await log.check_writable()
    with log._recorder.datastore.transaction(commit=True) as cursor:
        cursor.execute("PRAGMA query_only=OFF")

    await log.check_writable()
    await log.append(registered("job-1").pending)

    assert await positions(log) == [1]


async def test_synchronous_is_full_unless_asked_otherwise(tmp_path: Path) -> None:
    levels: list[int] = []
    default, asked = SQLiteEventLog(tmp_path / "a.sqlite"), SQLiteEventLog(tmp_path / "b.sqlite", synchronous="NORMAL")
    for log in (default, asked):
        with log._recorder.datastore.transaction(commit=True) as cursor:
            cursor.execute("PRAGMA synchronous")
            levels.append(cursor.fetchone()[0])
        log.close()

    assert levels == [2, 1]


async def test_the_log_can_be_read_with_nothing_but_sqlite(log: SQLiteEventLog, path: Path) -> None:
    await log.append(registered("job-1").pending)

    with sqlite3.connect(path) as connection:
        topic, state = connection.execute("SELECT topic, state FROM stored_events").fetchone()
    connection.close()

    assert topic == "JobRegistered"
    assert msgspec.json.decode(state)["vm_name"] == "vm"


async def test_an_event_of_a_newer_version_is_refused_by_name_and_not_skipped(log: SQLiteEventLog, path: Path) -> None:
    await log.append(registered("job-1").pending)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE stored_events SET topic = 'JobTeleported'")
    connection.close()

    with pytest.raises(StorageUnavailable, match=r"'JobTeleported' \(job-1 version 1\).*use a newer one"):
        await log.read_from(0, 10)


def test_fields_that_a_version_does_not_know_are_ignored_and_missing_ones_take_defaults() -> None:
    event = JobStalled(
        originator_id="job-1",
        originator_version=2,
        recorded_at=NOON,
        correlation_id="r",
        causation_id="r",
        since=NOON,
        stalled_for=900.0,
        progress_percent=41.0,
    )
    stored = msgspec.json.decode(msgspec.json.encode(event))
    del stored["phase"]
    stored["added_in_version_9"] = {"a": 1}

    assert msgspec.json.decode(msgspec.json.encode(stored), type=JobStalled) == event


def test_topics_are_explicit_and_no_module_paths() -> None:
    assert all(topic.isalpha() and kind.topic == topic for topic, kind in EVENTS.items())
    assert set(EVENTS.values()) == set(Event.__subclasses__())


def test_a_file_that_is_no_database_is_refused_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    path.write_bytes(b"this is a letter to my grandmother" * 100)

    with pytest.raises(StorageUnavailable, match=r"events\.sqlite cannot be opened"):
        SQLiteEventLog(path)
