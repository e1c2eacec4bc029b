"""Errors of the read model, translated from those of SQLAlchemy and msgspec.

A damaged read model does not recover by itself, unlike one that is temporarily unavailable. It can be quarantined at
any time, because it is derived from the log.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import msgspec
from sqlalchemy.exc import DatabaseError, OperationalError, SQLAlchemyError

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


@contextmanager
def translate_errors() -> Iterator[None]:
    """Translate errors of SQLAlchemy.

    Raises:
        ReadModelDamaged: the content of the file is invalid.
        StorageUnavailable: it cannot be read or written now.

    """
    try:
        yield
    except OperationalError as error:
        raise StorageUnavailable(f"the read model cannot be used now: {error.orig}") from error
    except DatabaseError as error:
        raise ReadModelDamaged(f"the read model is damaged: {error.orig}. {REMEDY}") from error
    except SQLAlchemyError as error:
        raise StorageUnavailable(f"the read model cannot be used now: {error}") from error
