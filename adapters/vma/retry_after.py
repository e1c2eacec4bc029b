"""Reads how long a pause a server asks for by HTTP 429."""

from datetime import datetime
from email.utils import parsedate_to_datetime

MAX_PAUSE = 3600.0
"""Seconds after which a VMA is asked again in any case."""


def seconds_to_wait(retry_after: str | None, date: str | None, now: datetime) -> float | None:
    """Return the seconds that a `Retry-After` header asks for, at most an hour; None if it asks for nothing.

    A date in it is compared with the reply's own `date`, because the VMA's clock may differ from ours (`now`).
    """
    value = (retry_after or "").strip()
    if value.isascii() and value.isdigit():
        # A number of many digits cannot be converted.
        seconds = float(value) if len(value) <= len("3600") else MAX_PAUSE
    else:
        until, sent = _http_date(value), _http_date(date) or now
        seconds = (until - sent).total_seconds() if until is not None else 0.0
    return min(MAX_PAUSE, seconds) if seconds > 0 else None


def _http_date(text: str | None) -> datetime | None:
    try:
        date = parsedate_to_datetime(text or "")
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo is not None else None
