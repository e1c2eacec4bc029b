"""Times in requests: RFC 3339, in UTC if they name no zone, and as precise as they are written.

A date is the whole day, a minute the whole minute, a fraction all that begins with it. A period begins with the first
microsecond of such a time (`UtcTime`), and ends with its last one (`EndTime`), as does a moment. Of a time between two
microseconds, a period begins with the later one, and ends with the earlier one.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from domain.errors import InvalidInput

_WRITTEN = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)"
    r"(?:[Tt _](?P<minute>\d\d:\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d+))?)?)?"
    r"(?P<zone>[Zz]|[ +-]\d\d:?\d\d)?",
    re.ASCII,
)
_AMBIGUOUS = re.compile(r"(?P<date>\d{4}-\d\d-\d\d) (?P<hours>\d\d:\d\d)", re.ASCII)
"""A day in a zone whose `+` arrived as a blank, or a time of that day: everything else has one meaning."""

A_TIME = "a time that begins with a date, such as 2026-11-23T14:03:00Z or 2026-11-23"

MICROSECONDS = 6
"""Digits of a fraction that are kept."""

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(9000, 1, 1, tzinfo=UTC)
"""Bounds within which date arithmetic cannot overflow; a time outside is set to the nearer bound."""


class NotATimeError(ValueError):
    """A text is not written as a time. Where something else is valid, too, the message must name it."""


def in_utc(time: datetime) -> datetime:
    """Return a time in UTC, within the bounds."""
    try:
        time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except OverflowError:
        return EARLIEST if time.year < EARLIEST.year else LATEST
    return min(max(time, EARLIEST), LATEST)


def beginning(value: object) -> datetime:
    """Return the first microsecond that is not before a written time."""
    is_between = (_parts(value)["fraction"] or "")[MICROSECONDS:].strip("0") != ""
    return truncated(value) + timedelta(microseconds=int(is_between))


def end(value: object) -> datetime:
    """Return the last microsecond of a written time."""
    return truncated(value) + _duration(_parts(value)) - timedelta(microseconds=1)


def truncated(value: object) -> datetime:
    """Return the first microsecond of a written time, without the digits that are not kept."""
    written = _parts(value)
    fraction = (written["fraction"] or "")[:MICROSECONDS].ljust(MICROSECONDS, "0")
    # In a query, an unescaped `+` arrives as a blank. A zone has no other sign than `+` and `-`.
    zone = (written["zone"] or "").upper().replace(" ", "+")
    text = f"{written['date']}T{written['minute'] or '00:00'}:{written['second'] or '00'}.{fraction}{zone}"
    try:
        return in_utc(datetime.fromisoformat(text))
    except ValueError:
        raise ValueError("must be a date, a time of day and a zone that exist") from None


def _parts(value: object) -> dict[str, str | None]:
    """Return the parts of a written time. A number is refused: it could be seconds or milliseconds."""
    written = _WRITTEN.fullmatch(value) if isinstance(value, str) else None
    if written is None:
        raise NotATimeError(f"must be {A_TIME}")
    if either := _AMBIGUOUS.fullmatch(written.string):
        raise ValueError(
            "may be a time of day or a day in a zone: write {date}T{hours} for that time of day, or {date}+{hours} "
            "(in a URL: {date}%2B{hours}) for the whole day in that zone".format(**either.groupdict())
        )
    return written.groupdict()


def _duration(written: dict[str, str | None]) -> timedelta:
    if written["fraction"]:
        return timedelta(microseconds=10 ** max(0, MICROSECONDS - len(written["fraction"])))
    if written["second"]:
        return timedelta(seconds=1)
    return timedelta(minutes=1) if written["minute"] else timedelta(days=1)


def check_period(since: datetime | None, until: datetime | None) -> None:
    """Check that a period does not end before it begins: nothing would be found in it.

    Raises:
        InvalidInput: it does.

    """
    if since is not None and until is not None and since > until:
        raise InvalidInput(f"`from` ({since.isoformat()}) is after `to` ({until.isoformat()}): exchange them")


UtcTime = Annotated[datetime, BeforeValidator(beginning), AfterValidator(in_utc)]
TruncatedTime = Annotated[datetime, BeforeValidator(truncated), AfterValidator(in_utc)]
EndTime = Annotated[datetime, BeforeValidator(end), AfterValidator(in_utc)]
