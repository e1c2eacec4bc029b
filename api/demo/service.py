"""The demonstration's service: a process of its own that can be killed."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from api.cli.client import Client, ServiceUnreachable
from api.demo.world import SECOND_VMA
from domain.errors import JobRecoveryError

PATIENCE = 40.0
"""Seconds after which what has not come about is a failure."""

SETTINGS = {
    "POLL_INTERVAL": "1",
    "CONFIRMATION_WINDOW": "6",
    "RETRY_BACKOFF_INITIAL": "2",
    "RETRY_BACKOFF_MAX": "4",
    "PROBE_TIMEOUT": "2",
    "LOG_FORMAT": "json",
}
"""Shorter times than in production, so that nobody has to wait for the end."""


class DemoFailed(JobRecoveryError):
    """The service did not do what the demo shows."""


class Service:
    """The service as a process of its own."""

    def __init__(self, folder: Path, vma_url: str, second_url: str) -> None:
        """Keep data and log in `folder`."""
        self.log_file = folder / "service.log"
        self._process: subprocess.Popen[bytes] | None = None
        own = {name: value for name, value in os.environ.items() if not name.startswith("JOB_RECOVERY_")}
        wanted = {
            **SETTINGS,
            "DATA_DIR": str(folder / "data"),
            "VMA_URL": vma_url,
            "VMAS": f'{{"{SECOND_VMA}": "{second_url}"}}',
            "PORT": str(_free_port()),
        }
        self._environment = {**own, **{f"JOB_RECOVERY_{name}": value for name, value in wanted.items()}}
        self.client = Client(f"http://127.0.0.1:{wanted['PORT']}")

    @property
    def pid(self) -> int:
        """The process, for who wants to see it die."""
        return self._process.pid if self._process else 0

    def start(self) -> None:
        """Start the process and return when it answers."""
        command = [sys.executable, "-m", "api", "serve"]
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)  # noqa: S603
        wait(self._answers, "the service to answer")

    def kill(self) -> None:
        """End the process as a crash does."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

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
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise DemoFailed(f"waited {PATIENCE:g} s in vain for {what}")
        time.sleep(0.2)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
