"""The data directory and its files, for their user only: whoever may read a lock file can lock it forever."""

import os
import stat
from contextlib import suppress
from pathlib import Path

from domain.errors import InvalidInput, StorageUnavailable
from domain.ports import Log

_DATABASES = [f"{name}{suffix}" for name in ("events.sqlite", "read_model.sqlite") for suffix in ("", "-wal", "-shm")]
_JOURNALS = ("events.sqlite-journal", "read_model.sqlite-journal")
_TOKENS = ("tokens.json", "tokens.json.adopted", "tokens.made", "tokens.new", "tokens.lock")
FILES = {*_DATABASES, *_JOURNALS, "read_model.damaged", *_TOKENS, "lease"}
"""All names that the service gives to its files."""

OTHER_USERS = stat.S_IRWXG | stat.S_IRWXO

REMEDY = "chmod go= them, as their owner, or give the service a directory of its own"


def prepare(data_dir: Path, logger: Log | None = None) -> Path:
    """Create the data directory if it is missing, close it to other users, and return it.

    The service's existing files are closed, too, and all files that this process creates later, also through SQLite.
    What belongs to another user stays open, and so does a directory that has other files, which others may need. Both
    are logged.

    Raises:
        InvalidInput: it, or what it would be in, is not a directory.
        StorageUnavailable: it cannot be created or written.

    """
    check_is_directory(data_dir)
    try:
        data_dir.mkdir(mode=stat.S_IRWXU, parents=True, exist_ok=True)
        found = set(data_dir.iterdir())
    except OSError as error:
        raise StorageUnavailable(f"the data directory {data_dir} cannot be used: {error}") from None
    if not os.access(data_dir, os.W_OK):
        raise StorageUnavailable(f"the data directory {data_dir} is not writable")
    close_later_files()
    ours = [path for path in found if path.name in FILES]
    closing = [path for path in ours if not path.is_symlink()] + ([data_dir] if len(ours) == len(found) else [])
    for path in closing:
        _close(path)
    still_open = [str(path) for path in sorted({data_dir, *closing}) if _is_open(path)]
    if still_open and logger is not None:
        logger.warning("open_to_other_users", paths=still_open, remedy=REMEDY)
    return data_dir


def check_is_directory(data_dir: Path) -> None:
    """Check that a path is a directory, or can become one: unlike a full disk, a file in its place does not pass.

    A path that cannot be looked at is told by whoever uses it.

    Raises:
        InvalidInput: the path, or a part of it, is something else; the message names it.

    """
    with suppress(OSError):
        there = next((path for path in (data_dir, *data_dir.parents) if path.exists()), None)
        if there is not None and not there.is_dir():
            raise InvalidInput(f"JOB_RECOVERY_DATA_DIR: {there} is not a directory")


def close_later_files() -> None:
    """Close all files that this process creates later to other users, also those that it creates through SQLite."""
    os.umask(OTHER_USERS)


def open_private(path: Path, flags: int) -> int:
    """Open a file for this user only, and create it if it is missing. A symbolic link is an error."""
    return os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW, stat.S_IRUSR | stat.S_IWUSR)


def _close(path: Path) -> None:
    """Close a path to other users, unless it is a shared directory such as /tmp, or belongs to another user."""
    with suppress(OSError):
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & OTHER_USERS and not mode & stat.S_ISVTX:
            path.chmod(mode & ~OTHER_USERS)


def _is_open(path: Path) -> bool:
    with suppress(FileNotFoundError):  # SQLite may have deleted it.
        return bool(path.stat().st_mode & OTHER_USERS)
    return False
