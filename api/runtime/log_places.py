"""Where an event log is: a file, or a schema of a PostgreSQL database; opened to check it, and to copy it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from adapters.event_log import sqlite_copying, sqlite_file, sqlite_stored_log
from adapters.event_log.copying import Source, Target
from adapters.event_log.database_errors import DATABASE_ERRORS
from adapters.event_log.sqlite import sqlite3
from adapters.event_log.stored_log import StoredLog
from adapters.host.file_owner import create_for_owner
from adapters.host.lease import Lease
from adapters.host.private_files import close_later_files
from domain.errors import InvalidInput, JobRecoveryError, NotFound

if TYPE_CHECKING:
    from adapters.event_log.postgres_session import Database

FILE_FORM = "sqlite:////PATH/events.sqlite"
_SQLITE = "sqlite:///"


class LogPlace(Protocol):
    """The place of a log, whether there is one or not."""

    @property
    def name(self) -> str:
        """Return its name for messages."""

    def identity(self) -> object:
        """Return what identifies the log that is there, by whatever address; None if there is none."""

    def stored(self) -> AbstractContextManager[StoredLog]:
        """Open one consistent state of the log, to check it beside a running service.

        Raises:
            NotFound: there is no log.
            JobRecoveryError: it cannot be opened.

        """

    def source(self) -> AbstractContextManager[Source]:
        """Open the log to copy from it; raises as `stored` does."""

    def target(self, source: str) -> AbstractContextManager[Target]:
        """Create the log if there is none, and lock it, to copy to it from the log of this name.

        Raises:
            JobRecoveryError: another process writes it, or it cannot be opened.

        """


class FilePlace:
    """An SQLite file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.name = str(path)

    def identity(self) -> object:
        """Return device and number of the file; None if there is none."""
        with suppress(OSError):
            found = self._path.stat()
            return found.st_dev, found.st_ino
        return None

    @contextmanager
    def stored(self) -> Iterator[StoredLog]:
        """Open it for reading."""
        self._require()
        try:
            with sqlite_stored_log.stored_log(self._path) as log:
                yield log
        except sqlite3.DatabaseError as error:
            raise sqlite_file.cannot_read(self._path, error) from None

    @contextmanager
    def source(self) -> Iterator[Source]:
        """Open it to copy from it."""
        self._require()
        try:
            with sqlite_copying.source(self._path) as log:
                yield log
        except DATABASE_ERRORS as error:
            raise sqlite_file.cannot_read(self._path, error) from error

    @contextmanager
    def target(self, source: str) -> Iterator[Target]:
        """Take the lease on its directory, which may be a data directory, and open or create it."""
        folder = self._path.parent
        if not folder.is_dir():
            raise InvalidInput(f"there is no directory {folder.absolute()}: an absolute path is {FILE_FORM}")
        close_later_files()
        lease = Lease(folder)
        lease.acquire("job-recovery copy")
        try:
            create_for_owner(self._path)
            with sqlite_copying.target(self._path, source) as log:
                yield log
        except DATABASE_ERRORS as error:
            raise sqlite_file.cannot_open(self._path, error) from error
        finally:
            lease.release()

    def _require(self) -> None:
        if not _exists(self._path):
            raise NotFound(f"there is no event log {self.name}")


class SchemaPlace:
    """A schema of a PostgreSQL database. Its parts are imported late: psycopg is slow, and most do not need it."""

    def __init__(self, database: "Database") -> None:
        self._database = database
        self.name = database.place

    def identity(self) -> object:
        """Return the server, its start, and the tables; None if there are none."""
        from adapters.event_log import postgres_copying  # noqa: PLC0415

        with self._usable():
            return postgres_copying.identity(self._database)

    @contextmanager
    def stored(self) -> Iterator[StoredLog]:
        """Open it for reading."""
        from adapters.event_log import postgres_stored_log  # noqa: PLC0415

        with self._usable(), postgres_stored_log.stored_log(self._database) as log:
            yield log

    @contextmanager
    def source(self) -> Iterator[Source]:
        """Connect to it to copy from it."""
        from adapters.event_log import postgres_copying  # noqa: PLC0415

        with self._usable(), postgres_copying.source(self._database) as log:
            yield log

    @contextmanager
    def target(self, source: str) -> Iterator[Target]:
        """Take its lock, and create the tables if there are none."""
        from adapters.event_log import postgres_copying  # noqa: PLC0415

        with self._usable(), postgres_copying.target(self._database, source) as log:
            yield log

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except DATABASE_ERRORS as error:
            why = f"the event log {self.name} cannot be used: {error}. Correct this, and run the same command again"
            raise JobRecoveryError(why) from None


def place_at(url: str, schema: str) -> LogPlace:
    """Return the place that a URL leads to.

    Args:
        url: of an SQLite file, in the form of SQLAlchemy; or of a database, in a form of libpq.
        schema: in the database.

    Raises:
        ValueError: it is neither. The message contains nothing of the URL, because it may have a password.

    """
    if url.startswith("sqlite:"):
        path = url.removeprefix(_SQLITE)
        if path in {url, ""} or "\0" in path:
            raise ValueError(f"A file is given as {FILE_FORM}")
        if Path(path).is_dir():
            raise ValueError(f"It is a directory. Name the file in it: {FILE_FORM}")
        # Resolved: a service is recognised by the directory of the file, not by that of a link to it.
        return FilePlace(Path(path).resolve())
    from adapters.event_log.postgres_store import database_of  # noqa: PLC0415 - as above

    try:
        return SchemaPlace(database_of(url, schema))
    except ValueError as error:
        raise ValueError(f"{error}. A file is given as {FILE_FORM}") from None


def _exists(path: Path) -> bool:
    with suppress(OSError):
        return path.is_file()
    return False
