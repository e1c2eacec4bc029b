"""Without strace the tests that need it are skipped, and the summary tells what to do."""

import subprocess
import sys
from pathlib import Path

from tests.faults.conftest import NEEDS_STRACE

ROOT = Path(__file__).parents[2]
PYTEST = (sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider", "-p", "no:schemathesis", "-p", "no:xdist")


def test_without_strace_the_tests_that_need_it_are_skipped_and_the_summary_says_what_to_do(tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own tests
        [*PYTEST, "tests/faults"],
        cwd=ROOT,
        env={"PATH": str(tmp_path), "COLUMNS": "250"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert NEEDS_STRACE in done.stdout
    assert "3 skipped" in done.stdout.splitlines()[-1]
