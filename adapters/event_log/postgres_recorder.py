"""The library's recorders for PostgreSQL, which seal what they insert."""

from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Any, LiteralString

import msgspec
import psycopg
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresAggregateRecorder, PostgresApplicationRecorder
from psycopg.rows import DictRow
from psycopg.sql import SQL

from adapters.event_log.database_errors import UnknownRegistration
from adapters.event_log.followed import Followed
from adapters.event_log.history import AnotherEnd, History
from adapters.event_log.postgres_datastore import PostgresDatastore
from adapters.event_log.postgres_holders import who_locks
from adapters.event_log.postgres_session import Session
from adapters.event_log.seals import NOTHING_SEALED, Seal, next_seal, rows_of, seal_of
from domain.events import JobRegistered, OutcomeRevised

LAST_SEAL = "SELECT last, hash FROM seals ORDER BY first DESC LIMIT 1"
INSERT_SEAL = "INSERT INTO seals (first, last, digests, hash) VALUES (%s, %s, %b, %b)"

END = """
SELECT last, hash, (SELECT coalesce(max(notification_id), 0) FROM stored_events) AS head
FROM (SELECT 1) AS one LEFT JOIN (SELECT last, hash FROM seals ORDER BY first DESC LIMIT 1) AS seal ON true
"""
"""The last seal, and the position of the last event, which has that seal."""

SEAL_AT = "SELECT last, hash FROM seals WHERE first <= %s ORDER BY first DESC LIMIT 1"

REGISTRATIONS = """
SELECT notification_id, state FROM stored_events WHERE notification_id > %s AND notification_id < %s AND topic = %s
"""

NEED_ALL_REGISTRATIONS = frozenset({JobRegistered.topic, OutcomeRevised.topic})
"""Events of which the decision depends on whose a volume is. Two instances would give one volume to two jobs."""

LAST_COMMON = """
SELECT last, hash FROM seals JOIN unnest(%s::bigint[], %b::bytea[]) AS known (last, hash) USING (last, hash)
ORDER BY last DESC LIMIT 1
"""

INSERT_EVENTS = """
INSERT INTO stored_events (originator_id, originator_version, topic, state, notification_id)
SELECT originator_id, originator_version, topic, state, head + number
FROM unnest(%s::text[], %s::bigint[], %s::text[], %b::bytea[])
     WITH ORDINALITY AS given (originator_id, originator_version, topic, state, number),
     (SELECT coalesce(max(notification_id), 0) AS head FROM stored_events) AS stored
RETURNING notification_id
"""
"""A sequence would leave a gap after each refused transaction. The table's lock makes the highest position ours."""

INSERT_SNAPSHOTS = """
INSERT INTO stored_snapshots (originator_id, originator_version, topic, state)
SELECT * FROM unnest(%s::text[], %s::bigint[], %s::text[], %b::bytea[])
"""

SELECT_STORED = """
SELECT notification_id, topic, state
FROM unnest(%s::text[], %s::bigint[]) WITH ORDINALITY AS given (originator_id, originator_version, number)
JOIN stored_events USING (originator_id, originator_version) ORDER BY number
"""

LAST_SNAPSHOTS = """
SELECT last.originator_id, originator_version, topic, state
FROM unnest(%s::text[]) AS given (originator_id),
     LATERAL (SELECT * FROM stored_snapshots AS stored WHERE stored.originator_id = given.originator_id
              ORDER BY originator_version DESC LIMIT 1) AS last
"""

EVENTS_AFTER = """
SELECT originator_id, originator_version, topic, state
FROM unnest(%s::text[], %s::bigint[]) AS given (originator_id, version)
JOIN stored_events USING (originator_id) WHERE originator_version > version
ORDER BY originator_id, originator_version
"""

SPARE = 0.6
"""Seconds of a write's time that are left for the rest when it waits for the table's lock.

On a busy machine, the answer that the lock was not free must still arrive in time, or the reason is not known.
"""


