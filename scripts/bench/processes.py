"""Real processes for the benchmarks, and what they cost."""

import os
import resource
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from tests.support.postgres_cluster import children
from tests.support.process import Process, Started
from tests.support.service import ServiceProcess

ROOT = Path(__file__).parents[2]

TICKS = os.sysconf("SC_CLK_TCK")


class NewProcess(ServiceProcess):
    """One `job-recovery serve` in an interpreter of its own, as an operator starts it."""

    def launch(self) -> Process:
        """Start a process that imports everything itself."""
        with self.log_file.open("ab") as log:
            return Started([sys.executable, "-m", "api", "serve"], self.environment, log.fileno())

    @property
    def cpu(self) -> float:
        """Return the seconds of CPU of the process so far."""
        return cpu_of(self.process.pid)

    @property
    def memory(self) -> float:
        """Return the megabytes of memory that are the process's own."""
        rollup = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text(encoding="ascii")
        kilobytes = sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Private_"))
        return kilobytes / 1024


def cpu_of(pid: int) -> float:
    """Return the seconds of CPU of a process so far, with all its threads."""
    return sum(_times(pid)[:2])


def cpu_of_server(pid: int) -> float:
    """Return the seconds of CPU of a process and of all its children so far, also of those that have ended."""
    cpu = sum(_times(pid))
    for child in children(pid):
        # One that ends now is counted by its parent from the next time on.
        with suppress(FileNotFoundError, ProcessLookupError):
            cpu += cpu_of(child)
    return cpu


def _times(pid: int) -> list[float]:
    """Return the seconds of a process in user and system mode, and those of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(") ")[2].split()
    return [int(field) / TICKS for field in fields[11:15]]


class Ran(NamedTuple):
    """What a program wrote, and the seconds of CPU that it took."""

    output: str
    cpu: float


def run(*arguments: str) -> Ran:
    """Run a Python program to its end, from the project's folder."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    line = [sys.executable, *arguments]
    output = subprocess.run(line, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout  # noqa: S603 - ours
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Ran(output, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
