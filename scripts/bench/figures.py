"""Figures beside their floors.

A floor is the same real work with nothing of ours in it. Both are measured in turn in one run, because the pace of a
machine varies within minutes: only their ratio tells something on another day.
"""

import argparse
import json
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

Measured = dict[str, float]
"""Figures by their names, each with its unit."""


class Figure(NamedTuple):
    """The medians of what was measured and of its floor, and of the ratio, with the least and the largest one.

    Without a floor the ratio is None. `goal` is what the ratio, or else the figure, shall be.
    """

    name: str
    ours: float
    floor: float | None = None
    ratio: float | None = None
    least: float | None = None
    largest: float | None = None
    goal: str = ""


class Size(NamedTuple):
    """How much is measured: how often, and for how many jobs, events or clients."""

    repetitions: int
    counts: tuple[int, ...]


def side_by_side(
    floor: Callable[[], Measured], ours: Callable[[], Measured], size: Size, goals: dict[str, str]
) -> list[Figure]:
    """Measure both in turn; return a figure for each name of ours. A name that the floor lacks stands alone."""
    pairs: list[tuple[Measured, Measured]] = []
    for number in range(size.repetitions):
        if number % 2:
            mine, theirs = ours(), floor()
        else:
            theirs, mine = floor(), ours()
        pairs.append((mine, theirs))
    return [_figure(name, pairs, goals.get(name, "")) for name in pairs[0][0]]


def _figure(name: str, pairs: list[tuple[Measured, Measured]], goal: str) -> Figure:
    ours = statistics.median(mine[name] for mine, _ in pairs)
    if name not in pairs[0][1]:
        return Figure(name, ours, goal=goal)
    ratios = sorted(mine[name] / theirs[name] for mine, theirs in pairs)
    floor = statistics.median(theirs[name] for _, theirs in pairs)
    return Figure(name, ours, floor, statistics.median(ratios), ratios[0], ratios[-1], goal)


def table(figures: list[Figure]) -> str:
    """Return a Markdown table."""
    rows = ["| | measured | floor | ratio | goal |", "| --- | --- | --- | --- | --- |"]
    for one in figures:
        ratio = "" if one.ratio is None else f"{one.ratio:.2f} ({one.least:.2f} to {one.largest:.2f})"
        floor = "" if one.floor is None else number(one.floor)
        rows.append(f"| {one.name} | {number(one.ours)} | {floor} | {ratio} | {one.goal} |")
    return "\n".join(rows)


def number(value: float) -> str:
    """Return a figure with about three digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004 - three digits


def command(
    about: str | None,
    measure: Callable[[Size], list[Figure]],
    *,
    counts: tuple[int, ...] = (),
    short: int = 0,
    repetitions: int = 5,
) -> None:
    """Run a benchmark from the command line: print its table and, with --json, write its figures to a file.

    `counts` are measured by default, each so often; and with --short one of `short`, once.
    """
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=repetitions, metavar="N")
    parser.add_argument("--counts", type=int, nargs="+", default=counts, metavar="N", help=f"default: {counts}")
    parser.add_argument("--short", action="store_true", help="a little of everything, once: shows that it works")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE, too")
    asked = parser.parse_args()
    figures = measure(Size(1, (short,)) if asked.short else Size(asked.repetitions, tuple(asked.counts)))
    print(table(figures), flush=True)
    if asked.json is not None:
        asked.json.write_text(json.dumps([one._asdict() for one in figures], indent=1) + "\n", encoding="utf-8")
