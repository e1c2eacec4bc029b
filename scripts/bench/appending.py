"""Measures appends to the event log on SQLite (FULL), beside raw inserts of the same rows with the same durability.

    .venv/bin/python scripts/bench/appending.py [--counts AT_ONCE ...] [--repetitions N] [--short] [--json FILE]

`--counts` are the appends that wait at once; each has one event. The floor inserts them by SQLite alone, in one thread,
and commits so many at once.
"""

import asyncio
import itertools
import sys
import tempfile
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from figures import Figure, Size, command, side_by_side

from adapters.event_log.sqlite import sqlite3
from adapters.event_log.sqlite_store import SQLiteEventLog
from domain.events import Event, Trace
from domain.replication_job import Registration, ReplicationJob

EVENTS = 1000

numbers = itertools.count()


def measure(size: Size) -> list[Figure]:
    """Measure each number of appends at once."""
    with tempfile.TemporaryDirectory() as folder:
        log = SQLiteEventLog(Path(folder) / "ours.db")
        floor = sqlite3.connect(Path(folder) / "floor.db", isolation_level=None)
        floor.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
            "CREATE TABLE stored_events (originator_id TEXT, originator_version INTEGER, topic TEXT, state BLOB,"
            " PRIMARY KEY (originator_id, originator_version));"
        )
        try:
            return [figure for at_once in size.counts for figure in _at_once(log, floor, at_once, size)]
        finally:
            floor.close()
            log.close()


def _at_once(log: SQLiteEventLog, floor: "sqlite3.Connection", at_once: int, size: Size) -> list[Figure]:
    name = f"events per second, {at_once} at once"
    inserted = partial(_insert_all, log, floor, at_once)
    appended = partial(_append_all, log, at_once)
    return side_by_side(lambda: {name: inserted()}, lambda: {name: appended()}, size, {name: "≥ 0.6"})


def _events(count: int) -> list[Event]:
    return [_registered(f"job-{number:07}") for number in itertools.islice(numbers, count)]


def _registered(name: str) -> Event:
    job = ReplicationJob(id=name)
    asked = Registration(job_id=name, vm_name="vm", vm_context_id=f"ctx-{name}", volume_ids=(name,), vma="default")
    job.register(asked, datetime.now(UTC), Trace("bench", "bench"))
    event: Event = job.pending[0]
    return event


def _insert_all(log: SQLiteEventLog, floor: "sqlite3.Connection", at_once: int) -> float:
    mapper = log._storage.events.mapper  # noqa: SLF001 - the rows that the log would store
    stored = [mapper.to_stored_event(event) for event in _events(EVENTS)]
    rows = [(one.originator_id, one.originator_version, one.topic, one.state) for one in stored]
    began = time.perf_counter()
    for start in range(0, EVENTS, at_once):
        floor.execute("BEGIN IMMEDIATE")
        floor.executemany("INSERT INTO stored_events VALUES (?, ?, ?, ?)", rows[start : start + at_once])
        floor.execute("COMMIT")
    return EVENTS / (time.perf_counter() - began)


def _append_all(log: SQLiteEventLog, at_once: int) -> float:
    events = _events(EVENTS)

    async def append() -> float:
        began = time.perf_counter()
        for start in range(0, EVENTS, at_once):
            await asyncio.gather(*(log.append([event]) for event in events[start : start + at_once]))
        return EVENTS / (time.perf_counter() - began)

    return asyncio.run(append())


if __name__ == "__main__":
    command(__doc__, measure, counts=(1, 10, 100), short=10)
