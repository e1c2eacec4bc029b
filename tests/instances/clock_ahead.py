"""An instance whose clock is an hour ahead of that of the others, by libfaketime (Debian's package `faketime`)."""

import sys
from pathlib import Path

from tests.support.process import Process, Started
from tests.support.service import IMPORTING, ServiceProcess

LIBRARIES = ("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1", "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1")
AHEAD = {"FAKETIME": "+1h", "DONT_FAKE_MONOTONIC": "1"}
"""Its monotonic clock goes on as that of the others."""


def library() -> str | None:
    """Return the path of the library; None if it is not installed."""
    return next((path for path in LIBRARIES if Path(path).exists()), None)


class InstanceAhead(ServiceProcess):
    """One `job-recovery serve` whose clock is an hour ahead."""

    patience = IMPORTING

    def launch(self) -> Process:
        """Start a process of its own, since a forked one has the libraries of the tests."""
        preloaded = library()
        assert preloaded is not None, "install faketime"
        line = [sys.executable, "-c", "import sys; from api.cli.main import main; sys.exit(main(['serve']))"]
        with self.log_file.open("ab") as log:
            return Started(line, {**self.environment, **AHEAD, "LD_PRELOAD": preloaded}, log.fileno())
