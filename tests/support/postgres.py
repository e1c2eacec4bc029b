"""A PostgreSQL server for tests, and a schema of its own for each."""

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.support.missing import miss

VARIABLE = "JOB_RECOVERY_TEST_POSTGRES"
SERVER = os.environ.get(VARIABLE) or "postgresql://postgres@127.0.0.1:5432/postgres"
NEEDS_POSTGRES = (
    f"needs PostgreSQL: set {VARIABLE} to the URL of a superuser, or set JOB_RECOVERY_INSTALL=1 and run "
    "scripts/need-postgres"
)


@cache
def _answers() -> bool:
    try:
        psycopg.connect(SERVER, connect_timeout=5).close()
    except psycopg.Error:
        return False
    return True


def execute(statement: str, *values: object, schema: str = "public", **other: str) -> list[tuple[Any, ...]]:
    """Execute a statement as a superuser, and return its rows."""
    with psycopg.connect(make_conninfo(SERVER, options=f"-csearch_path={schema}", **other), autocommit=True) as session:
        cursor = session.execute(statement.encode(), values or None)
        return cursor.fetchall() if cursor.description else []


@contextmanager
def new_role(name: str, defaults: Mapping[str, str]) -> Iterator[str]:
    """Return a role with these defaults that may create schemas; drop it afterwards, with all that it owns."""
    (database,) = execute("SELECT current_database()")[0]
    execute(f"CREATE ROLE {name} LOGIN PASSWORD '{name}'")
    for setting, value in defaults.items():
        execute(f"ALTER ROLE {name} SET {setting} = '{value}'")
    _execute_alone(f"GRANT CREATE ON DATABASE {database} TO {name}")
    try:
        yield name
    finally:
        _execute_alone(f"DROP OWNED BY {name} CASCADE")
        execute(f"DROP ROLE {name}")


def _execute_alone(statement: str) -> None:
    """Change who may use the database: of two such changes at once, the server refuses one."""
    with psycopg.connect(SERVER, autocommit=True) as session:
        session.execute("SELECT pg_advisory_lock(hashtext('who may use the database'))")
        session.execute(statement.encode())


def need_postgres() -> None:
    """Skip the test if there is no server, with instructions; fail where it was named or should have been installed."""
    if not _answers():
        miss(NEEDS_POSTGRES, VARIABLE)


@contextmanager
def new_schema() -> Iterator[str]:
    """Return the name of a schema that does not exist yet; drop it afterwards, with all sessions on it."""
    need_postgres()
    name = f"jr_test_{secrets.token_hex(6)}"
    try:
        yield name
    finally:
        execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")


def url_to(port: int, **other: str) -> str:
    """Return the server's URL by another port of this machine, such as that of a relay."""
    return make_conninfo(SERVER, host="127.0.0.1", port=port, **other)


def password() -> str | None:
    """Return the superuser's password; None if the server asks for none."""
    found = conninfo_to_dict(SERVER).get("password")
    return str(found) if found else None


def port() -> int:
    """Return the server's port."""
    return int(conninfo_to_dict(SERVER).get("port") or 5432)
