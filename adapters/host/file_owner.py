"""The user to whom the files of a data directory belong: the one that the service runs as.

A command of another user would make files that the service cannot read.
"""

import os
import pwd
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


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"the user {user}"
