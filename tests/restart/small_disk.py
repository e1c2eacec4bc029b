"""A service on a small disk of its own, which a test can fill, empty and make read-only."""

import sys
from pathlib import Path

from tests.support.process import Started
from tests.support.service import IMPORTING, ServiceProcess

MOUNT = 'mount -t tmpfs -o size=6m none "$0" && exec "$@"'
UNSHARE = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c")


class ServiceOnASmallDisk(ServiceProcess):
    """A service whose data directory is a file system in its own mount namespace."""

    patience = IMPORTING

    def fill(self) -> None:
        """Fill the disk."""
        with (self._seen_from_outside / "filler").open("wb", buffering=0) as filler:
            try:
                while filler.write(b"\0" * 4096):
                    pass
            except OSError:
                return

    def empty(self) -> None:
        """Delete what filled the disk."""
        (self._seen_from_outside / "filler").unlink()

    @property
    def _seen_from_outside(self) -> Path:
        return Path(f"/proc/{self.process.pid}/root") / self.data_dir.relative_to("/")

    def launch(self) -> Started:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        line = [*UNSHARE, MOUNT, str(self.data_dir), sys.executable, "-m", "api", "serve"]
        with self.log_file.open("ab") as log:
            return Started(line, self.environment, log.fileno())
