"""The event logs of tests, on the engine of this run: SQLite files, or with `--log postgres` PostgreSQL schemas.

A log has the place of its data directory on both engines, so that a test names it in the same way.
"""

import hashlib
import secrets
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from psycopg.sql import SQL, Identifier

from adapters.event_log import sqlite_stored_log
from adapters.event_log.database_log import DatabaseEventLog
from adapters.event_log.seals import Verdict
from adapters.event_log.seals import verify as verify_rows
from adapters.event_log.sqlite import sqlite3
from adapters.event_log.sqlite_store import SQLiteEventLog
from adapters.tokens import TokenStore
from api.runtime.settings import Settings
from api.runtime.token_stores import token_store
from tests.support import postgres

SQLITE, POSTGRES = "sqlite", "postgres"
ENGINES = (SQLITE, POSTGRES)

_PREFIX = f"jr_test_{secrets.token_hex(4)}_"
_engine = SQLITE


def choose(engine: str) -> None:
    """Have the logs of tests on this engine from now on."""
    global _engine  # noqa: PLW0603 - pytest's option is one for the process
    _engine = engine


def engine() -> str:
    """Return the present engine."""
    return _engine


def schema_of(data_dir: Path) -> str:
    """Return the schema of the log that belongs to a data directory."""
    postgres.need_postgres()
    return _PREFIX + hashlib.sha256(str(data_dir).encode()).hexdigest()[:12]


def settings_of(data_dir: Path) -> dict[str, str]:
    """Return the settings of a service with this data directory that say where its log is."""
    if _engine == SQLITE:
        return {}
    return {"database_url": postgres.SERVER, "database_schema": schema_of(data_dir)}


def environment_of(data_dir: Path) -> dict[str, str]:
    """Return the environment of a command with this data directory."""
    settings = {"data_dir": str(data_dir), **settings_of(data_dir)}
    return {f"JOB_RECOVERY_{name.upper()}": value for name, value in settings.items()}


def use(monkeypatch: pytest.MonkeyPatch, data_dir: Path) -> None:
    """Have commands in this process use a data directory."""
    for name, value in environment_of(data_dir).items():
        monkeypatch.setenv(name, value)


def tokens_of(data_dir: Path) -> TokenStore:
    """Return where the tokens of a service with this data directory are."""
    where: dict[str, Any] = {"data_dir": data_dir, **settings_of(data_dir)}
    return token_store(Settings(**where))


def open_log(data_dir: Path) -> DatabaseEventLog:
    """Open or create the log that belongs to a data directory."""
    if _engine == SQLITE:
        data_dir.mkdir(exist_ok=True)
        return SQLiteEventLog(data_dir / "events.sqlite", synchronous="NORMAL")
    from adapters.event_log.postgres_store import PostgresEventLog  # noqa: PLC0415 - slow to import

    return PostgresEventLog(postgres.SERVER, schema_of(data_dir), patience=0)


def execute(data_dir: Path, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """Execute a statement on a log, with `?` for each value and `position` for the column of positions."""
    if _engine == POSTGRES:
        text = statement.replace("position", "notification_id").replace("?", "%s")
        return postgres.execute(text, *values, schema=schema_of(data_dir))
    with closing(sqlite3.connect(data_dir / "events.sqlite")) as connection, connection:
        return connection.execute(statement.replace("position", "rowid"), values).fetchall()


def verify(data_dir: Path) -> Verdict:
    """Check a log against its seals."""
    if _engine == SQLITE:
        return sqlite_stored_log.verify(data_dir / "events.sqlite")
    from adapters.event_log.postgres_store import database_of  # noqa: PLC0415 - slow to import
    from adapters.event_log.postgres_stored_log import stored_log  # noqa: PLC0415

    with stored_log(database_of(postgres.SERVER, schema_of(data_dir))) as log:
        return verify_rows(log)


def make_writable(log: DatabaseEventLog, *, writable: bool) -> None:
    """Have the database below an open log refuse or accept writes."""
    if isinstance(log, SQLiteEventLog):
        with log._recorder.datastore.transaction(commit=True) as cursor:
            cursor.execute(f"PRAGMA query_only={'OFF' if writable else 'ON'}")
        return
    session = log._storage.writer._datastore.session  # type: ignore[attr-defined]
    session.execute(f"SET default_transaction_read_only = {'off' if writable else 'on'}")


def back_up(data_dir: Path) -> None:
    """Copy the data of a stopped service."""
    backup = _backup_of(data_dir)
    shutil.copytree(data_dir, backup)
    if _engine == POSTGRES:
        _copy(schema_of(data_dir), schema_of(backup))


def restore(data_dir: Path) -> None:
    """Put the copy in the place of the data of a stopped service."""
    backup = _backup_of(data_dir)
    shutil.rmtree(data_dir)
    backup.rename(data_dir)
    if _engine == POSTGRES:
        _drop(schema_of(data_dir))
        names = [Identifier(schema_of(one)) for one in (backup, data_dir)]
        _execute(SQL("ALTER SCHEMA {} RENAME TO {}").format(*names).as_string())


def drop_all() -> None:
    """Drop all schemas that this process has used."""
    for (schema,) in postgres.execute("SELECT nspname FROM pg_namespace WHERE starts_with(nspname, %s)", _PREFIX):
        _drop(schema)


def _backup_of(data_dir: Path) -> Path:
    return data_dir.with_suffix(".backup")


def _copy(schema: str, to: str) -> None:
    _execute(SQL("CREATE SCHEMA {}").format(Identifier(to)).as_string())
    for (table,) in _execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", schema):
        source, target = Identifier(schema, table), Identifier(to, table)
        _execute(SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL)").format(target, source).as_string())
        _execute(SQL("INSERT INTO {} SELECT * FROM {}").format(target, source).as_string())


def _drop(schema: str) -> None:
    _execute(SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(Identifier(schema)).as_string())


def _execute(statement: str, *values: object) -> list[tuple[Any, ...]]:
    return postgres.execute(statement, *values)
