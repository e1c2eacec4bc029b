"""The errors of the databases that have a log, and what they mean to a caller."""

from collections.abc import Sequence

from eventsourcing.persistence import OperationalError, PersistenceError, StoredEvent

from adapters.event_log.sqlite import sqlite3
from domain.errors import ConcurrentWrite, StorageUnavailable


class DatabaseUnavailable(PersistenceError):
    """The server cannot be used now. The library retries its own `OperationalError` ten times, and not this one.

    `lost` is whether the connection is gone, so that another one may work.
    """

    def __init__(self, why: str, *, lost: bool = False) -> None:
        super().__init__(why)
        self.lost = lost


UNAVAILABLE = (OperationalError, sqlite3.OperationalError, DatabaseUnavailable)
"""The errors that affect every request (disk full, file locked, server away), and that none of them caused."""

DATABASE_ERRORS = (PersistenceError, sqlite3.Error)
"""The errors of the library and of SQLite. Any other is a fault of this program, or of the machine's memory."""


class Damaged(StorageUnavailable):
    """What is stored cannot be read back."""


class EventLogInUse(StorageUnavailable):
    """Another process writes this log."""


class UnknownRegistration(ConcurrentWrite):
    """Another instance has registered a job that is not known here yet, and may have taken a volume."""


class StoredLate(StorageUnavailable):
    """Events of an earlier request are stored, although it was refused: the connection was lost before the answer.

    Nothing of the present request is stored: it may have been decided without them.
    """

    def __init__(self, stored: Sequence[StoredEvent], position: int) -> None:
        super().__init__("the connection to the database was lost and is back; the state was read again: try again")
        self.stored = stored
        self.position = position
