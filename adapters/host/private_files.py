"""The data directory and its files, for their user only: who may read a lock file can hold its lock for ever."""

import os
import stat
from contextlib import suppress
from pathlib import Path

from domain.errors import StorageUnavailable
from domain.ports import Log

OURS = ("events.sqlite*", "read_model.*", "tokens.*", "lease")
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def prepare(data_dir: Path, log: Log | None = None) -> Path:
    """Make the data directory if it is not there, and close it to other users.

    So are the files of an older version in it, and all that this process makes from now on, SQLite's among them.
    What belongs to another user stays open, and is logged.

    Raises:
        StorageUnavailable: it cannot be made or written to.

    """
    try:
        data_dir.mkdir(mode=stat.S_IRWXU, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageUnavailable(f"the data directory {data_dir} cannot be used: {error}") from None
    if not os.access(data_dir, os.W_OK):
        raise StorageUnavailable(f"the data directory {data_dir} is not writable")
    os.umask(OTHERS)
    files = [file for name in OURS for file in data_dir.glob(name) if not file.is_symlink()]
    still_open = [str(path) for path in (data_dir, *files) if not _is_closed(path)]
    if still_open and log is not None:
        log.warning("open_to_other_users", paths=still_open, to_do="chmod go= them, as their owner")
    return data_dir


def open_private(path: Path, flags: int) -> int:
    """Open a file for this user only, and make it if it is not there. A symbolic link is refused."""
    return os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW, stat.S_IRUSR | stat.S_IWUSR)


def _is_closed(path: Path) -> bool:
    """Take the rights of other users from a path, unless it is a directory that all share, as /tmp is."""
    with suppress(OSError):
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & OTHERS and not mode & stat.S_ISVTX:
            path.chmod(mode & ~OTHERS)
        return not path.stat().st_mode & OTHERS
    # SQLite deletes its own files at any time.
    return not path.exists()
