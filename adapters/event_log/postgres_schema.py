"""The tables of a log on PostgreSQL: created and upgraded once, however many processes start together."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

import msgspec
import psycopg
from psycopg.rows import DictRow
from psycopg.sql import SQL, Identifier

from domain.errors import StorageUnavailable

MIGRATIONS = (
    """
    CREATE TABLE installation (
        only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
        id uuid NOT NULL,
        history uuid NOT NULL,
        schema_version integer NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE TABLE stored_events (
        originator_id text COLLATE "C" NOT NULL,
        originator_version bigint NOT NULL,
        topic text NOT NULL,
        state bytea NOT NULL,
        notification_id bigint NOT NULL,
        PRIMARY KEY (originator_id, originator_version)
    );
    CREATE UNIQUE INDEX stored_events_notification_id_idx ON stored_events (notification_id);
    CREATE TABLE stored_snapshots (
        originator_id text COLLATE "C" NOT NULL,
        originator_version bigint NOT NULL,
        topic text NOT NULL,
        state bytea NOT NULL,
        PRIMARY KEY (originator_id, originator_version)
    );
    CREATE TABLE seals (
        first bigint PRIMARY KEY,
        last bigint NOT NULL,
        digests bytea NOT NULL,
        hash bytea NOT NULL
    );
    CREATE TABLE heartbeat (id integer PRIMARY KEY, beats bigint NOT NULL);
    """,
    "ALTER TABLE installation ADD COLUMN place text",
    """
    CREATE TABLE instances (
        id text PRIMARY KEY,
        address text NOT NULL,
        version text NOT NULL,
        vmas text[] NOT NULL,
        started_at timestamptz NOT NULL DEFAULT now(),
        beats bigint NOT NULL DEFAULT 0
    )
    """,
    "CREATE TABLE shares (share text PRIMARY KEY, owner text NOT NULL)",
    """
    CREATE TABLE tokens (
        hash text COLLATE "C" PRIMARY KEY,
        name text NOT NULL,
        scope text NOT NULL CHECK (scope IN ('read', 'operate', 'admin')),
        created_at timestamptz NOT NULL,
        revoked_at timestamptz
    )
    """,
    "ALTER TABLE instances ADD COLUMN position bigint, ADD COLUMN head bigint, ADD COLUMN told_at timestamptz",
)
"""Each brings the schema to its number, counted from 1.

Ids are compared by bytes: the order of a collation changes with the server's libraries, and breaks its indexes.
"""


class Installation(msgspec.Struct, frozen=True):
    """The id of an installation, and of the line of its history."""

    id: UUID
    history: UUID


def lock_key(*names: object) -> int:
    """Return the key of an advisory lock. It carries what it is for, so that strangers' locks do not meet ours."""
    text = "\n".join(("job-recovery", *map(str, names)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big", signed=True)


def prepare(session: psycopg.Connection[DictRow], schema: str, copy_of: str | None = None) -> Installation:
    """Create or upgrade the tables, unless they are current; return the installation.

    New tables are marked as an unfinished copy if they are `copy_of` another log.

    Raises:
        StorageUnavailable: the schema is of a newer version.

    """
    if _version(session, schema) != len(MIGRATIONS):
        with _alone(session, schema), session.transaction():
            _upgrade(session, schema, copy_of)
    found = installation_of(session, schema)
    assert found is not None  # noqa: S101 - `_upgrade` inserts it
    return found


def mark_unfinished(session: psycopg.Connection[DictRow], source: str) -> None:
    """Mark the log as an unfinished copy, which no service opens. Safe to repeat."""
    session.execute("CREATE TABLE IF NOT EXISTS unfinished_copy (source text NOT NULL)")
    session.execute("DELETE FROM unfinished_copy")
    session.execute("INSERT INTO unfinished_copy VALUES (%s)", [source])


def create_schema(session: psycopg.Connection[DictRow], schema: str) -> None:
    """Create the schema if there is none. The right to create schemas is not needed if there is one."""
    found = session.execute("SELECT to_regnamespace(%s) AS found", [schema]).fetchone()
    if found is None or found["found"] is None:
        session.execute(SQL("CREATE SCHEMA IF NOT EXISTS {}").format(Identifier(schema)))


def installation_of(session: psycopg.Connection[DictRow], schema: str) -> Installation | None:
    """Return the installation of a schema; None if it has no tables."""
    if not exists(session, schema):
        return None
    row = session.execute("SELECT id, history FROM installation").fetchone()
    return Installation(row["id"], row["history"]) if row else None


def exists(session: psycopg.Connection[DictRow], schema: str) -> bool:
    """Return whether there is a log in the schema."""
    return _version(session, schema) > 0


def check_known(session: psycopg.Connection[DictRow], schema: str) -> None:
    """Check that this program knows all tables of the schema.

    Raises:
        StorageUnavailable: they are those of a newer version.

    """
    if (version := _version(session, schema)) > len(MIGRATIONS):
        raise StorageUnavailable(
            f"the schema {schema} is of version {version}, and this program knows {len(MIGRATIONS)}: use a newer one"
        )


@contextmanager
def _alone(session: psycopg.Connection[DictRow], schema: str) -> Iterator[None]:
    """Wait until no other process creates or upgrades the tables.

    The lock is taken before the transaction begins: a session learns only then which tables others have created.
    """
    key = [lock_key("schema", schema)]
    session.execute("SELECT pg_advisory_lock(%s)", key)
    try:
        yield
    finally:
        if not session.closed:
            session.execute("SELECT pg_advisory_unlock(%s)", key)


def _upgrade(session: psycopg.Connection[DictRow], schema: str, copy_of: str | None) -> None:
    check_known(session, schema)
    version = _version(session, schema)
    create_schema(session, schema)
    for migration in MIGRATIONS[version:]:
        session.execute(migration)
    if not version:
        ids = [uuid4(), uuid4(), len(MIGRATIONS)]
        session.execute("INSERT INTO installation (id, history, schema_version) VALUES (%s, %s, %s)", ids)
        if copy_of is not None:
            mark_unfinished(session, copy_of)
    session.execute("UPDATE installation SET schema_version = %s", [len(MIGRATIONS)])


def _version(session: psycopg.Connection[DictRow], schema: str) -> int:
    """Return the version of the schema; 0 if it has no tables."""
    found = session.execute("SELECT to_regclass(%s) AS found", [f"{schema}.installation"]).fetchone()
    if found is None or found["found"] is None:
        return 0
    row = session.execute("SELECT schema_version FROM installation").fetchone()
    return int(row["schema_version"]) if row else 0
