"""Tries a probe against a server that sends anything, again and again from other seeds; started by scripts/fuzz.

    .venv/bin/python scripts/fuzz_probe.py [EXAMPLES]

Each round is a process of its own, so that its peak of memory is the probe's and not that of the test tool's notes.
Prints how many examples were tried; fails at the first that is found, or if a round has needed 150 MB.
"""

import resource
import subprocess
import sys
from pathlib import Path

ROUND = 1000
"""Examples in one process: the long form of both tests in the file."""

MOST_MEMORY = 150.0
"""Megabytes."""

TESTS = "tests/hostile/test_any_server.py"


def main(wanted: int) -> int:
    """Run rounds until so many examples were tried."""
    root, tried, peak = Path(__file__).resolve().parents[1], 0, 0.0
    while tried < wanted:
        line = [sys.executable, "-m", "pytest", "-q", "--long", "-p", "no:schemathesis", "-p", "no:xdist"]
        done = subprocess.run(  # noqa: S603 - our own tests
            [*line, f"--hypothesis-seed={tried}", TESTS], cwd=root, capture_output=True, text=True, check=False
        )
        if done.returncode:
            print(done.stdout, done.stderr)
            return 1
        tried += ROUND
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"probe: {tried} examples, 0 uncaught exceptions, 0 conclusive from garbage; peak memory {peak:.0f} MB")
    return int(peak >= MOST_MEMORY)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))
