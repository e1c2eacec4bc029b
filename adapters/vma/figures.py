"""Reads single fields of a VMA's document: an unreadable one is skipped, and the others are used."""

from collections.abc import Mapping
from typing import Any

from adapters.plain_text import redacted

MAX_TEXT = 500
"""Characters of a text that are stored."""

MAX_NAME = 80
"""Characters of a disk's name that are stored."""

TOLERANCE = 1e-6
"""Percent below zero that rounding may cause."""

MAX_PERCENT = 1000.0
"""Progress above 100 % is capped: builds floor the total to whole GiB. A larger figure is not a percentage."""

PERCENTS = ("percentage", "progress_percent", "percent")
"""The names of a progress, of all builds."""

MAX_BYTES = 2**60
"""An exabyte. A larger figure is not a number of bytes."""


class FieldReader:
    """Reads the fields of one document, and records whether one of them was skipped."""

    def __init__(self) -> None:
        """Begin with no field skipped."""
        self.skipped = False

    def percent(self, value: object) -> float | None:
        """Return a progress in percent, at most 100; None if it is missing or unreadable."""
        percent = self._number(value, -TOLERANCE, MAX_PERCENT)
        return None if percent is None else min(100.0, max(0.0, percent))

    def least_percent(self, *sources: Mapping[str, Any]) -> float | None:
        """Return the lesser progress of a document that states it twice."""
        stated = [source[name] for source in sources for name in PERCENTS if source.get(name) is not None]
        read = [percent for value in stated if (percent := self.percent(value)) is not None]
        return min(read, default=None)

    def size(self, *values: object) -> int | None:
        """Return the first readable number of bytes."""
        read = (self._number(value, 0, MAX_BYTES) for value in values)
        return next((int(number) for number in read if number is not None), None)

    def mapping(self, value: object) -> Mapping[str, Any]:
        """Return a nested part; empty if it is missing."""
        if isinstance(value, dict):
            return value
        self._skip(value)
        return {}

    def listed(self, value: object) -> list[Any]:
        """Return a list; empty if it is missing."""
        if isinstance(value, list):
            return value
        # Some builds write an empty object or text for an empty list.
        self._skip(value or None)
        return []

    def _number(self, value: object, minimum: float, maximum: float) -> float | None:
        # Compared before it is converted: an integer may have hundreds of digits. NaN is in no range.
        if not isinstance(value, bool) and isinstance(value, int | float) and minimum <= value <= maximum:
            return float(value)
        self._skip(value)
        return None

    def _skip(self, value: object) -> None:
        self.skipped |= value is not None


def first(source: Mapping[str, Any], *names: str) -> object:
    """Return the first of these fields that has a value."""
    return next((source[name] for name in names if source.get(name) is not None), None)


def text(value: object, limit: int = MAX_TEXT) -> str | None:
    """Return a text without secrets, in characters that can be stored; None if it is missing or empty."""
    if not isinstance(value, str) or not value:
        return None
    # Cut last: a part of a secret is not recognized.
    cut = redacted(value)[:limit]
    return cut if cut.isascii() else cut.encode("utf-8", "replace").decode()


def name(value: object) -> str:
    """Return a name, which may be a number; empty if there is none."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return text(str(value) if is_number else value, MAX_NAME) or ""
