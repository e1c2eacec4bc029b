"""Finds the browser of the tests: Debian's Chromium, or another that is installed."""

import shutil

from tests.support.missing import miss

NAMES = ("chromium", "chromium-browser", "google-chrome")
NEEDS_CHROMIUM = "needs chromium: install it, or set JOB_RECOVERY_INSTALL=1 and run scripts/need-chromium"


def find() -> str:
    """Return the path of the browser."""
    found = filter(None, map(shutil.which, NAMES))
    return next(found, None) or miss(NEEDS_CHROMIUM)
