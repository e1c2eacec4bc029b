"""How long a server that answers HTTP 429 asks to be left alone."""

from datetime import datetime
from email.utils import parsedate_to_datetime

LONGEST = 3600.0
"""Seconds after which a VMA is asked again, whatever it said."""


def seconds_to_wait(retry_after: str | None, date: str | None, now: datetime) -> float | None:
    """Return the seconds that a `Retry-After` header asks for, at most an hour; None if it asks for nothing.

    A date in it is compared with the reply's own `date`, for the VMA's clock may differ from ours (`now`).
    """
    said = (retry_after or "").strip()
    if said.isascii() and said.isdigit():
        # A number of many digits cannot even be converted.
        seconds = float(said) if len(said) <= len("3600") else LONGEST
    else:
        until, sent = _moment(said), _moment(date) or now
        seconds = (until - sent).total_seconds() if until is not None else 0.0
    return min(LONGEST, seconds) if seconds > 0 else None


def _moment(text: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text or "")
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else None