class _Volumes(msgspec.Struct, frozen=True):
    """The volumes of a registration."""

    vma: str
    volume_ids: tuple[str, ...]

    @staticmethod
    def of(state: bytes) -> "_Volumes":
        """Return those of a stored event."""
        return msgspec.json.decode(state, type=_Volumes)

    def overlaps(self, other: "_Volumes") -> bool:
        """Return whether both have a volume of the same VMA."""
        return self.vma == other.vma and not set(self.volume_ids).isdisjoint(other.volume_ids)


class SealingRecorder(PostgresApplicationRecorder):
    """Stores events, and their seal in the same transaction."""

    datastore: PostgresDatastore
    history: History | None = None
    """What the log must have before an event is added to it; only the writer has one."""
    followed: Followed | None = None
    """Which events of others are known; only the writer has it."""

    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        **_: Any,  # noqa: ANN401 - the library's signature
    ) -> Sequence[int]:
        """Store the events at the next positions; return these.

        Raises:
            AnotherEnd: the log does not have its history. The events were perhaps decided on what it has lost.
            UnknownRegistration: a job was registered by another instance, and is not known here yet.

        The library's own method is retried for long, waits for the lock without end, and notifies a channel that all
        schemas of a database share.

        """
        with self.datastore.get_connection() as session, session.pipeline() as pipeline, session.transaction():
            seals, events = session.cursor(), session.cursor()
            self._lock(session)
            seals.execute(LAST_SEAL)
            events.execute(INSERT_EVENTS, _columns(stored_events), binary=True)
            pipeline.sync()
            last, inserted = _seal(seals.fetchone()), events.fetchall()
            positions = sorted(row["notification_id"] for row in inserted)
            self._go_on(session, _end(last, positions[0] - 1))
            self._check_registrations(session, positions, stored_events)
            row = next_seal(bytes.fromhex(last.hash), rows_of(positions, stored_events))
            seals.execute(INSERT_SEAL, row)
        if self.history is not None:
            self.history.add(seal_of(row))
        if self.followed is not None:
            self.followed.wrote(positions[0], positions[-1])
        return positions

    def write_heartbeat(self) -> None:
        """Commit a row that is not an event, under the lock that events need.

        Raises:
            AnotherEnd: the log does not have its history.

        """
        with self.datastore.get_connection() as session, session.transaction():
            self._lock(session)
            self._go_on(session, self.end())
            session.execute(
                "INSERT INTO heartbeat VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET beats = heartbeat.beats + 1"
            )

    def positions_of(self, stored_events: Sequence[StoredEvent]) -> list[int] | None:
        """Return the positions of these very events; None if the log does not have all of them."""
        ids, versions, *_ = _columns(stored_events)
        with self.datastore.get_connection() as session:
            rows = session.execute(SELECT_STORED, [ids, versions]).fetchall()
        found = [(row["topic"], row["state"]) for row in rows]
        wanted = [(event.topic, event.state) for event in stored_events]
        return [row["notification_id"] for row in rows] if found == wanted else None

    def last_snapshots(self, stream_ids: Sequence[str]) -> list[StoredEvent]:
        """Return the last snapshot of each of these streams that has one."""
        return self._stored(LAST_SNAPSHOTS, [list(stream_ids)])

    def events_after(self, versions: Mapping[str, int]) -> list[StoredEvent]:
        """Return the events of these streams after a version of each, in the order of their versions."""
        return self._stored(EVENTS_AFTER, [list(versions), list(versions.values())])

    def _stored(self, query: LiteralString, parameters: Sequence[Any]) -> list[StoredEvent]:
        with self.datastore.get_connection() as session:
            return [StoredEvent(**row) for row in session.execute(query, parameters, binary=True)]

    def last_seal(self) -> Seal:
        """Return the seal of the whole log."""
        with self.datastore.get_connection() as session:
            found = session.execute(LAST_SEAL).fetchone()
        return _seal(found)

    def end(self) -> Seal:
        """Return the seal of the whole log, of whose events nothing is missing at the end.

        Raises:
            AnotherEnd: the last event does not have the last seal.

        """
        with self.datastore.get_connection() as session:
            found = session.execute(END).fetchone()
        assert found is not None  # noqa: S101 - it always has one row
        return _end(_seal(found), found["head"])

    def last_common(self, seals: Sequence[Seal]) -> Seal | None:
        """Return the last of these seals that the log has."""
        known = [seal.position for seal in seals], [bytes.fromhex(seal.hash) for seal in seals]
        with self.datastore.get_connection() as session:
            found = session.execute(LAST_COMMON, known).fetchone()
        return _seal(found) if found else next((seal for seal in seals if seal == NOTHING_SEALED), None)

    def seal_at(self, position: int) -> Seal:
        """Return the last seal that begins at a position or before."""
        with self.datastore.get_connection() as session:
            return _seal_at(session, position)

    def _go_on(self, session: psycopg.Connection[DictRow], end: Seal) -> None:
        history = self.history
        if history is not None and end != history.last:
            history.go_on(end, _seal_at(session, history.last.position))

    def _check_registrations(
        self, session: psycopg.Connection[DictRow], positions: Sequence[int], events: Sequence[StoredEvent]
    ) -> None:
        """Check that the registrations of others on which these events depend are known: those of the same volumes.

        The volumes of a revised outcome are not in its event, so it depends on all.
        """
        followed = self.followed
        if followed is None or followed.position == positions[0] - 1:
            return
        if NEED_ALL_REGISTRATIONS.isdisjoint(event.topic for event in events):
            return
        rows = session.execute(REGISTRATIONS, [followed.position, positions[0], JobRegistered.topic]).fetchall()
        unknown = [_Volumes.of(row["state"]) for row in rows if not followed.is_own(row["notification_id"])]
        ours = [_Volumes.of(event.state) for event in events if event.topic == JobRegistered.topic]
        is_revised = any(event.topic == OutcomeRevised.topic for event in events)
        if (is_revised and unknown) or any(one.overlaps(other) for one in ours for other in unknown):
            raise UnknownRegistration("another instance has registered a job meanwhile: try again")

    def who_locks(self) -> str:
        """Return who has locked the tables that a writer needs, for a message."""
        with self.datastore.get_connection() as session:
            return who_locks(session)

    def _lock(self, session: psycopg.Connection[DictRow]) -> None:
        """Lock the table against other writers, not against readers. So positions are committed in their order."""
        left = session.deadline - monotonic() - SPARE if isinstance(session, Session) else self.datastore.lock_timeout
        wait = max(0.05, min(left, self.datastore.lock_timeout))
        session.execute(SQL("SET LOCAL lock_timeout = {}").format(round(wait * 1000)))
        session.execute("LOCK TABLE stored_events IN EXCLUSIVE MODE")


class SnapshotRecorder(PostgresAggregateRecorder):
    """Stores snapshots."""

    datastore: PostgresDatastore

    def __init__(self, datastore: PostgresDatastore) -> None:
        super().__init__(datastore, events_table_name="stored_snapshots")

    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        **_: Any,  # noqa: ANN401 - the library's signature
    ) -> None:
        """Store the snapshots in one transaction."""
        with self.datastore.get_connection() as session:
            session.execute(INSERT_SNAPSHOTS, _columns(stored_events), binary=True)


def _columns(events: Sequence[StoredEvent]) -> tuple[list[str], list[int], list[str], list[bytes]]:
    return (
        [str(event.originator_id) for event in events],
        [event.originator_version for event in events],
        [event.topic for event in events],
        [event.state for event in events],
    )


def _seal(row: DictRow | None) -> Seal:
    return Seal(row["last"], row["hash"].hex()) if row and row["hash"] else NOTHING_SEALED


def _seal_at(session: psycopg.Connection[DictRow], position: int) -> Seal:
    return _seal(session.execute(SEAL_AT, [position]).fetchone())


def _end(seal: Seal, head: int) -> Seal:
    if head != seal.position:
        raise AnotherEnd
    return seal
