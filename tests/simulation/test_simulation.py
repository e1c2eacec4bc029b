"""Thousands of restarts on a virtual clock: the invariants hold, and every planted bug is found."""

import os
import subprocess
import sys

import pytest

from tests.simulation.bugs import BUGS
from tests.simulation.play import play

CORPUS = {
    18: "a disk that was full at a start ended the service",
    232: "a start interrupted a run that it had begun itself",
    334: "a run that ended let go of jobs that another run held",
    833: "the same, seen as a job that nobody watched",
    1360: "the same, on another way",
    106: "a frozen worker says completed between two disks: a guess, and marked",
}
"""Seeds that once found something, or nearly."""

FIRST_FOUND = {
    "a_run_lets_go_of_jobs_that_another_run_holds": 270,
    "a_job_that_could_not_be_stored_is_kept_as_if_it_were": 70,
}
"""Where the short form begins to look for what takes long to find; the long form begins at 0."""

MOST_SEEDS = 1000


@pytest.fixture
def is_long(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--long"))


@pytest.mark.parametrize("share", range(4))
def test_no_invariant_is_ever_broken(share: int, *, is_long: bool) -> None:
    seeds = range(share, 10_000 if is_long else 80, 4)

    wrong = {seed: told.violation for seed in seeds if (told := play(seed)).violation}

    assert wrong == {}


@pytest.mark.parametrize("seed", CORPUS)
def test_what_was_found_once_is_not_there_any_more(seed: int) -> None:
    assert play(seed).violation is None


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_found(name: str, monkeypatch: pytest.MonkeyPatch, *, is_long: bool) -> None:
    BUGS[name](monkeypatch)
    first = 0 if is_long else FIRST_FOUND.get(name, 0)

    assert any(play(seed).violation for seed in range(first, MOST_SEEDS))


def test_a_seed_runs_the_same_way_in_every_process() -> None:
    program = "from tests.simulation.play import play; print(play(7).digest)"
    digests = {
        subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for hash_seed in ("1", "2", "3")
    }

    assert len(digests) == 1
    assert len(digests.pop().strip()) == 16
