"""Where the tables of a log are. They remember it, so that a copy in another place is told from the original.

Two services on an original and its copy would both watch the same jobs. A physical copy of a whole server has the same
identifiers as the original, and cannot be told from it.
"""

from contextlib import suppress

import psycopg
from psycopg import errors
from psycopg.rows import DictRow

from adapters.event_log.postgres_errors import translating
from adapters.event_log.postgres_session import Database

TIMEOUT = 3.0
"""Seconds for one statement."""

SERVER = "SELECT system_identifier::text AS server FROM pg_control_system()"
DATABASE = "SELECT oid::text AS database FROM pg_database WHERE datname = current_database()"
RECORDED = "SELECT place FROM installation"
RECORD = "UPDATE installation SET place = %s"


def record_place(database: Database) -> str | None:
    """Record where the log is; return where it was before, or None if it is still there, or was nowhere yet."""
    with translating(), database.connect("setup", statement=TIMEOUT, lock=TIMEOUT) as session:
        here = _place(session, database.schema)
        row = session.execute(RECORDED).fetchone()
        before: str | None = row["place"] if row else None
        if before != here:
            session.execute(RECORD, [here])
    return before if before != here else None


def _place(session: psycopg.Connection[DictRow], schema: str) -> str:
    """Return the server's identifier, the number of the database, and the schema."""
    server = "unknown"
    # A site may have reserved the function for administrators.
    with suppress(errors.InsufficientPrivilege):
        server = _one(session, SERVER)
    return f"server {server}, database {_one(session, DATABASE)}, schema {schema}"


def _one(session: psycopg.Connection[DictRow], query: str) -> str:
    row = session.execute(query.encode()).fetchone()
    assert row is not None  # noqa: S101 - there is always one
    return str(next(iter(row.values())))
