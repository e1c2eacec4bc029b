"""Scenarios in their short form, or all of them in their long form."""

import pytest

from tests.database.__main__ import SCENARIOS
from tests.database.site import LONG, SHORT, Size
from tests.support.postgres import need_postgres

ALWAYS = ("starts",)
"""Of the others, tests of the parts of the service have shorter forms; two minutes of restarts are not for each run."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run these scenarios."""
    if "scenario" in metafunc.fixturenames:
        metafunc.parametrize("scenario", SCENARIOS if metafunc.config.getoption("--long") else ALWAYS)


@pytest.fixture
def size(request: pytest.FixtureRequest) -> Size:
    need_postgres()
    return LONG if request.config.getoption("--long") else SHORT
