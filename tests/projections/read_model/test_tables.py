"""A stream with events in several batches is folded from its own row."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, select

from adapters.event_log.sqlite import sqlite3
from domain.events import Cause, Trace
from domain.replication_job import ReplicationJob
from projections.read_model import schema
from projections.read_model.audit_rows import Entry
from projections.read_model.bulk import ROWS
from projections.read_model.errors import decode
from projections.read_model.model_file import open_read_model
from projections.read_model.tables import apply_batch
from tests.support.builders import NOON, at, registration

TRACE = Trace("request-1", "request-1")


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    engine: Engine = open_read_model(tmp_path / "read_model.sqlite", sqlite3)
    with engine.begin() as opened:
        yield opened
    engine.dispose()


def registered(n: int) -> ReplicationJob:
    job = ReplicationJob(id=f"job-{n:04}")
    job.register(
        registration(job.id, vm_name=f"vm-{n}", vm_context_id=f"ctx-{n}", volume_ids=(f"disk-{n}",)), NOON, TRACE
    )
    return job


def positioned(jobs: list[ReplicationJob], first: int) -> list[Entry]:
    """Return the jobs' pending events with their positions."""
    events = [event for job in jobs for event in job.collect_events()]
    return list(enumerate(events, start=first))


def stored(connection: Connection) -> dict[str, tuple[int, ReplicationJob]]:
    """Return each job of the table, with the position of its first event."""
    found = connection.execute(select(schema.jobs.c.first_position, schema.jobs.c.folded)).all()
    jobs = [(position, decode(folded, ReplicationJob)) for position, folded in found]
    return {job.id: (position, job) for position, job in jobs}


@pytest.mark.parametrize("going_on", [1, ROWS, 2 * ROWS + 1])
def test_each_of_many_streams_continues_from_its_own_row_and_the_others_stay(
    connection: Connection, going_on: int
) -> None:
    jobs = [registered(n) for n in range(2 * ROWS + 3)]
    apply_batch(connection, positioned(jobs, first=1))
    for job in jobs[1 : going_on + 1]:
        job.begin_recovery("run-1", Cause.RESTART, at(10), "instance")

    apply_batch(connection, positioned(jobs, first=len(jobs) + 1))

    assert stored(connection) == {job.id: (n, job) for n, job in enumerate(jobs, start=1)}
