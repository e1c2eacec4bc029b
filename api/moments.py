"""Moments as people write them: any RFC 3339 time, taken as UTC where it names no zone."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator

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


Moment = Annotated[datetime, AfterValidator(in_utc)]
