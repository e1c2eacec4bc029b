"""Sessions on PostgreSQL that depend on no default of the role, the database or the server."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any, TypeVar

import msgspec
import psycopg
from psycopg import errors
from psycopg.abc import PQGen
from psycopg.rows import DictRow, dict_row

from adapters.event_log.database_errors import DatabaseUnavailable
from adapters.event_log.postgres_errors import READ_ONLY
from adapters.event_log.postgres_pooler import refuse_transaction_pooling
from adapters.event_log.postgres_url import Parameters, place_of

T = TypeVar("T")

CONNECT_TIMEOUT = 2
"""Seconds; the least that libpq allows."""

MAX_NAME_BYTES = 63
"""Bytes of an application's name that PostgreSQL keeps."""

DEFAULTS = {
    "connect_timeout": CONNECT_TIMEOUT,
    "client_encoding": "UTF8",
    # A network that goes silent is noticed by this side within 4 s, and by the server (below) within 11 s.
    "keepalives": 1,
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 2,
    "tcp_user_timeout": 4000,
}

SETTINGS = {
    "TimeZone": "UTC",
    # psycopg reads no time in another format.
    "DateStyle": "ISO",
    "bytea_output": "hex",
    "client_min_messages": "warning",
    "default_transaction_isolation": "read committed",
    "default_transaction_deferrable": "off",
    # A session that waits for work must not end: the writer's has the lock of the log.
    "idle_session_timeout": "0",
    "transaction_timeout": "0",
    # But if this process stops in a transaction (SIGSTOP, swap), the log's table must not stay locked.
    "idle_in_transaction_session_timeout": "5s",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "10s",
}

SET = """
SELECT set_config(name, value, false)
FROM unnest(%s::text[], %s::text[]) AS wanted (name, value) JOIN pg_settings USING (name)
"""
"""A version of PostgreSQL that does not have one of the settings does not have its problem."""

SET_DURABLE = """
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'
"""
"""An event is acknowledged when it is durable, also where the role's default is faster."""


class Session(psycopg.Connection[DictRow]):
    """A connection that waits for each answer at most `limit` seconds, and for none after `deadline`.

    PostgreSQL's own limits do not help if the network swallows the answer.
    """

    limit: float = 4.0
    deadline: float = float("inf")

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """Wait for an answer; close the connection if it does not come."""
        left = min(self.limit, self.deadline - monotonic())
        try:
            return super().wait(gen, interval, max(0.0, left if timeout is None else min(left, timeout)))
        except errors._WaitTimeout:  # noqa: SLF001 - the library has no public name for it
            self.close()
            raise psycopg.OperationalError("the server did not answer in time, and the connection was closed") from None

    @contextmanager
    def until(self, deadline: float) -> Iterator[None]:
        """Set the deadline of a block."""
        self.deadline = deadline
        try:
            yield
        finally:
            self.deadline = float("inf")


class Database(msgspec.Struct, frozen=True):
    """Where a log is. It has a password, so it has no text form."""

    parameters: Parameters
    schema: str

    def __repr__(self) -> str:
        return f"Database({self.place})"

    @property
    def place(self) -> str:
        """Return its name for messages."""
        return place_of(self.parameters, self.schema)

    def arguments(self, role: str) -> dict[str, Any]:
        """Return the arguments with which a session is connected; `role` is what it is for."""
        name = f"job-recovery {role} {platform.node()}:{os.getpid()}".encode()[:MAX_NAME_BYTES].decode(errors="ignore")
        several = {"target_session_attrs": "read-write"} if "," in self.parameters.get("host", "") else {}
        own = {"application_name": name, "connect_timeout": CONNECT_TIMEOUT, "client_encoding": "UTF8"}
        return {**DEFAULTS, **several, **self.parameters, **own, "row_factory": dict_row, "autocommit": True}

    def connect(self, role: str, *, statement: float, lock: float) -> Session:
        """Return a new session, configured; `statement` and `lock` are its time limits in seconds."""
        session = Session.connect(**self.arguments(role))
        try:
            # No statement of these takes long, so a silent server is noticed sooner than by a later one.
            session.limit = min(session.limit, statement + 1)
            self.configure(session, statement=statement, lock=lock)
            session.limit = statement + 1
        except BaseException:
            session.close()
            raise
        return session

    def configure(self, session: psycopg.Connection[Any], *, statement: float, lock: float) -> None:
        """Check that a session is one of the server's own, and set all that it depends on."""
        refuse_transaction_pooling(session, lambda: Session.connect(**self.arguments("check")))
        wanted = {
            **SETTINGS,
            "search_path": self.schema,
            "statement_timeout": f"{round(statement * 1000)}",
            "lock_timeout": f"{round(lock * 1000)}",
        }
        session.execute(SET, [list(wanted), list(wanted.values())])
        session.execute(SET_DURABLE)


def check_writable(session: Session) -> None:
    """Check that a session may write.

    Raises:
        DatabaseUnavailable: the server is a replica, or read-only.

    """
    row = session.execute("SELECT current_setting('transaction_read_only') AS read_only").fetchone()
    if row is not None and row["read_only"] == "on":
        raise DatabaseUnavailable(READ_ONLY)
