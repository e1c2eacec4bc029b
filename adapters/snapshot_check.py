"""Compares snapshots with the events that they stand for: a digest can be forged with the rest of the file."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from eventsourcing.persistence import StoredEvent

from adapters import snapshots
from adapters.event_mapper import EventMapper
from adapters.sqlite import sqlite3
from domain.aggregate import Snapshot
from domain.events import Event
from domain.replication_job import ReplicationJob

SNAPSHOTS = "SELECT originator_id, originator_version, topic, state FROM stored_snapshots ORDER BY 1, 2"
EVENTS = (
    "SELECT originator_id, originator_version, topic, state FROM stored_events "
    "WHERE originator_id = ? AND originator_version > ? AND originator_version <= ? ORDER BY 2"
)


def first_forged(path: Path) -> Snapshot | None:
    """Return a snapshot that would be used and is not what its events fold to; None if there is none.

    Safe beside a running service. It reads the events of each job that has a snapshot: 100,000 take about 2 s.
    """
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        connection.execute("BEGIN")
        job: ReplicationJob | None = None
        for row in connection.execute(SNAPSHOTS):
            found = snapshots.restored(*row)
            if found is None:
                continue
            if job is None or job.id != found.originator_id:
                job = None
            job = ReplicationJob.fold(job, _events(connection, found, after=job.version if job else 0))
            if job is None or job.snapshot() != found:
                return found
    return None


def drop_all(path: Path) -> None:
    """Delete all snapshots. They are derived: the events are read in their place, and new ones are made."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM stored_snapshots")


def _events(connection: sqlite3.Connection, snapshot: Snapshot, after: int) -> Iterator[Event]:
    """Read the events that a snapshot stands for, as far as they are not folded yet."""
    mapper = EventMapper()
    wanted = (snapshot.originator_id, after, snapshot.originator_version)
    for row in connection.execute(EVENTS, wanted):
        yield mapper.to_domain_event(StoredEvent(*row))
