"""Requires strace, which injects the faults and exists on Linux only."""

import shutil

import pytest

NEEDS_STRACE = "needs strace: install it, or set JOB_RECOVERY_INSTALL=1 and run scripts/reliability/need-strace"


@pytest.fixture(autouse=True)
def _strace() -> None:
    """Skip the test if strace is missing, with instructions: nothing is installed without consent."""
    if shutil.which("strace") is None:
        pytest.skip(NEEDS_STRACE)
