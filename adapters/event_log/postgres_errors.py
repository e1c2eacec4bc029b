"""Translates psycopg's errors, in this one place."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from eventsourcing.persistence import IntegrityError, PersistenceError
from psycopg import errors

from adapters.event_log.database_errors import DatabaseUnavailable
from adapters.event_log.postgres_pooler import TransactionPooling

READ_ONLY = (
    "the server is read-only: it is a replica, or `default_transaction_read_only` is set. Connect to the primary, or "
    "name all servers of the cluster in JOB_RECOVERY_DATABASE_URL"
)

FATAL = ("FATAL", "PANIC")
"""After an error of this severity the server closes the connection."""


def one_line(error: BaseException) -> str:
    """Return the message of an error. libpq's own have several lines."""
    return " ".join(str(error).split())


def translated(error: psycopg.Error, *, lost: bool) -> PersistenceError:
    """Return the error that callers know; `lost` is whether the connection is gone."""
    lost = lost or error.diag.severity_nonlocalized in FATAL
    match error:
        case TransactionPooling():
            # Waiting does not help, as it may with a server that is away.
            return PersistenceError(one_line(error))
        case errors.ReadOnlySqlTransaction():
            return DatabaseUnavailable(READ_ONLY, lost=lost)
        case psycopg.IntegrityError():
            return IntegrityError(one_line(error))
        case psycopg.OperationalError() | psycopg.InterfaceError():
            return DatabaseUnavailable(one_line(error), lost=lost)
    if lost:
        return DatabaseUnavailable(one_line(error), lost=True)
    return PersistenceError(f"{type(error).__name__}: {one_line(error)}")


@contextmanager
def translating(connection: psycopg.Connection[Any] | None = None) -> Iterator[None]:
    """Translate the errors of a block that uses a connection, or makes one."""
    try:
        yield
    except psycopg.Error as error:
        lost = connection is None or connection.closed
        raise translated(error, lost=lost) from error
