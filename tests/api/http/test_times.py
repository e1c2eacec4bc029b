"""A time is as precise as it is written."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from api.http.times import EARLIEST, LATEST, EndTime, TruncatedTime, UtcTime

FROM, TO = TypeAdapter[datetime](UtcTime), TypeAdapter[datetime](EndTime)


def period(written: str) -> tuple[str, str]:
    """Return the first and the last microsecond of a written time."""
    first, last = FROM.validate_python(written), TO.validate_python(written)
    assert (first.utcoffset(), last.utcoffset()) == (timedelta(0), timedelta(0))
    return tuple(f"{time:%m-%d %H:%M:%S.%f}" for time in (first, last))  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("written", "first", "last"),
    [
        ("2026-11-23", "11-23 00:00:00.000000", "11-23 23:59:59.999999"),
        ("2026-11-23Z", "11-23 00:00:00.000000", "11-23 23:59:59.999999"),
        ("2026-11-23+02:00", "11-22 22:00:00.000000", "11-23 21:59:59.999999"),
        ("2026-11-23T14:03", "11-23 14:03:00.000000", "11-23 14:03:59.999999"),
        ("2026-11-23 14:03Z", "11-23 14:03:00.000000", "11-23 14:03:59.999999"),
        ("2026-11-23T14:03:00Z", "11-23 14:03:00.000000", "11-23 14:03:00.999999"),
        ("2026-11-23t14:03:00z", "11-23 14:03:00.000000", "11-23 14:03:00.999999"),
        ("2026-11-23T14:03:00.1Z", "11-23 14:03:00.100000", "11-23 14:03:00.199999"),
        ("2026-11-23T14:03:00.123Z", "11-23 14:03:00.123000", "11-23 14:03:00.123999"),
        ("2026-11-23T14:03:00.123456Z", "11-23 14:03:00.123456", "11-23 14:03:00.123456"),
        ("2026-11-23T14:03:00.123456000Z", "11-23 14:03:00.123456", "11-23 14:03:00.123456"),
        ("2026-11-23T14:03:00-05:30", "11-23 19:33:00.000000", "11-23 19:33:00.999999"),
    ],
)
def test_a_time_is_the_whole_of_what_is_written(written: str, first: str, last: str) -> None:
    assert period(written) == (first, last)


@pytest.mark.parametrize("digits", ["1", "9", "001", "789"])
def test_a_time_between_two_microseconds_begins_with_the_later_one_and_ends_with_the_earlier_one(digits: str) -> None:
    assert period(f"2026-11-23T14:03:00.123456{digits}Z") == ("11-23 14:03:00.123457", "11-23 14:03:00.123456")
    assert period(f"2026-11-23T23:59:59.999999{digits}+00:00") == ("11-24 00:00:00.000000", "11-23 23:59:59.999999")


def test_a_time_that_is_no_end_of_a_period_loses_the_digits_after_the_sixth() -> None:
    sent_at = TypeAdapter[datetime](TruncatedTime).validate_python("2026-11-23T14:03:00.1234567+02:00")

    assert sent_at == datetime(2026, 11, 23, 12, 3, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize("time", ["T14:03", "T14:03:00", "T14:03:00.123", " 14:03:00"])
@pytest.mark.parametrize("zone", ["+02:00", "+0200"])
def test_a_plus_that_arrived_as_a_blank_is_a_plus(time: str, zone: str) -> None:
    unescaped = zone.replace("+", " ")

    assert period(f"2026-11-23{time}{unescaped}") == period(f"2026-11-23{time}{zone}")
    assert period(f"2026-11-23{time}{zone}") != period(f"2026-11-23{time}Z")


@pytest.mark.parametrize("zone", ["02:00", "00:00", "23:59"])
def test_a_date_a_blank_and_hours_may_be_a_time_of_day_or_a_zone_and_is_refused_with_both_spellings(zone: str) -> None:
    for kind in (FROM, TO):
        with pytest.raises(ValidationError) as refused:
            kind.validate_python(f"2026-11-23 {zone}")

        assert f"2026-11-23T{zone}" in str(refused.value)
        assert f"2026-11-23%2B{zone}" in str(refused.value)


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("2026-11-23 02:00Z", "2026-11-23T02:00Z"),
        ("2026-11-23 02:00 01:00", "2026-11-23T02:00+01:00"),
        ("2026-11-23 02:00-01:00", "2026-11-23T02:00-01:00"),
        ("2026-11-23 02:00:00", "2026-11-23T02:00:00"),
        ("2026-11-23_02:00", "2026-11-23T02:00"),
        ("2026-11-23 0200", "2026-11-23+02:00"),
        ("2026-11-23T02:00", "2026-11-23T02:00Z"),
    ],
)
def test_every_other_time_with_a_blank_has_one_meaning(written: str, same: str) -> None:
    assert period(written) == period(same)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "yesterday",
        "1764165780",
        "14:03:00",
        "2026-11-23T",
        "2026-11-23T14",
        "2026-11-23T14:03:00 Z",
        "2026-11-23T14:03:00  02:00",
        "2026-11-23T14:03:00Z\n",
        "2026-02-30",
        "2026-11-23T24:01",
        "2026-11-23T14:03:00+25:00",
        "२०२६-11-23",
        "0000-01-01",
    ],
)
def test_what_is_no_time_is_refused(written: str) -> None:
    for kind in (FROM, TO):
        with pytest.raises(ValidationError):
            kind.validate_python(written)


@pytest.mark.parametrize("written", ["2026-02-30", "2026-11-23T25:00", "2026-11-23T14:03:00+25:00", "0000-01-01"])
def test_what_is_written_as_a_time_and_does_not_exist_is_told_in_our_own_words(written: str) -> None:
    for kind in (FROM, TO):
        with pytest.raises(ValidationError, match="must be a date, a time of day and a zone that exist") as refused:
            kind.validate_python(written)

        assert "timedelta" not in str(refused.value)


@pytest.mark.parametrize("number", [1764165780, 1764165780.5, True])
def test_a_number_is_no_time(number: object) -> None:
    for kind in (FROM, TO):
        with pytest.raises(ValidationError, match="begins with a date"):
            kind.validate_python(number)


@pytest.mark.parametrize("zone", ["", "Z", "+23:59", "-23:59"])
def test_a_time_outside_the_bounds_is_set_to_the_nearer_one(zone: str) -> None:
    assert (EARLIEST.isoformat(), LATEST.isoformat()) == ("1970-01-01T00:00:00+00:00", "9000-01-01T00:00:00+00:00")
    for kind in (FROM, TO):
        assert kind.validate_python(f"9999-12-31T23:59:59{zone}") == LATEST
        assert kind.validate_python(f"0001-01-01T00:00:00.000000{zone}") == EARLIEST


@given(
    time=st.datetimes(datetime(1971, 1, 1), datetime(8999, 1, 1)),  # noqa: DTZ001 - the zone is drawn
    minutes=st.integers(-1439, 1439),
)
def test_a_time_that_was_printed_to_the_microsecond_is_that_microsecond(time: datetime, minutes: int) -> None:
    printed = time.replace(tzinfo=timezone(timedelta(minutes=minutes))).isoformat(timespec="microseconds")

    assert FROM.validate_python(printed) == TO.validate_python(printed) == datetime.fromisoformat(printed)
    assert FROM.validate_python(printed).tzinfo is UTC
