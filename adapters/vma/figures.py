"""Reading single fields of a VMA's document: one that cannot be read is left out, and the others count."""

from collections.abc import Mapping
from typing import Any

from adapters.plain_text import redacted

MAX_TEXT = 500
"""Characters of a text that are kept."""

MAX_NAME = 80
"""Characters of a disk's name that are kept."""

TOLERANCE = 1e-6
"""What rounding may take off zero percent."""

MOST_PERCENT = 1000.0
"""Progress above 100 % is capped: builds floor the total to whole GiB. Beyond this the figure is something else."""

PERCENTS = ("percentage", "progress_percent", "percent")
"""The names of a progress in the forms of all builds."""

MOST = 2**60
"""An exabyte: more bytes than that are none."""


class FieldReader:
    """Reads the fields of one document, and remembers whether one of them had to be left out."""

    def __init__(self) -> None:
        """Nothing is left out yet."""
        self.left_out = False

    def percent(self, value: object) -> float | None:
        """Read a progress in percent, at most 100."""
        percent = self._number(value, -TOLERANCE, MOST_PERCENT)
        return None if percent is None else min(100.0, max(0.0, percent))

    def least_percent(self, *sources: Mapping[str, Any]) -> float | None:
        """Read a progress; where builds say it twice, the lesser counts."""
        said = [source[name] for source in sources for name in PERCENTS if source.get(name) is not None]
        read = [percent for value in said if (percent := self.percent(value)) is not None]
        return min(read, default=None)

    def size(self, *values: object) -> int | None:
        """Read the first of these numbers of bytes that is there and can be read."""
        read = (self._number(value, 0, MOST) for value in values)
        return next((int(number) for number in read if number is not None), None)

    def mapping(self, value: object) -> Mapping[str, Any]:
        """Read a nested part; empty if it is not there."""
        if isinstance(value, dict):
            return value
        self._leave_out(value)
        return {}

    def listed(self, value: object) -> list[Any]:
        """Read a list; empty if it is not there."""
        if isinstance(value, list):
            return value
        # Some builders write an object or a text without content for an empty list.
        self._leave_out(value or None)
        return []

    def _number(self, value: object, least: float, most: float) -> float | None:
        # Compared, not converted: a whole number may have hundreds of digits. NaN is in no range.
        if not isinstance(value, bool) and isinstance(value, int | float) and least <= value <= most:
            return float(value)
        self._leave_out(value)
        return None

    def _leave_out(self, value: object) -> None:
        self.left_out |= value is not None


def first(source: Mapping[str, Any], *names: str) -> object:
    """Return the first of these fields that is there."""
    return next((source[name] for name in names if source.get(name) is not None), None)


def text(value: object, most: int = MAX_TEXT) -> str | None:
    """Read a text of others, which is kept: without secrets, and in characters that can be stored."""
    if not isinstance(value, str) or not value:
        return None
    # Cut last: half of a secret is not known as one.
    cut = redacted(value)[:most]
    return cut if cut.isascii() else cut.encode("utf-8", "replace").decode()


def name(value: object) -> str:
    """Read a name, which may be a number; empty if there is none."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return text(str(value) if is_number else value, MAX_NAME) or ""
