"""Tries a probe against a server that sends anything, again and again from other seeds; `fuzz` starts it.

    .venv/bin/python scripts/reliability/fuzz_probe.py [EXAMPLES]

Each round is a process of its own, so that its peak of memory is the probe's and not that of the test tool's notes.
Prints how many examples were tried; fails at the first that is found, or if a round has needed 150 MB.
"""

import os
import subprocess
import sys
from pathlib import Path

ROUND = 1000
"""Examples in one process: the long form of both tests in the file."""

MAX_MEMORY = 150.0
"""Megabytes."""

ROOT = Path(__file__).resolve().parents[2]
TESTS = "tests/hostile/test_any_server.py"


def play(seed: int) -> tuple[int, float]:
    """Play one round; return its exit code, and its peak of memory in megabytes."""
    line = [sys.executable, "-m", "pytest", "-q", "--long", "-p", "no:schemathesis", "-p", "no:xdist"]
    process = subprocess.Popen([*line, f"--hypothesis-seed={seed}", TESTS], cwd=ROOT)  # noqa: S603 - our own tests
    _, status, used = os.wait4(process.pid, 0)
    return os.waitstatus_to_exitcode(status), used.ru_maxrss / 1024


def main(wanted: int) -> int:
    """Run rounds until so many examples were tried."""
    # In its first round in a new place the test tool makes its tables of characters, which takes more than the rest.
    code, _ = play(-1)
    if code:
        return 1
    tried, peak = 0, 0.0
    while tried < wanted:
        code, needed = play(tried)
        if code:
            return 1
        tried, peak = tried + ROUND, max(peak, needed)
    print(f"probe: {tried} examples, 0 uncaught exceptions, 0 conclusive from garbage; peak memory {peak:.0f} MB")
    return int(peak >= MAX_MEMORY)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))
