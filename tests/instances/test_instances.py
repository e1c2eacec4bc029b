"""The short form of scripts/reliability/instances."""

import pytest

from tests.instances.__main__ import SCENARIOS
from tests.instances.scenarios import Size
from tests.support.postgres import need_postgres

SHORT = Size(instances=2, vmas=3, jobs=20, rounds=2, restarts=1, stopped=9.0, seed=5)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_job_is_polled_none_is_decided_twice_and_all_read_models_are_the_same(scenario: str) -> None:
    need_postgres()

    assert SCENARIOS[scenario](SHORT)
