"""What can be wrong with the event log's file, told apart: only damage is a reason to touch the file."""

from pathlib import Path

from adapters.event_log.seals import Verdict
from adapters.event_log.sqlite import sqlite3
from domain.errors import StorageUnavailable

TO_BE_DONE = {
    "SQLITE_FULL": "Make room on its disk",
    "SQLITE_BUSY": "Stop the program that locks it",
    "SQLITE_LOCKED": "Stop the program that locks it",
    "SQLITE_READONLY": "Give this user permission to write it, and into its directory",
    "SQLITE_CANTOPEN": "See that it is a file, and that this user may read and write it, and into its directory",
    "SQLITE_PERM": "Give this user permission to read and write it",
    "SQLITE_AUTH": "Give this user permission to read and write it",
    "SQLITE_IOERR": "Look at its disk, which is full or failing",
    "SQLITE_NOMEM": "Give this machine more memory",
}
"""By SQLite's own name for what happened; longer names only say more."""

EVIDENCE = "Keep the file as evidence and restore it from a backup"
HOW_MUCH = "`job-recovery verify` says up to which position it holds"


def not_opened(path: Path, error: Exception) -> StorageUnavailable:
    """Say why the log could not be opened, and what is to be done about that."""
    cause = _of_sqlite(error)
    if isinstance(cause, sqlite3.DatabaseError) and not isinstance(cause, sqlite3.OperationalError):
        return StorageUnavailable(f"the event log {path} cannot be opened: {cause}. {EVIDENCE}")
    name = getattr(cause, "sqlite_errorname", "")
    to_do = TO_BE_DONE.get("_".join(name.split("_")[:2]), "Mend that")
    why = f"the event log {path} cannot be opened: {cause or error}"
    return StorageUnavailable(f"{why}. {to_do}, and start again; leave the file as it is, nothing of it is lost")


def damaged(path: Path, damage: str) -> StorageUnavailable:
    """Say that a page of the log cannot be read."""
    return StorageUnavailable(f"the event log {path} is damaged: {damage}. {EVIDENCE}; {HOW_MUCH}")


def not_as_sealed(path: Path, verdict: Verdict) -> StorageUnavailable:
    """Say from where on the log is not the one that was written."""
    message = (
        f"the event log {path} fails verification at position {verdict.broken_at}: {verdict.why}. "
        f"{verdict.events} events before it verified. {EVIDENCE}; `job-recovery verify` verifies the copy"
    )
    return StorageUnavailable(message)


def _of_sqlite(error: BaseException | None) -> sqlite3.Error | None:
    """Return SQLite's own error, which the library wraps in some of its."""
    while error is not None and not isinstance(error, sqlite3.Error):
        error = error.__cause__
    return error
