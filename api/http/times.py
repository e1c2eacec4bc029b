"""Times in requests: RFC 3339, in UTC if they name no zone."""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(9000, 1, 1, tzinfo=UTC)
"""Bounds within which date arithmetic cannot overflow; a time outside is set to the nearer bound."""


def in_utc(time: datetime) -> datetime:
    """Return a time in UTC, within the bounds."""
    try:
        time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except OverflowError:
        return EARLIEST if time.year < EARLIEST.year else LATEST
    return min(max(time, EARLIEST), LATEST)


def _begins_with_date(value: object) -> object:
    """Refuse numbers, which pydantic would read as seconds or as milliseconds, depending on their size."""
    if not isinstance(value, datetime) and not (isinstance(value, str) and _DATE.match(value)):
        raise ValueError("must be a time that begins with a date, such as 2026-11-23T14:03:00Z")
    return value


UtcTime = Annotated[datetime, BeforeValidator(_begins_with_date), AfterValidator(in_utc)]
