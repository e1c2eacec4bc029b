"""The short form of scripts/reliability/oracle, and tests that the oracle finds what is wrong."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from adapters.simulated_vma import SimulatedVMA
from tests.oracle import log
from tests.oracle.asking import Asker, Difference, differences
from tests.oracle.examination import examine
from tests.oracle.life import Life, log_of

ONE_DAY = 24 * 3600 * 1_000_000


def test_every_answer_is_the_one_that_the_log_gives(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    questions, kills = (5000, 10) if request.config.getoption("--long") else (200, 1)

    result = examine(1, tmp_path, questions, kills, commands=0.02)

    assert result.questions.total() >= questions
    assert result.kills == kills
    assert result.jobs > 0


@pytest.fixture
def life(tmp_path: Path) -> Iterator[Life]:
    with SimulatedVMA() as vma:
        life = Life(1, tmp_path, vma)
        life.begin()
        yield life
        life.end()


def test_an_answer_that_the_log_does_not_give_is_told_with_its_question(life: Life, tmp_path: Path) -> None:
    with closing(Asker(1, log_of(tmp_path), commands=0.0)) as asker:
        asker.connect(life.service.url)
        asker.refresh()
        for _, job in asker.past.jobs["job-0001"]:
            job["vm_name"] = "another"

        with pytest.raises(Difference, match=r"seed 1, question \d+, position \d+: GET /api/v1/jobs.*") as found:
            asker.ask_until(1000)

    assert 'expected "another", given "VM job-0001"' in str(found.value)


def test_a_difference_in_a_list_is_told_also_if_the_list_is_longer_or_shorter() -> None:
    items = [{"vm_name": "one"}, {"vm_name": "two"}]

    for given in ([{"vm_name": "other"}], [{"vm_name": "other"}, *items[1:], {"vm_name": "three"}]):
        first, second = differences({"items": items}, {"items": given})

        assert first == '.items[0].vm_name: expected "one", given "other"'
        assert '"-"' in second
    assert list(differences(items, items)) == []


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("2026-11-26", ONE_DAY),
        ("2026-11-26T07:10", 60_000_000),
        ("2026-11-26T07:10:08Z", 1_000_000),
        ("2026-11-26T07:10:08.801Z", 1_000),
        ("2026-11-26T07:10:08.801402Z", 1),
    ],
)
def test_a_time_is_as_long_as_it_is_precise(text: str, length: int) -> None:
    begin, end = log.period(text)

    assert end - begin + 1 == length


def test_a_blank_before_an_offset_is_a_plus() -> None:
    assert log.period("2026-11-26T07:10:08 02:00") == log.period("2026-11-26T05:10:08Z")
