"""The lease on a data directory: one owner at a time.

It is an advisory lock of the operating system, which releases it when the owner's process ends, however that happens.
The text in the file only names the owner.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adapters.host.file_owner import create_for_owner
from adapters.host.private_files import open_private
from domain.errors import JobRecoveryError, StorageUnavailable

MAX_NAME_BYTES = 500
"""Bytes that are read of the owner's name."""


class DataDirectoryInUse(JobRecoveryError):
    """Another process owns the data directory."""


class Lease:
    """Makes this process the owner of a data directory, from `acquire` until `release` or the end of the process."""

    def __init__(self, data_dir: Path) -> None:
        """The lock file is in the directory itself."""
        self._path = data_dir / "lease"
        self._file: int | None = None

    def acquire(self, owner: str) -> None:
        """Acquire the lease and write the owner's name to the file.

        Raises:
            DataDirectoryInUse: another process has the lease; the message names it.
            StorageUnavailable: the lock file cannot be created or written.

        """
        with self._usable():
            create_for_owner(self._path)
            file = open_private(self._path, os.O_RDWR)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as refused:
                other = os.pread(file, MAX_NAME_BYTES, 0)
                os.close(file)
                if isinstance(refused, BlockingIOError):
                    raise self._in_use_by(other) from None
                raise
        self._file = file
        self.describe(owner)

    def describe(self, owner: str) -> None:
        """Write the owner's name to the file.

        Raises:
            StorageUnavailable: it cannot be written; this process still has the lease.

        """
        assert self._file is not None  # noqa: S101 - `acquire` comes first
        text = f"{owner} (process {os.getpid()})\n".encode()
        with self._usable():
            # Overwriting before truncating needs no space, so it works on a full disk.
            os.pwrite(self._file, text, 0)
            os.ftruncate(self._file, len(text))

    def release(self) -> None:
        """Release the lease. Safe to repeat."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            message = (
                f"the lease {self._path} cannot be acquired: {error.strerror}. It must be a plain file that this user "
                "may write, on a disk with free space; the service creates it if it is missing"
            )
            raise StorageUnavailable(message) from None

    def _in_use_by(self, other: bytes) -> DataDirectoryInUse:
        name = other.decode("utf-8", "replace").strip() or "an unknown process"
        return DataDirectoryInUse(
            f"the data directory {self._path.parent} is in use by {name}: "
            "stop that process first, or use another JOB_RECOVERY_DATA_DIR"
        )
