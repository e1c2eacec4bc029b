"""Without the PostgreSQL that it names, a run fails; the summary says what to do."""

import subprocess
import sys
from pathlib import Path

from tests.support.postgres import NEEDS_POSTGRES, VARIABLE

ROOT = Path(__file__).parents[2]
PYTEST = (sys.executable, "-m", "pytest", "-rE", "-p", "no:cacheprovider", "-p", "no:schemathesis", "-p", "no:xdist")
TEST = "tests/adapters/event_log/test_event_store.py::test_what_was_appended_is_loaded_again"


def test_without_the_server_that_was_named_the_summary_says_what_to_do(tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own tests
        [*PYTEST, TEST],
        cwd=ROOT,
        env={"PATH": str(tmp_path), "COLUMNS": "250", VARIABLE: "postgresql://127.0.0.1:1/postgres"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert NEEDS_POSTGRES in done.stdout
    assert "1 passed, 1 error" in done.stdout.splitlines()[-1]
