"""Checks the event log's SQLite file. Each error has its remedy; only a damaged file is to be replaced."""

import os
from pathlib import Path

from adapters.event_log import seals
from adapters.event_log.copying import refuse_unfinished
from adapters.event_log.sqlite import sqlite3
from adapters.event_log.sqlite_errors import remedy_for_reading, remedy_of, sqlite_error
from adapters.event_log.sqlite_recorder import SealingRecorder
from adapters.event_log.sqlite_stored_log import stored_log
from domain.errors import LogChanged, StorageUnavailable

RESTORE = "Keep the file as evidence and restore it from a backup"
VERIFY = "`job-recovery verify` shows up to which position it is intact"


def cannot_open(path: Path, error: Exception) -> StorageUnavailable:
    """Return the error of a log that could not be opened, with its remedy."""
    cause = sqlite_error(error)
    if isinstance(cause, sqlite3.DatabaseError) and not isinstance(cause, sqlite3.OperationalError):
        return StorageUnavailable(f"the event log {path} cannot be opened: {cause}. {RESTORE}")
    remedy = remedy_of(cause) or "Correct this"
    why = f"the event log {path} cannot be opened: {cause or error}"
    return StorageUnavailable(f"{why}. {remedy}, and start again; do not change the file, no event is lost")


def cannot_read(path: Path, error: Exception) -> StorageUnavailable:
    """Return the error of a log that could not be read to check or copy it, with its remedy."""
    cause = sqlite_error(error)
    why = f"the event log {path} cannot be read: {cause or error}"
    remedy = remedy_for_reading(cause)
    return StorageUnavailable(f"{why}. {remedy}, and run the same command again" if remedy else f"{why}. {VERIFY}")


def check(path: Path, recorder: SealingRecorder) -> int:
    """Check all pages of an open log, and all events against their seals; return how many had none, and have now.

    Raises:
        StorageUnavailable: the log is damaged, was changed, or is an unfinished copy.

    """
    if (damage := recorder.find_damage()) is not None:
        raise StorageUnavailable(f"the event log {path} is damaged: {damage}. {RESTORE}; {VERIFY}")
    sealed = recorder.seal_unsealed()
    with stored_log(path) as log:
        refuse_unfinished(log, str(path))
        verdict = seals.verify(log, whole=False)
    if verdict.broken_at is not None:
        message = (
            f"the event log {path} fails verification at position {verdict.broken_at}: {verdict.why}. "
            f"{verdict.events} events before it are verified. {RESTORE}; `job-recovery verify` verifies the copy"
        )
        raise StorageUnavailable(message)
    return sealed


def check_same(path: Path, opened: os.stat_result) -> None:
    """Check that a path still names the file that this process has opened: it would write to one without a name.

    Raises:
        LogChanged: it names another one.
        StorageUnavailable: it names none, or cannot be looked up.

    """
    try:
        is_same = os.path.samestat(path.stat(), opened)
    except OSError as error:
        message = (
            f"the event log {path} was moved away or deleted while it is in use ({error.strerror}); nothing is stored. "
            "Put it back; if it was deleted, this process alone has it: save it and its -wal from "
            f"/proc/{os.getpid()}/fd first"
        )
        raise StorageUnavailable(message) from None
    if not is_same:
        message = (
            f"the event log {path} was replaced by another file while it was in use. Start the service again: "
            "it reads everything anew. Then register the jobs again that are missing"
        )
        raise LogChanged(message)
