"""Requires strace, which injects the faults and exists on Linux only."""

import shutil

import pytest

from tests.support.missing import miss

NEEDS_STRACE = "needs strace: install it, or set JOB_RECOVERY_INSTALL=1 and run scripts/reliability/need-strace"


@pytest.fixture(autouse=True)
def _strace() -> None:
    """Look for strace: nothing is installed without consent."""
    if shutil.which("strace") is None:
        miss(NEEDS_STRACE)
