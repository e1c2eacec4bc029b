"""Errors of the read model, translated from those of SQLAlchemy and msgspec.

StorageUnavailable
├── ReadModelDamaged  it contains what this service did not write; it does not recover by itself
├── ReadModelAway     its server does not answer, or refuses
└── ReadModelMissing  a table does not exist

It can be deleted at any time, because it is derived from the log.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import msgspec
from sqlalchemy import Engine
from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, InternalError, OperationalError, SQLAlchemyError

from domain.errors import StorageUnavailable

T = TypeVar("T")

REMEDY = "Restart the service, or stop it and run `job-recovery rebuild`: it is rebuilt from the log"


class ReadModelDamaged(StorageUnavailable):
    """The read model is not a complete database, or contains what this service did not write."""


def decode(stored: bytes | str, kind: type[T]) -> T:
    """Decode a stored aggregate, or the data of an event.

    Raises:
        ReadModelDamaged: it cannot be decoded.

    """
    try:
        return msgspec.json.decode(stored, type=kind)
    except ValueError as error:
        # The base class of msgspec's and of Unicode's decoding errors.
        message = f"the read model is damaged: a {kind.__name__} in it cannot be decoded: {error}. {REMEDY}"
        raise ReadModelDamaged(message) from error


class ReadModelAway(StorageUnavailable):
    """The server of the read model cannot be used now. Jobs are watched all the same."""


class ReadModelMissing(StorageUnavailable):
    """A table of the read model does not exist: it was not created yet, or it was dropped."""


NO_TABLE = ("42P01", "3F000", 1146)
"""What PostgreSQL and MariaDB answer if a table or its schema does not exist."""

NO_RIGHT = ("42501", 1142)
"""What they answer if the user may not do it, such as to create the tables of a new release."""

NO_COLUMN = (1054,)
"""What MariaDB answers if a column does not exist. PostgreSQL calls it a programming error."""


def is_on_server(engine: Engine) -> bool:
    """Return whether the read model is on a server, which may be away while this process runs."""
    return engine.dialect.name != "sqlite"


def code_of(error: DBAPIError) -> object:
    """Return the code that a server has for an error."""
    # PyMySQL has SQLSTATE, too, which is less exact than MariaDB's own numbers.
    number = next(iter(getattr(error.orig, "args", ())), None)
    return number if isinstance(number, int) else getattr(error.orig, "sqlstate", None)


def said(error: DBAPIError) -> str:
    """Return the message of a driver in one line."""
    arguments = getattr(error.orig, "args", ()) or (error.orig,)
    return " ".join(str(arguments[-1]).split())


@contextmanager
def translate_errors(engine: Engine) -> Iterator[None]:
    """Translate errors of SQLAlchemy.

    Raises:
        ReadModelMissing: a table does not exist.
        ReadModelDamaged: the content is invalid.
        ReadModelAway: its server cannot be used now.
        StorageUnavailable: it cannot be read or written now.

    """
    try:
        yield
    except SQLAlchemyError as error:
        if isinstance(error, DBAPIError) and code_of(error) in NO_RIGHT:
            # MariaDB gives new rights to new sessions only.
            engine.dispose()
        raise _translated(engine, error) from error


def _translated(engine: Engine, error: SQLAlchemyError) -> StorageUnavailable:
    on_server = is_on_server(engine)
    if not isinstance(error, DBAPIError):
        return (ReadModelAway if on_server else StorageUnavailable)(f"the read model cannot be used now: {error}")
    why = said(error)
    if code_of(error) in NO_TABLE or why.startswith("no such table"):
        return ReadModelMissing(f"the read model is not there: {why}. It is being derived from the log")
    if code_of(error) in NO_RIGHT:
        return ReadModelAway(
            f"the read model cannot be used now: {why}. Its user needs all rights on its tables, and "
            "the right to create them"
        )
    is_changed = code_of(error) in NO_COLUMN or why.startswith("no such column")
    passing = isinstance(error, OperationalError | InterfaceError | InternalError) and not is_changed
    if on_server and (passing or error.connection_invalidated):
        return ReadModelAway(f"the read model cannot be used now: {why}")
    if is_changed or (isinstance(error, DatabaseError) and not isinstance(error, OperationalError)):
        return ReadModelDamaged(f"the read model is damaged: {why}. {REMEDY}")
    return StorageUnavailable(f"the read model cannot be used now: {why}")
