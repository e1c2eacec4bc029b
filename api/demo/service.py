"""The demonstration's service: a process of its own that can be killed."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from adapters.simulated_vma import HeldPort
from api.cli.client import Client, ServiceUnreachable
from api.demo.world import SECOND_VMA
from domain.errors import JobRecoveryError

TIMEOUT = 120.0
"""Seconds within which each step must end, also on a busy machine."""

SETTINGS = {
    "POLL_INTERVAL": "1",
    "CONFIRMATION_WINDOW": "6",
    "RETRY_BACKOFF_INITIAL": "2",
    "RETRY_BACKOFF_MAX": "4",
    "LOG_FORMAT": "json",
}
"""Shorter times than in production, so that the demo is short."""


class DemoFailed(JobRecoveryError):
    """The service did not do what the demo shows."""


class DemoService:
    """The service as a process of its own."""

    def __init__(self, folder: Path, vma_url: str, second_url: str) -> None:
        """Store data and log in `folder`."""
        self.log_file = folder / "service.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._port = HeldPort()
        settings = {
            **SETTINGS,
            "DATA_DIR": str(folder / "data"),
            "VMA_URL": vma_url,
            "VMAS": f'{{"{SECOND_VMA}": "{second_url}"}}',
            "PORT": str(self._port.number),
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("JOB_RECOVERY_")}
        self._environment = inherited | {f"JOB_RECOVERY_{name}": value for name, value in settings.items()}
        self.url = f"http://127.0.0.1:{self._port.number}/"
        self.client = Client(f"http://127.0.0.1:{self._port.number}")

    def start(self) -> None:
        """Start the process and return when it answers."""
        command = [sys.executable, "-m", "api", "serve"]
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)  # noqa: S603
        wait(self._answers, "the service to answer")

    def kill(self) -> None:
        """Send SIGKILL to the process and wait for its end."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _answers(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            raise DemoFailed(f"the service ended: {self.log_file.read_text()[-500:]}")
        try:
            self.client.get("/jobs", limit=1)
        except ServiceUnreachable:
            return False
        return True


def wait(condition: Callable[[], bool], what: str) -> None:
    """Return as soon as a condition is true.

    Raises:
        DemoFailed: it has not become true in time.

    """
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        if time.monotonic() > deadline:
            raise DemoFailed(f"waited {TIMEOUT:g} s for {what}")
        time.sleep(0.2)
