"""The short form of scripts/reliability/soak."""

from pathlib import Path

import pytest

from adapters.simulated_vma import SimulatedVMA
from tests.soak.soak import Soak


def test_after_many_hazards_every_job_has_its_true_state(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    with SimulatedVMA() as vma:
        soak = Soak(1, tmp_path, vma)
        try:
            result = soak.run(600.0 if request.config.getoption("--long") else 10.0)
        finally:
            soak.service.close()

    assert result.kills > 0
    assert result.jobs > 0
