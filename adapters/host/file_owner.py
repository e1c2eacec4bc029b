"""The user to whom the files of a data directory belong: the one that the service runs as.

A command of another user would make files that the service cannot read.
"""

import os
import pwd
import stat
from contextlib import suppress
from pathlib import Path

from domain.errors import InvalidInput

ROOT = 0


def check_user(data_dir: Path) -> None:
    """Check that this user may make files for the service.

    Raises:
        InvalidInput: it is neither root nor the user that the service runs as; the message names that one.

    """
    with suppress(OSError):
        owner = (data_dir / "lease").stat().st_uid
        if os.geteuid() not in {ROOT, owner}:
            raise InvalidInput(f"the data directory {data_dir} is used by {_name(owner)}: run this as that user")


def give_to_owner(file: int, data_dir: Path) -> None:
    """Give a file that root has made to the user that the service runs as."""
    if os.geteuid() == ROOT and (found := _owner(data_dir)) is not None:
        os.fchown(file, found.st_uid, found.st_gid)


def create_for_owner(path: Path) -> None:
    """Create a missing file, empty, for the user to whom its directory belongs, if root runs this.

    SQLite takes an empty file for a new database, and gives the files beside it to the file's user. Only a file that is
    new is given away: one that is there may be a link that somebody has made to another file. If it cannot be created,
    whoever opens it gets the error.
    """
    user = _user_of_new_files(path.parent) if os.geteuid() == ROOT else None
    if user is None or user.st_uid == ROOT:
        return
    with suppress(OSError):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, stat.S_IRUSR | stat.S_IWUSR)
        try:
            os.fchown(file, user.st_uid, user.st_gid)
        finally:
            os.close(file)


def permission_remedy(data_dir: Path) -> str:
    """Return what to do if a file of the data directory may not be read or written."""
    found = _owner(data_dir)
    user = "the user of the service" if found is None else _name(found.st_uid)
    return f"Run this as {user}, or give the file to the user that this runs as (chown)"


def _owner(data_dir: Path) -> os.stat_result | None:
    """Return the owner of the lease, which the service makes; before its first start, of the directory."""
    for path in (data_dir / "lease", data_dir):
        with suppress(OSError):
            return path.stat()
    return None


def _user_of_new_files(data_dir: Path) -> os.stat_result | None:
    """Return the owner of a directory; if that is root, of the lease in it, which nobody else can have made."""
    with suppress(OSError):
        found = data_dir.stat()
        if found.st_uid != ROOT or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return found
        return (data_dir / "lease").lstat()
    return None


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"the user {user}"
