"""Who waits for a write, and who does not any more."""

import asyncio
import gc
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from adapters.event_store import SQLiteEventLog
from adapters.sqlite import sqlite3
from domain.events import Trace
from domain.replication_job import ReplicationJob
from tests.builders import NOON


async def test_the_error_of_a_caller_that_has_given_up_is_no_fault(tmp_path: Path) -> None:
    log = SQLiteEventLog(tmp_path / "events.sqlite")
    job = ReplicationJob(id="job-1")
    job.register("vm", "ctx-1", ("v1",), "default", 0.0, NOON, Trace("r", "r"))
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
