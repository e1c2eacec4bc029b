"""The short form of scripts/reliability/instances."""

import msgspec
import pytest

from tests.instances.__main__ import MISSING, SCENARIOS
from tests.instances.scenarios import Size
from tests.support.missing import miss
from tests.support.postgres import need_postgres

SHORT = Size(instances=2, vmas=3, jobs=20, rounds=2, restarts=1, stopped=9.0, seed=5)
SIZES = {"upgrade": msgspec.structs.replace(SHORT, instances=3, vmas=6, jobs=60)}
"""What is not of the usual size: with two, one goes on alone."""

AT_ONCE = ("hazards", "cut")
"""Those of the short form: the others restart or freeze a server of their own for as long again."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    names = list(SCENARIOS) if metafunc.config.getoption("--long") else AT_ONCE
    metafunc.parametrize("scenario", names)


def test_every_job_is_polled_none_is_decided_twice_and_all_read_models_are_the_same(scenario: str) -> None:
    need_postgres()
    if scenario in MISSING and (why := MISSING[scenario]()):
        miss(why)

    assert SCENARIOS[scenario](SIZES.get(scenario, SHORT))
