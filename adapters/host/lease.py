"""The lease on a data directory: one process at a time.

An advisory lock of the operating system, so that it is gone with the process that held it, however that ended; the
text in the file only says who it was.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adapters.host.private_files import open_private
from domain.errors import JobRecoveryError, StorageUnavailable

MAX_NAME_BYTES = 500
"""Bytes that are read of who holds a lease."""


class DataDirectoryHeld(JobRecoveryError):
    """Another process works on this data directory."""


class Lease:
    """Holds a data directory from `acquire` to `release` or to the end of the process."""

    def __init__(self, data_dir: Path) -> None:
        """The lock file lies in the directory itself."""
        self._path = data_dir / "lease"
        self._file: int | None = None

    def acquire(self, holder: str) -> None:
        """Take the lease and write down who holds it.

        Raises:
            DataDirectoryHeld: another process holds it; the message says who.
            StorageUnavailable: the lock file cannot be made or written.

        """
        with self._usable():
            file = open_private(self._path, os.O_RDWR)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as refused:
                other = os.pread(file, MAX_NAME_BYTES, 0)
                os.close(file)
                if isinstance(refused, BlockingIOError):
                    raise self._held_by(other) from None
                raise
        self._file = file
        self.describe(holder)

    def describe(self, holder: str) -> None:
        """Write down who holds the lease.

        Raises:
            StorageUnavailable: it cannot be written; the lease is held all the same.

        """
        assert self._file is not None  # noqa: S101 - only a held lease is described
        text = f"{holder} (process {os.getpid()})\n".encode()
        with self._usable():
            # What is there is written over before it is cut: that needs no room, also where the disk is full.
            os.pwrite(self._file, text, 0)
            os.ftruncate(self._file, len(text))

    def release(self) -> None:
        """Give the lease back. Safe to repeat."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            message = (
                f"the lease {self._path} cannot be taken: {error.strerror}. It must be a plain file that this user may "
                "write, on a disk with room; the service makes it anew if it is deleted"
            )
            raise StorageUnavailable(message) from None

    def _held_by(self, other: bytes) -> DataDirectoryHeld:
        name = other.decode("utf-8", "replace").strip() or "an unknown process"
        return DataDirectoryHeld(
            f"the data directory {self._path.parent} is held by {name}: "
            "stop that one first, or use another JOB_RECOVERY_DATA_DIR"
        )
