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


class Window(NamedTuple):
    """The last sample and two earlier ones, so that the mean covers one to two windows."""

    earlier: Sample
    later: Sample
    last: Sample


class Throughput(msgspec.Struct):
    """The mean speed of one job; without a window before the first poll."""

    window: Window | None = None

    def add(self, sample: Sample) -> None:
        """Add a poll. Figures that fall begin anew: they are another worker's, or another pass's."""
        window = self.window
        if window is None or any(_falls(before, sample) for before in window):
            self.window = Window(sample, sample, sample)
        elif sample.at - window.later.at >= WINDOW:
            self.window = Window(window.later, sample, sample)
        else:
            self.window = window._replace(last=sample)

    @property
    def bytes_per_second(self) -> float | None:
        """Return the mean speed; None before the second poll, or without figures in bytes."""
        if self.window is None:
            return None
        before, now = self.window.earlier, self.window.last
        if before.transferred is None or now.transferred is None or now.at <= before.at:
            return None
        return (now.transferred - before.transferred) / (now.at - before.at)

    @property
    def seconds_left(self) -> float | None:
        """Return an estimate of the seconds until 100 %; None if the percentage is not known or does not grow."""
        if self.window is None:
            return None
        before, now = self.window.earlier, self.window.last
        if before.percent is None or now.percent is None or now.percent <= before.percent:
            return None
        return (100 - now.percent) * (now.at - before.at) / (now.percent - before.percent)


def _falls(before: Sample, now: Sample) -> bool:
    figures = ((before.percent, now.percent), (before.transferred, now.transferred))
    return any(was is not None and is_now is not None and is_now < was for was, is_now in figures)
