"""Without Chromium the tests that need it are skipped, and fail where it should have been installed."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.console.chromium import NEEDS_CHROMIUM

ROOT = Path(__file__).parents[2]
PYTEST = (sys.executable, "-m", "pytest", "-rsE", "-p", "no:cacheprovider", "-p", "no:schemathesis", "-p", "no:xdist")


@pytest.mark.parametrize(("environment", "summary"), [({}, "1 skipped"), ({"JOB_RECOVERY_INSTALL": "1"}, "1 error")])
def test_without_chromium_the_summary_says_what_to_do(
    tmp_path: Path, environment: dict[str, str], summary: str
) -> None:
    done = subprocess.run(  # noqa: S603 - our own tests
        [*PYTEST, "tests/console/test_screens.py", "-k", "unknown_address"],
        cwd=ROOT,
        env={"PATH": str(tmp_path), "COLUMNS": "250", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert NEEDS_CHROMIUM in done.stdout
    assert summary in done.stdout.splitlines()[-1]
