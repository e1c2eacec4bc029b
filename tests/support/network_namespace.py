"""A network namespace that is linked to this machine by a pair of virtual interfaces, and can be cut off from it."""

import os
import shutil
import subprocess
import sys
from typing import Self

from tests.support.process import Process, Started
from tests.support.service import IMPORTING, ServiceProcess

HERE, THERE = "10.77.1.1", "10.77.1.2"
"""The addresses of this machine and of the namespace on the link."""

NAME, HERE_END, THERE_END = "job-recovery", "jr-here", "jr-there"
"""The names of the namespace, and of both interfaces."""

NOBODY = "02:00:00:00:00:00"
"""An Ethernet address that no interface has."""


def missing() -> str | None:
    """Return what a namespace needs and this machine does not have; None if nothing is missing."""
    if os.geteuid() != 0:
        return "a network namespace needs root"
    if shutil.which("ip") is None:
        return "a network namespace needs the command `ip`: install iproute2"
    try:
        with NetworkNamespace():
            return None
    except subprocess.CalledProcessError as error:
        return f"this machine allows no network namespace: {error.stderr.strip()}"


class NetworkNamespace:
    """The namespace, for a block. One that a killed process has left behind is removed first."""

    def __enter__(self) -> Self:
        """Set up both ends of the link."""
        self._remove()
        try:
            _ip("netns", "add", NAME)
            _ip("link", "add", HERE_END, "type", "veth", "peer", "name", THERE_END, "netns", NAME)
            _ip("address", "add", f"{HERE}/24", "dev", HERE_END)
            _ip("-n", NAME, "address", "add", f"{THERE}/24", "dev", THERE_END)
            _ip("link", "set", HERE_END, "up")
            for interface in ("lo", THERE_END):
                _ip("-n", NAME, "link", "set", interface, "up")
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._remove()

    def cut(self) -> None:
        """Lose every packet of both directions, like a switch that has lost the way: both ends stay up.

        So nobody is told, by a reset, by the end of a route or by an interface that is down.
        """
        _ip("neighbour", "replace", THERE, "lladdr", NOBODY, "nud", "permanent", "dev", HERE_END)
        _ip("-n", NAME, "neighbour", "replace", HERE, "lladdr", NOBODY, "nud", "permanent", "dev", THERE_END)

    def mend(self) -> None:
        """Have packets arrive again."""
        _ip("neighbour", "delete", THERE, "dev", HERE_END)
        _ip("-n", NAME, "neighbour", "delete", HERE, "dev", THERE_END)

    def _remove(self) -> None:
        # The namespace itself, and with it the link, lives until its last process has ended.
        for line in (["link", "delete", HERE_END], ["netns", "delete", NAME]):
            subprocess.run(["ip", *line], capture_output=True, check=False)  # noqa: S603, S607 - ours


class InstanceThere(ServiceProcess):
    """One `job-recovery serve` in the namespace."""

    patience = IMPORTING

    def launch(self) -> Process:
        """Start a process of its own: `ip` becomes the service."""
        serve = [sys.executable, "-c", "import sys; from api.cli.main import main; sys.exit(main(['serve']))"]
        with self.log_file.open("ab") as log:
            return Started(["ip", "netns", "exec", NAME, *serve], self.environment, log.fileno())


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)  # noqa: S603, S607 - ours
