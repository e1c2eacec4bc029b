"""The pages of a list are together the list, whatever their size; the last one has no cursor."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from api.http import paging
from api.http.schemas.present import AsOf, Page
from api.http.times import LATEST


def all_pages(read: Callable[[str | None], Page[int]]) -> list[list[int]]:
    """Return the items of each page, up to the one without a cursor."""
    pages = [read(None)]
    while pages[-1].next_cursor is not None:
        pages.append(read(pages[-1].next_cursor))
    return [page.items for page in pages]


@given(st.integers(0, 30), st.integers(1, 10))
def test_the_pages_by_position_are_the_list_and_only_the_last_is_not_full(count: int, limit: int) -> None:
    def read(cursor: str | None) -> Page[int]:
        after = paging.position_in(cursor) or 0
        found = list(range(after + 1, count + 1))[: limit + 1]
        return paging.page(found, limit, lambda position: position, lambda position: position)

    pages = all_pages(read)

    assert [position for page in pages for position in page] == list(range(1, count + 1))
    assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)
    assert len(pages[-1]) in range(min(count, 1), limit + 1)


@given(st.integers(0, 30), st.integers(1, 10))
def test_so_are_the_pages_of_a_list_that_does_not_change(count: int, limit: int) -> None:
    items = list(range(count))

    pages = all_pages(lambda cursor: paging.numbered(items, limit, cursor))

    assert [item for page in pages for item in page] == items
    assert len(pages[-1]) in range(min(count, 1), limit + 1)


@pytest.mark.parametrize("last", ["job-1", "gerät", "j" * 200])
def test_a_page_by_id_begins_after_the_last_id_of_the_one_before(last: str) -> None:
    found = paging.page([last, "job-2"], 1, lambda job_id: job_id, lambda job_id: job_id)

    assert (found.items, paging.id_in(found.next_cursor)) == ([last], last)


MOMENTS = st.builds(
    AsOf,
    position=st.integers(0, 2**62),
    time=st.none() | st.datetimes(datetime(1971, 1, 1), datetime(8999, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    is_future=st.booleans(),
)


@given(MOMENTS, st.text(min_size=1, max_size=20))
def test_a_cursor_of_the_past_has_the_moment_of_its_list_and_one_of_the_present_has_none(then: AsOf, last: str) -> None:
    past = paging.page([last, "job-2"], 1, lambda job_id: paging.key_then(then, "1a2b3c4d", job_id), str).next_cursor
    present = paging.page([last, "job-2"], 1, lambda job_id: job_id, lambda job_id: job_id).next_cursor

    assert (paging.moment_in(past), paging.digest_in(past), paging.id_in(past)) == (then, "1a2b3c4d", last)
    assert (paging.moment_in(present), paging.digest_in(present), paging.id_in(present)) == (None, None, last)
    assert (paging.moment_in(None), paging.id_in(None)) == (None, "")


def refused(kind: Any, value: object) -> bool:
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError:
        return True
    return False


def test_a_page_has_one_to_a_thousand_items() -> None:
    assert [refused(paging.Limit, limit) for limit in (0, 1, 1000, 1001)] == [True, False, False, True]


def test_the_cursors_of_the_largest_position_and_of_the_longest_id_are_accepted() -> None:
    position, longest = 2**63 - 1, "\U0001f600" * 200
    past = paging.key_then(AsOf(position=position, time=LATEST, is_future=True), "f" * 8, longest)
    shown = {
        key: paging.page([key, None], 1, lambda _, key=key: key, lambda row: row).next_cursor  # type: ignore[misc]
        for key in (position, longest, past)
    }

    assert not refused(paging.Cursor, shown[position])
    assert not refused(paging.IdCursor, shown[longest])
    assert not refused(paging.PastCursor, shown[longest])
    assert not refused(paging.PastCursor, shown[past])
    assert refused(paging.Cursor, f"{shown[position]}0")
    assert refused(paging.IdCursor, f"{shown[longest]}00")
    assert refused(paging.PastCursor, f"{shown[past]}00")


@pytest.mark.parametrize("cursor", [None, "", "0000000000000003"])
def test_the_first_page_of_a_list_that_does_not_change_begins_with_its_first_item(cursor: str | None) -> None:
    begins = 3 if cursor else 0

    found = paging.numbered("abcdefgh", 2, cursor)

    assert (found.items, found.next_cursor) == (list("abcdefgh")[begins : begins + 2], f"{begins + 2:016x}")
