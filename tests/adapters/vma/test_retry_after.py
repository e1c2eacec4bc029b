"""The pause that a VMA asks for by `Retry-After`."""

from datetime import UTC, datetime

import pytest

from adapters.vma.retry_after import seconds_to_wait

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
AT_NOON, A_MINUTE_LATER = "Thu, 01 Jan 2026 12:00:00 GMT", "Thu, 01 Jan 2026 12:01:00 GMT"


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        ("1", 1.0),
        ("30", 30.0),
        ("1800", 1800.0),
        (" 30 ", 30.0),
        ("3600", 3600.0),
        ("3601", 3600.0),
        ("9" * 5000, 3600.0),
        (A_MINUTE_LATER, 60.0),
        ("Thu, 01 Jan 2027 12:00:00 GMT", 3600.0),
    ],
)
def test_seconds_and_dates_are_understood_and_an_hour_is_the_longest(retry_after: str, seconds: float) -> None:
    assert seconds_to_wait(retry_after, None, NOON) == seconds


@pytest.mark.parametrize(
    "retry_after",
    [
        None, "", "0", "-5", "1.5", "soon", "٣٠", "Thu, 01 Jan 2026 11:00:00 GMT", "Thu, 01 Jan 2026 12:01:00",
        "Thu, 01 Jan 99999 12:00:00 GMT", "Thu, 32 Foo 2026 12:00:00 GMT",
    ],
)  # fmt: skip
def test_a_value_without_a_pause_is_none(retry_after: str | None) -> None:
    assert seconds_to_wait(retry_after, None, NOON) is None


def test_a_date_is_compared_with_the_vmas_own_clock() -> None:
    years_later = NOON.replace(year=2030)

    assert seconds_to_wait(A_MINUTE_LATER, AT_NOON, years_later) == 60.0
    assert seconds_to_wait(A_MINUTE_LATER, "now", NOON) == 60.0
