"""What the read model holds, decoded, and what is wrong with it, in our words.

A read model that is damaged is not one that cannot be used now: it never mends itself, and can be set aside at any
time, for the log has everything.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import msgspec
from sqlalchemy.exc import DatabaseError, OperationalError, SQLAlchemyError

from domain.errors import StorageUnavailable

T = TypeVar("T")

TO_BE_DONE = "Restart the service, or stop it and run `job-recovery rebuild`: it is rebuilt from the log"


class ReadModelDamaged(StorageUnavailable):
    """The read model is no database, not a whole one, or holds what nothing of ours wrote."""


def decode(stored: bytes | str, kind: type[T]) -> T:
    """Decode what was folded.

    Raises:
        ReadModelDamaged: it is not what was stored.

    """
    try:
        return msgspec.json.decode(stored, type=kind)
    except ValueError as error:
        # The decoder's own errors and Unicode's are both of this kind.
        message = f"the read model is damaged: a {kind.__name__} in it cannot be decoded: {error}. {TO_BE_DONE}"
        raise ReadModelDamaged(message) from error


@contextmanager
def in_our_words() -> Iterator[None]:
    """Translate the database's errors.

    Raises:
        ReadModelDamaged: what is in the file makes no sense.
        StorageUnavailable: it cannot be read or written now.

    """
    try:
        yield
    except OperationalError as error:
        raise StorageUnavailable(f"the read model cannot be used now: {error.orig}") from error
    except DatabaseError as error:
        raise ReadModelDamaged(f"the read model is damaged: {error.orig}. {TO_BE_DONE}") from error
    except SQLAlchemyError as error:
        raise StorageUnavailable(f"the read model cannot be used now: {error}") from error
