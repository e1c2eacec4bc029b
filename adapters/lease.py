"""The lease on a data directory: one process at a time.

An advisory lock of the operating system, so that it is gone with the process that held it, however that ended; the
text in the file only says who it was.
"""

import fcntl
import os
from pathlib import Path
from typing import TextIO

from domain.errors import JobRecoveryError


class DataDirectoryHeld(JobRecoveryError):
    """Another process works on this data directory."""


class Lease:
    """Holds a data directory from `acquire` to `release` or to the end of the process."""

    def __init__(self, data_dir: Path) -> None:
        """The lock file lies in the directory itself."""
        self._path = data_dir / "lease"
        self._file: TextIO | None = None

    def acquire(self, holder: str) -> None:
        """Take the lease and write down who holds it.

        Raises:
            DataDirectoryHeld: another process holds it; the message says who.

        """
        file = self._path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            other = file.read().strip() or "an unknown process"
            file.close()
            message = (
                f"the data directory {self._path.parent} is held by {other}: "
                "stop that one first, or use another JOB_RECOVERY_DATA_DIR"
            )
            raise DataDirectoryHeld(message) from None
        self._file = file
        self.describe(holder)

    def describe(self, holder: str) -> None:
        """Write down who holds the lease."""
        assert self._file is not None  # noqa: S101 - only a held lease is described
        self._file.truncate(0)
        self._file.write(f"{holder} (process {os.getpid()})\n")
        self._file.flush()

    def release(self) -> None:
        """Give the lease back. Safe to repeat."""
        if self._file is not None:
            self._file.close()
            self._file = None
