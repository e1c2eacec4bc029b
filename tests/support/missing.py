"""What a test needs and the machine does not have."""

import os
from typing import NoReturn

import pytest

INSTALLED = "JOB_RECOVERY_INSTALL"
"""With this variable, everything should have been installed."""


def skip_unless_root(why: str) -> None:
    """Skip a test that only root can run."""
    if os.geteuid() != 0:
        pytest.skip(why)


def miss(what: str, *named_by: str) -> NoReturn:
    """Skip a test that lacks something, with instructions; fail it if that was named or should have been installed.

    Args:
        what: what is needed, and how it is made available.
        named_by: the variables that say where it is.

    """
    if {INSTALLED, *named_by} & os.environ.keys():
        pytest.fail(what)
    pytest.skip(what)
