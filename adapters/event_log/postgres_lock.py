"""The locks of a log. The session of the writer has them, so a process that loses the session cannot write any more.

The lock of the log is shared among its instances; who needs the log for itself takes it alone. Each instance has a lock
of its own besides, by which its next session knows that the last one has ended.
"""

import time
from collections.abc import Sequence
from datetime import datetime
from time import monotonic
from typing import LiteralString

import msgspec
from psycopg.rows import DictRow

from adapters.event_log.database_errors import DatabaseUnavailable, EventLogInUse
from adapters.event_log.postgres_session import Session

PAUSE = 0.1
"""Seconds between two attempts to take the lock."""

TRY = "SELECT pg_try_advisory_lock(%s) AS held"
TRY_SHARED = "SELECT pg_try_advisory_lock_shared(%s) AS held"
OWN = "SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()"
END = """
SELECT pg_terminate_backend(pid)
FROM unnest(%s::int[], %s::timestamptz[]) AS earlier (pid, backend_start)
JOIN pg_stat_activity USING (pid, backend_start)
"""
HOLDER = """
SELECT pid, application_name, host(client_addr) AS address, backend_start
FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND objsubid = 1 AND granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND (classid::bigint << 32) | objid::bigint = %s
"""


class ServerProcess(msgspec.Struct, frozen=True):
    """The process of the server that serves a session. Process ids are used again, so its start belongs to it."""

    pid: int
    started: datetime


def process_of(session: Session) -> ServerProcess:
    """Return the server process of a session."""
    row = session.execute(OWN).fetchone()
    assert row is not None  # noqa: S101 - it is the one that answers
    return ServerProcess(row["pid"], row["backend_start"])


def acquire(  # noqa: PLR0913 - what a lock is taken by
    session: Session,
    key: int,
    place: str,
    deadline: float,
    earlier: Sequence[ServerProcess] = (),
    *,
    shared: bool = False,
) -> None:
    """Take a lock, after the end of the sessions of this process that may have it.

    So a transaction of these has been committed or rolled back when this returns, and cannot be committed later.

    Args:
        session: a new one. The lock would stack if a session took it twice.
        key: of the lock.
        place: the name of the log, for messages.
        deadline: how long another holder is waited for.
        earlier: the server processes of these sessions.
        shared: take it with others who share it.

    Raises:
        EventLogInUse: another process has the lock; the message names it.
        DatabaseUnavailable: one of these sessions has not ended yet.

    """
    if earlier:
        session.execute(END, [[one.pid for one in earlier], [one.started for one in earlier]])
    while not _try(session, TRY_SHARED if shared else TRY, key):
        # Without a holder the lock was released since the attempt, and is free for the next one.
        if monotonic() >= deadline and (holder := session.execute(HOLDER, [key]).fetchone()) is not None:
            raise _refusal(holder, place, earlier)
        time.sleep(PAUSE)


def _try(session: Session, query: LiteralString, key: int) -> bool:
    row = session.execute(query, [key]).fetchone()
    return row is not None and bool(row["held"])


def _refusal(holder: DictRow, place: str, earlier: Sequence[ServerProcess]) -> EventLogInUse | DatabaseUnavailable:
    name, pid, address = holder["application_name"], holder["pid"], holder["address"] or "this machine"
    if any(pid == one.pid for one in earlier):
        return DatabaseUnavailable("the session that had its lock before has not ended yet")
    process = f"{name} (PostgreSQL process {pid}, connected from {address})"
    return EventLogInUse(
        f"the event log {place} is in use by {process}: stop that first, or set another JOB_RECOVERY_DATABASE_SCHEMA"
    )
