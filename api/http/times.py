"""Moments as people write them: any RFC 3339 time, taken as UTC where it names no zone."""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(9000, 1, 1, tzinfo=UTC)
"""No log reaches beyond these, and within them no arithmetic overflows; what lies outside means one of them."""


def in_utc(moment: datetime) -> datetime:
    """Return a time in UTC, within the bounds."""
    try:
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        return EARLIEST if moment.year < EARLIEST.year else LATEST
    return min(max(moment, EARLIEST), LATEST)


def _written_out(value: object) -> object:
    """Refuse bare numbers, which pydantic would take for seconds or milliseconds, whichever looks likelier."""
    if not isinstance(value, datetime) and not (isinstance(value, str) and _DATE.match(value)):
        raise ValueError("a time begins with a date, such as 2026-11-23T14:03:00Z")
    return value


Moment = Annotated[datetime, BeforeValidator(_written_out), AfterValidator(in_utc)]
