"""Whichever write fails: no acknowledged event is lost, no event is doubled, no open job is unwatched."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.faults import harness
from tests.faults.checker import check
from tests.faults.harness import FAULTS, Point

pytestmark = pytest.mark.of_files("fails its writes")

SAMPLE = 3
"""Points per fault in the short form, spread over all of them."""


@pytest.fixture
def points(tmp_path: Path, request: pytest.FixtureRequest) -> list[Point]:
    """Return the points at which to fail: all of them in the long form."""
    every = harness.points(tmp_path)
    assert len(every) > 200, "the workload writes too little"
    if request.config.getoption("--long"):
        return every
    return every[:: max(1, len(every) // SAMPLE)]


@pytest.mark.parametrize("fault", FAULTS)
def test_whichever_write_fails_nothing_is_lost_and_nothing_is_done_twice(
    fault: str, points: list[Point], tmp_path: Path
) -> None:
    def broken_at(point: Point) -> str | None:
        data_dir = tmp_path / f"{point.call}-{point.number}"
        done = harness.run(data_dir, f"{point.call}:{FAULTS[fault]}:when={point.number}")
        try:
            assert "Traceback" not in done.stderr, done.stderr
            check(data_dir, harness.acknowledged(done))
        except Exception as wrong:  # noqa: BLE001 - every failure belongs in the list
            return f"{point}: {wrong!r}"
        return None

    with ThreadPoolExecutor(2) as pool:
        wrong = [found for found in pool.map(broken_at, points) if found]

    print(f"{fault}: {len(points)} points, {len(points) - len(wrong)} pass")
    assert wrong == []
