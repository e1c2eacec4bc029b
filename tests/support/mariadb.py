"""A MariaDB server for tests, and a database of its own for each."""

import os
import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache

import msgspec
import pymysql  # type: ignore[import-untyped]

from projections.read_model.mariadb import Server, server_of
from tests.support.missing import miss

VARIABLE = "JOB_RECOVERY_TEST_MARIADB"
URL = os.environ.get(VARIABLE) or "mariadb://root@127.0.0.1:3306/mysql"
NEEDS_MARIADB = (
    f"needs MariaDB: set {VARIABLE} to the URL of a superuser, or set JOB_RECOVERY_INSTALL=1 and run "
    "scripts/need-mariadb"
)


@cache
def _answers() -> bool:
    try:
        _server().connect(statement=5, lock=5, idle=60).close()
    except pymysql.Error:
        return False
    return True


def _server(database: str = "mysql") -> Server:
    return msgspec.structs.replace(server_of(URL), database=database)


def execute(statement: str) -> list[tuple[object, ...]]:
    """Execute a statement as a superuser, and return its rows."""
    with closing(_server().connect(statement=30, lock=30, idle=60)) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


@contextmanager
def new_database() -> Iterator[Server]:
    """Return an empty database; drop it afterwards. Its own defaults are those that must have no effect."""
    if not _answers():
        miss(NEEDS_MARIADB, VARIABLE)
    name = f"jr_test_{secrets.token_hex(6)}"
    execute(f"CREATE DATABASE {name} CHARACTER SET latin1 COLLATE latin1_swedish_ci")
    try:
        yield _server(name)
    finally:
        execute(f"DROP DATABASE {name}")
