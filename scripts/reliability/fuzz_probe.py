"""Tries a probe against a server that sends anything, with many seeds; `fuzz` starts it.

    .venv/bin/python scripts/reliability/fuzz_probe.py [EXAMPLES]

Each round is a process of its own, so that its peak of memory does not include the test tool's database.
Prints the number of examples; fails at the first failure, or if a round needed 150 MB.
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


def run_round(seed: int) -> tuple[int, float]:
    """Run one round; return its exit code, and its peak of memory in megabytes."""
    line = [sys.executable, "-m", "pytest", "-q", "--long", "-p", "no:schemathesis", "-p", "no:xdist"]
    process = subprocess.Popen([*line, f"--hypothesis-seed={seed}", TESTS], cwd=ROOT)  # noqa: S603 - our own tests
    _, status, used = os.wait4(process.pid, 0)
    return os.waitstatus_to_exitcode(status), used.ru_maxrss / 1024


def main(wanted: int) -> int:
    """Run rounds until this number of examples were tried."""
    # In its first round the test tool makes its tables of characters, which needs more memory than the probe.
    code, _ = run_round(-1)
    if code:
        return 1
    tried, peak = 0, 0.0
    while tried < wanted:
        code, needed = run_round(tried)
        if code:
            return 1
        tried, peak = tried + ROUND, max(peak, needed)
    print(f"probe: {tried} examples, 0 uncaught exceptions, 0 conclusive from garbage; peak memory {peak:.0f} MB")
    return int(peak >= MAX_MEMORY)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))
