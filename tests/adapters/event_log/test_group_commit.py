"""Every write request gets a result, whatever happens to it, to other requests, and to their event loops."""

import asyncio
import gc
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from eventsourcing.persistence import OperationalError

from adapters.event_log.group_commit import GroupCommit, WriteRequest
from adapters.event_log.sqlite import sqlite3
from adapters.event_log.sqlite_store import SQLiteEventLog
from domain.errors import StorageUnavailable
from domain.events import JobStalled, Trace
from domain.replication_job import ReplicationJob
from tests.support.builders import NOON, registration
from tests.support.harness import RecordingLog

Fault = Callable[[Sequence[WriteRequest]], None]


def stalled(name: str) -> list[JobStalled]:
    return [
        JobStalled(
            originator_id=name,
            originator_version=1,
            recorded_at=NOON,
            correlation_id="r",
            causation_id="r",
            since=NOON,
            stalled_for=900.0,
            progress_percent=41.0,
        )
    ]


class Disk:
    """A store in memory that a test can block and make fail."""

    def __init__(self) -> None:
        self.stored: list[str] = []
        self.calls = 0
        self.entered = threading.Event()
        self.may_write = threading.Event()
        self.may_write.set()
        self.fault: Fault = lambda _requests: None

    def store(self, requests: Sequence[WriteRequest]) -> list[int]:
        self.calls += 1
        self.entered.set()
        self.may_write.wait(10)
        self.fault(requests)
        self.stored += [event.originator_id for request in requests for event in request.events]
        return [len(self.stored)] * len(requests)

    async def all_at_once(
        self, writer: GroupCommit, first: Sequence[JobStalled], *names: str
    ) -> list[int | BaseException]:
        """Write the first request, and several that arrive while it waits for the disk; return the result of each."""
        self.may_write.clear()
        asked = [asyncio.ensure_future(writer.submit(first, ()))]
        await asyncio.to_thread(self.entered.wait, 10)
        asked += [asyncio.ensure_future(writer.submit(stalled(name), ())) for name in names]
        await asyncio.sleep(0)
        self.may_write.set()
        return await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 10)

    async def group(self, writer: GroupCommit, *names: str) -> list[int | BaseException]:
        """Write several requests in one group, after another one; return the result of each."""
        return (await self.all_at_once(writer, stalled("first"), *names))[1:]


def raising(error: Exception, name: str = "") -> Fault:
    """Return a fault of every request, or of the request of one stream."""

    def fault(requests: Sequence[WriteRequest]) -> None:
        streams = [event.originator_id for request in requests for event in request.events]
        if streams != ["first"] and (not name or name in streams):
            raise error

    return fault


def always(error: Exception) -> Fault:
    """Return a fault of every request."""

    def fault(_: Sequence[WriteRequest]) -> None:
        raise error

    return fault


UNEXPECTED = [
    MemoryError("no more"),
    TypeError("cannot be encoded"),
    sqlite3.ProgrammingError("closed"),
    RuntimeError("odd"),
]


@pytest.mark.parametrize("error", UNEXPECTED, ids=lambda error: type(error).__name__)
async def test_an_unexpected_error_is_raised_to_its_caller_and_the_next_request_is_stored(error: Exception) -> None:
    disk, log = Disk(), RecordingLog()
    writer = GroupCommit(disk.store, log)
    disk.fault = raising(error)

    with pytest.raises(StorageUnavailable, match=f"cannot be written: {type(error).__name__}: {error}"):
        await asyncio.wait_for(writer.submit(stalled("job-1"), ()), 10)
    disk.fault = lambda _requests: None

    assert await asyncio.wait_for(writer.submit(stalled("job-1"), ()), 10) == 1
    assert log.events == ([] if isinstance(error, sqlite3.Error) else ["events_not_stored"])
    writer.close()


@pytest.mark.parametrize("error", UNEXPECTED, ids=lambda error: type(error).__name__)
async def test_a_request_at_fault_does_not_fail_the_others_of_its_group(error: Exception) -> None:
    disk = Disk()
    writer = GroupCommit(disk.store, RecordingLog())
    disk.fault = raising(error, "job-2")

    results = await disk.group(writer, "job-1", "job-2", "job-3")

    assert isinstance(results[1], StorageUnavailable)
    assert [results[0], results[2]] == [2, 3]
    assert disk.stored == ["first", "job-1", "job-3"]
    writer.close()


async def test_a_full_disk_fails_a_group_at_once_without_trying_each_request() -> None:
    disk, log = Disk(), RecordingLog()
    writer = GroupCommit(disk.store, log)
    disk.fault = raising(OperationalError("database or disk is full"))

    results = await disk.group(writer, "job-1", "job-2", "job-3")

    assert all("disk is full" in str(answer) for answer in results)
    assert (disk.calls, log.events) == (2, [])
    writer.close()


