"""The mean speed of a job over its last polls. It is shown, and never decides anything."""

from typing import NamedTuple

import msgspec

WINDOW = 60.0
"""Seconds. A VMA updates its figures in steps, so a shorter mean would jump between nothing and too much."""


class Sample(NamedTuple):
    """The figures of one poll; `at` is in monotonic seconds, `transferred` in bytes. None: the VMA gave no figure."""

    at: float
    percent: float | None
    transferred: int | None


class Throughput(msgspec.Struct):
    """Three samples of one job: the last, and two earlier ones, so that the mean covers one to two windows."""

    earlier: Sample | None = None
    later: Sample | None = None
    last: Sample | None = None

    def add(self, sample: Sample) -> None:
        """Add a poll. Figures that fall begin anew: they are another worker's, or another pass's."""
        if self.earlier is None or self.later is None or self.last is None or _falls(self.last, sample):
            self.earlier = self.later = sample
        elif sample.at - self.later.at >= WINDOW:
            self.earlier, self.later = self.later, sample
        self.last = sample

    @property
    def bytes_per_second(self) -> float | None:
        """Return the mean speed; None before the second poll, or without figures in bytes."""
        if self.earlier is None or self.last is None:
            return None
        before, now = self.earlier.transferred, self.last.transferred
        if before is None or now is None or self._seconds <= 0:
            return None
        return (now - before) / self._seconds

    @property
    def seconds_left(self) -> float | None:
        """Return an estimate of the seconds until 100 %; None if the percentage is not known or does not grow."""
        if self.earlier is None or self.last is None:
            return None
        before, now = self.earlier.percent, self.last.percent
        if before is None or now is None or now <= before:
            return None
        return (100 - now) * self._seconds / (now - before)

    @property
    def _seconds(self) -> float:
        return self.last.at - self.earlier.at if self.earlier and self.last else 0.0


def _falls(last: Sample, sample: Sample) -> bool:
    figures = ((last.percent, sample.percent), (last.transferred, sample.transferred))
    return any(before is not None and now is not None and now < before for before, now in figures)
