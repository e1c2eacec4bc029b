"""Several instances on a virtual clock: the invariants hold, and every planted bug is found."""

import pytest

from tests.simulation.play import play
from tests.simulation.several import SeveralInstances
from tests.simulation.sharing_bugs import BUGS

FOUND_BY = {
    "a_former_owner_is_not_kept_from_storing": 5,
    "a_share_is_given_to_two": 30,
    "what_others_store_is_not_followed": 24,
    "an_event_is_projected_by_each_instance": 3,
    "the_jobs_of_a_lost_share_are_watched_on": 0,
    "what_is_taken_over_is_not_recovered": 53,
    "a_share_without_an_owner_is_not_taken": 0,
}
"""A seed that finds each bug."""


@pytest.fixture
def is_long(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--long"))


def test_no_invariant_is_ever_broken(*, is_long: bool) -> None:
    seeds = range(5000) if is_long else sorted({*range(8), *FOUND_BY.values()})

    wrong = {seed: result.violation for seed in seeds if (result := play(seed, SeveralInstances)).violation}

    assert wrong == {}


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_found_by_its_seed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    BUGS[name](monkeypatch)

    assert play(FOUND_BY[name], SeveralInstances).violation is not None
