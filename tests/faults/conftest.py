"""Faults are injected by strace, which only Linux has."""

import shutil

import pytest

NEEDS_STRACE = "needs strace: install it, or set JOB_RECOVERY_INSTALL=1 and run scripts/reliability/need-strace"


@pytest.fixture(autouse=True)
def _strace() -> None:
    """Skip the test where there is no strace, and say so: nothing is installed unasked."""
    if shutil.which("strace") is None:
        pytest.skip(NEEDS_STRACE)
