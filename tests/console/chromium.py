"""Finds the browser of the tests: Debian's Chromium, or another that is installed."""

import os
import shutil

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
NEEDS_CHROMIUM = "needs chromium: install it, or set JOB_RECOVERY_INSTALL=1 and run scripts/need-chromium"


def find() -> str:
    """Return the path of the browser; skip the test without one, and fail it where it should have been installed."""
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return found
    if os.environ.get("JOB_RECOVERY_INSTALL"):
        pytest.fail(NEEDS_CHROMIUM)
    pytest.skip(NEEDS_CHROMIUM)
