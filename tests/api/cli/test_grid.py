"""Tables at every width: ids are whole, and nothing is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from api.cli.grid import Grid

IDS = ["job-20251003-140000-abc123", "ctx-PhilB Test machine-20250909-113839", "日本語-größe " * 5 + "x", "j"]
REASON = "probably finished: last seen at 92.5 %, not found for 3 s, above 90 %; see completed-while-away"
STATE = "pending-retry 92.5 %"
WRITTEN = "jobs of today job state reason" + "".join(f"{job_id}{STATE}{REASON}" for job_id in IDS)


def jobs() -> Grid:
    rows = ((job_id, STATE, REASON) for job_id in IDS)
    return Grid("job", "state", "reason", rows=rows, title="jobs of today")


def letters(text: str) -> list[str]:
    return sorted(character for character in text if character not in " -")


def lines(table: Grid, width: int) -> list[str]:
    return table.drawn(width).plain.split("\n")


@given(st.integers(1, 300))
def test_ids_are_whole_and_each_letter_is_shown_at_every_width(width: int) -> None:
    shown = lines(jobs(), width)

    assert all(any(job_id in line for line in shown) for job_id in IDS)
    assert letters("".join(shown)) == letters(WRITTEN)


def test_a_table_that_has_room_has_a_line_for_each_row() -> None:
    shown = lines(jobs(), 1000)

    assert len(shown) == 3 + len(IDS)
    assert shown[3] == f"{IDS[0]}{' ' * (cell_len(IDS[2]) - len(IDS[0]))}  pending-retry 92.5 %  {REASON}"


@pytest.mark.parametrize("width", [80, 100, 120])
def test_columns_fold_between_words_until_the_table_fits(width: int) -> None:
    table = Grid("job", "reason", rows=[[IDS[0], REASON]])

    shown = lines(table, width)

    assert max(map(cell_len, shown)) <= width
    assert " ".join(line[len(IDS[0]) :].strip() for line in shown[2:]).replace("- ", "-") == REASON


def test_an_id_that_leaves_no_room_stands_above_its_row() -> None:
    table = Grid("job", "reason", rows=[[IDS[1], "unreachable"]])

    assert lines(table, 45) == ["job", "  reason", "  -----------", IDS[1], "  unreachable"]


def test_an_id_moves_above_its_row_before_the_other_columns_are_too_narrow_to_read() -> None:
    table = Grid("job", "reason", rows=[[IDS[1], REASON]])

    assert lines(table, 60)[0] == "job".ljust(cell_len(IDS[1]) + 2) + "reason"
    assert lines(table, 59)[0] == "job"


def test_a_percentage_and_a_name_with_digits_are_not_broken() -> None:
    table = Grid("what", rows=[["at 92.5 % of exchange-2019-01"]])

    assert lines(table, 16)[2:] == ["at 92.5 % of", "exchange-2019-01"]