async def test_requests_that_arrive_while_the_disk_fails_do_not_wait_for_another_try() -> None:
    disk = Disk()
    writer = GroupCommit(disk.store, RecordingLog())
    disk.fault = always(OperationalError("database is locked"))

    results = await disk.all_at_once(writer, stalled("first"), "job-1", "job-2", "job-3")

    assert all("database is locked" in str(result) for result in results)
    assert disk.calls == 1
    disk.fault = lambda _requests: None
    assert await asyncio.wait_for(writer.submit(stalled("job-9"), ()), 10) == 1
    writer.close()


async def test_requests_that_wait_while_an_earlier_one_is_found_to_be_stored_are_refused_with_it() -> None:
    disk = Disk()
    writer = GroupCommit(disk.store, RecordingLog())
    disk.fault = always(StorageUnavailable("the state was read again: try again"))

    results = await disk.all_at_once(writer, [], "job-2")

    assert [str(result) for result in results] == ["the state was read again: try again"] * 2
    assert disk.calls == 1
    disk.fault = lambda _requests: None
    assert await asyncio.wait_for(writer.submit(stalled("job-2"), ()), 10) == 1
    writer.close()


async def test_a_group_that_is_stored_one_by_one_ends_with_the_first_that_the_disk_fails() -> None:
    disk = Disk()
    writer = GroupCommit(disk.store, RecordingLog())

    def fault(requests: Sequence[WriteRequest]) -> None:
        streams = [event.originator_id for request in requests for event in request.events]
        if len(streams) > 1:
            raise TypeError("one of them cannot be encoded")
        if streams == ["job-2"]:
            raise OperationalError("database is locked")

    disk.fault = fault

    results = await disk.group(writer, "job-1", "job-2", "job-3", "job-4")

    assert results[0] == 2
    assert all("database is locked" in str(result) for result in results[1:])
    assert disk.stored == ["first", "job-1"]
    assert disk.calls == 1 + 1 + 2
    writer.close()


async def test_closing_the_log_while_the_disk_fails_refuses_the_waiting_requests_and_ends() -> None:
    disk = Disk()
    writer = GroupCommit(disk.store, RecordingLog())
    disk.fault = always(OperationalError("database is locked"))
    disk.may_write.clear()
    waiting = [asyncio.ensure_future(writer.submit(stalled(f"job-{n}"), ())) for n in range(3)]
    await asyncio.to_thread(disk.entered.wait, 10)

    ending = asyncio.ensure_future(asyncio.to_thread(writer.close))
    disk.may_write.set()
    await asyncio.wait_for(ending, 10)

    results = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 10)
    assert all(isinstance(result, StorageUnavailable) for result in results)


async def test_a_caller_with_a_closed_loop_does_not_block_other_callers() -> None:
    disk = Disk()
    writer = GroupCommit(disk.store, RecordingLog())
    disk.may_write.clear()

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(writer.submit(stalled("job-1"), ()), 0.01)

    await asyncio.to_thread(asyncio.run, give_up())
    disk.may_write.set()

    await asyncio.wait_for(writer.submit(stalled("job-2"), ()), 10)

    assert disk.stored == ["job-1", "job-2"]
    writer.close()


async def test_closing_the_log_stores_waiting_requests_and_refuses_later_ones() -> None:
    disk = Disk()
    writer = GroupCommit(disk.store, RecordingLog())
    disk.may_write.clear()
    waiting = [asyncio.ensure_future(writer.submit(stalled(f"job-{n}"), ())) for n in range(3)]
    await asyncio.sleep(0)

    closing_it = asyncio.ensure_future(asyncio.to_thread(writer.close))
    disk.may_write.set()
    await asyncio.wait_for(closing_it, 10)

    with pytest.raises(StorageUnavailable, match="the event log is closed"):
        await asyncio.wait_for(writer.submit(stalled("job-9"), ()), 10)
    await asyncio.wait_for(asyncio.gather(*waiting), 10)
    assert disk.stored == ["job-0", "job-1", "job-2"]
    writer.close()


async def test_the_error_of_a_cancelled_caller_is_not_logged_as_a_fault(tmp_path: Path) -> None:
    log = SQLiteEventLog(tmp_path / "events.sqlite")
    job = ReplicationJob(id="job-1")
    job.register(registration(job.id, vm_context_id="ctx-1"), NOON, Trace("r", "r"))
    faults: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, fault: faults.append(fault))
    await log.append(job.pending)

    with closing(sqlite3.connect(tmp_path / "events.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(log.append(job.pending), timeout=0.05)
        other.execute("ROLLBACK")
    for _ in range(3):
        # The writer's thread lets go of one batch when it has the next.
        await log.check_writable()
    gc.collect()
    loop.set_exception_handler(None)

    log.close()
    assert faults == []
