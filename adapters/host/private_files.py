"""The data directory and its files, for their user only: whoever may read a lock file can lock it forever."""

import os
import stat
from contextlib import suppress
from pathlib import Path

from domain.errors import StorageUnavailable
from domain.ports import Log

FILES = ("events.sqlite*", "read_model.*", "tokens.*", "lease")
OTHER_USERS = stat.S_IRWXG | stat.S_IRWXO


def prepare(data_dir: Path, logger: Log | None = None) -> Path:
    """Create the data directory if it is missing, close it to other users, and return it.

    Its existing files are closed, too, and all files that this process creates later, also through SQLite. Files of
    another user stay open, and are logged.

    Raises:
        StorageUnavailable: it cannot be created or written.

    """
    try:
        data_dir.mkdir(mode=stat.S_IRWXU, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageUnavailable(f"the data directory {data_dir} cannot be used: {error}") from None
    if not os.access(data_dir, os.W_OK):
        raise StorageUnavailable(f"the data directory {data_dir} is not writable")
    close_later_files()
    files = [file for name in FILES for file in data_dir.glob(name) if not file.is_symlink()]
    still_open = [str(path) for path in (data_dir, *files) if not _is_closed(path)]
    if still_open and logger is not None:
        logger.warning("open_to_other_users", paths=still_open, remedy="chmod go= them, as their owner")
    return data_dir


def close_later_files() -> None:
    """Close all files that this process creates later to other users, also those that it creates through SQLite."""
    os.umask(OTHER_USERS)


def open_private(path: Path, flags: int) -> int:
    """Open a file for this user only, and create it if it is missing. A symbolic link is an error."""
    return os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW, stat.S_IRUSR | stat.S_IWUSR)


def _is_closed(path: Path) -> bool:
    """Close a path to other users, unless it is a shared directory such as /tmp; return whether it is closed."""
    with suppress(OSError):
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & OTHER_USERS and not mode & stat.S_ISVTX:
            path.chmod(mode & ~OTHER_USERS)
        return not path.stat().st_mode & OTHER_USERS
    # SQLite may have deleted it.
    return not path.exists()
