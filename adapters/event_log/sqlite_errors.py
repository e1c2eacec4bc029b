"""What SQLite's errors mean to an operator. Only those without a remedy are damage of the file."""

from adapters.event_log.sqlite import sqlite3

REMEDIES = {
    "SQLITE_FULL": "Free space on its disk",
    "SQLITE_BUSY": "Stop the program that locks it",
    "SQLITE_LOCKED": "Stop the program that locks it",
    "SQLITE_READONLY": "Give this user permission to write it and its directory",
    "SQLITE_CANTOPEN": "Check that it is a file, and that this user may read and write it and its directory",
    "SQLITE_PERM": "Give this user permission to read and write it",
    "SQLITE_AUTH": "Give this user permission to read and write it",
    "SQLITE_IOERR": "Check its disk, which is full or failing",
    "SQLITE_NOMEM": "Give this machine more memory",
}
"""By the first two parts of SQLite's name of the error."""

NEEDS_WRITING = {REMEDIES["SQLITE_READONLY"], REMEDIES["SQLITE_CANTOPEN"]}
"""SQLite makes a file beside the log also for reading it."""


def remedy_of(error: BaseException | None) -> str | None:
    """Return the remedy of an error that is not the file's own; None if there is none."""
    name = getattr(error, "sqlite_errorname", "")
    return REMEDIES.get("_".join(name.split("_")[:2]))


def remedy_for_reading(error: BaseException | None) -> str | None:
    """Return the remedy of a log that could not be read; None if it may be damaged."""
    remedy = remedy_of(error)
    return f"{remedy}, or copy it to a directory that this user may write" if remedy in NEEDS_WRITING else remedy


def sqlite_error(error: BaseException | None) -> sqlite3.Error | None:
    """Return SQLite's error, which the library may have wrapped; None if there is none."""
    while error is not None and not isinstance(error, sqlite3.Error):
        error = error.__cause__
    return error
