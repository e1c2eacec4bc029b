"""The data directory and its files, closed to other users: they hold the log, the locks and the hashes of the tokens.

Who may open a lock file can hold the lock for ever, so reading is enough to do harm.
"""

import os
import stat
from pathlib import Path

from domain.errors import StorageUnavailable
from domain.ports import Log

OURS = ("events.sqlite*", "read_model.*", "tokens.*", "lease")
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def prepare(data_dir: Path, log: Log | None = None) -> Path:
    """Make the data directory if it is not there, and close it and its files to other users.

    Args:
        data_dir: the data directory.
        log: told of what stays open to others, because it belongs to another user.

    Raises:
        StorageUnavailable: it cannot be made or written to.

    """
    try:
        data_dir.mkdir(mode=stat.S_IRWXU, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageUnavailable(f"the data directory {data_dir} cannot be used: {error}") from None
    if not os.access(data_dir, os.W_OK):
        raise StorageUnavailable(f"the data directory {data_dir} is not writable")
    for path in (data_dir.resolve(), *(path for pattern in OURS for path in data_dir.glob(pattern))):
        why = _close_to_others(path)
        if why and log is not None:
            log.warning("open_to_other_users", path=str(path), why=why, to_do=f"chmod go= {path}")
    return data_dir


def open_private(path: Path, flags: int) -> int:
    """Open a file for this user only, and make it if it is not there. A symbolic link is refused.

    Raises:
        OSError: it cannot be opened.

    """
    return os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW, stat.S_IRUSR | stat.S_IWUSR)


def _close_to_others(path: Path) -> str | None:
    """Take the rights of other users from a file or directory; return why that is not possible."""
    try:
        mode = path.lstat().st_mode
        if mode & stat.S_ISVTX:
            return "the directory is shared by all users"
        if mode & OTHERS and not stat.S_ISLNK(mode):
            path.chmod(stat.S_IMODE(mode) & ~OTHERS)
    except FileNotFoundError:
        # SQLite deletes its own files at any time.
        return None
    except OSError as error:
        return str(error.strerror)
    return None
