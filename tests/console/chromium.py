"""Finds the browser of the tests: Debian's Chromium without a window, or another that is installed."""

import shutil
from collections.abc import Sequence

from tests.support.missing import miss

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SHELL = "chromium-headless-shell"
"""The same engine without a window, in Debian a package of its own: a page costs half as much."""
NEEDS_CHROMIUM = "needs chromium: install it, or set JOB_RECOVERY_INSTALL=1 and run scripts/need-chromium"


def find(names: Sequence[str] = (SHELL, *BROWSERS)) -> str:
    """Return the path of the first of these that is installed."""
    found = filter(None, map(shutil.which, names))
    return next(found, None) or miss(NEEDS_CHROMIUM)
