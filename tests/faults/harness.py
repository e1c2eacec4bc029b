"""Fails the N-th write, flush or truncation of the workload with strace's fault injection."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

FILES = [f"{name}.sqlite{suffix}" for name in ("events", "read_model") for suffix in ("", "-wal", "-shm", "-journal")]
CALLS = "pwrite64,write,fsync,fdatasync,ftruncate"
FAULTS = {"kill": "signal=KILL", "broken disk": "error=EIO", "full disk": "error=ENOSPC"}

_LINE = re.compile(r"^(\d+) +(\w+)\(", re.MULTILINE)


class Point(NamedTuple):
    """The N-th time that a thread makes a system call on one of the files."""

    call: str
    number: int


def run(data_dir: Path, inject: str | None = None, trace: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the workload under strace."""
    data_dir.mkdir(parents=True)
    line = ["strace", "-f", "-qq", "-o", str(trace or "/dev/null"), "-e", f"trace={CALLS}"]
    for name in FILES:
        line += ["-P", str(data_dir / name)]
    if inject:
        line += ["-e", f"inject={inject}"]
    line += [sys.executable, "-m", "tests.faults.workload", str(data_dir)]
    return subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - our own program


def points(folder: Path) -> list[Point]:
    """Return every point at which the workload can fail: strace counts per thread and per call."""
    trace = folder / "trace"
    done = run(folder / "counted", trace=trace)
    assert done.returncode == 0, done.stderr
    counted = Counter(_LINE.findall(trace.read_text()))
    highest: dict[str, int] = {}
    for (_, call), times in counted.items():
        highest[call] = max(highest.get(call, 0), times)
    return [Point(call, number) for call, times in sorted(highest.items()) for number in range(1, times + 1)]


def acknowledged(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Return the acknowledged events of the workload, without a line that a kill has cut."""
    lines = done.stdout.splitlines(keepends=True)
    return [ref for line in lines if line.endswith("\n") for ref in line.split()]
