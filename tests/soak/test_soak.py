"""The short form of scripts/reliability/soak."""

from pathlib import Path

import pytest

from adapters.simulated_vma import SimulatedVMA
from tests.soak.soak import Soak


def test_after_many_troubles_every_job_is_what_it_is(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    with SimulatedVMA() as vma:
        soak = Soak(1, tmp_path, vma)
        try:
            told = soak.run(600.0 if request.config.getoption("--long") else 10.0)
        finally:
            soak.service.close()

    assert told.kills > 0
    assert told.jobs > 0
