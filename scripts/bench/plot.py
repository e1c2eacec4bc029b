"""Draws figures beside what they shall be, as SVG."""

import re
from html import escape

from figures import Figure, number

ROW, LABELS, WIDTH = 22, 430, 860
"""Pixels: the height of a row, where the bars begin, and the width of all."""

GOAL_AT, LARGEST = 180, 2.0
"""Pixels from the labels to the line of a reached goal, and the longest bar in goals."""

STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#222}.reached{fill:#2a7f62}.not{fill:#c2571a}line{stroke:#666}"
    "@media(prefers-color-scheme:dark){text{fill:#ddd}line{stroke:#aaa}}"
)


def bars(figures: list[Figure]) -> str:
    """Return a bar for each figure with a goal: longer than to the line, the goal is reached."""
    rows = [(one, reached) for one in figures if (reached := share(one)) is not None]
    height = ROW * (len(rows) + 1)
    drawn = "\n".join(_bar(n, one, reached) for n, (one, reached) in enumerate(rows))
    line = LABELS + GOAL_AT
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">\n<style>{STYLE}</style>\n'
        f'{drawn}\n<line x1="{line}" x2="{line}" y1="0" y2="{height - ROW}"/>\n'
        f'<text x="{line}" y="{height - 6}" text-anchor="middle">goal</text>\n</svg>\n'
    )


def share(one: Figure) -> float | None:
    """Return how near to a goal a figure is: 1.0 or more if it is; None without a goal."""
    goal = re.match(r"([<≤≥>]) ?([\d.]+)", one.goal)
    if goal is None:
        return None
    value = one.ours if one.ratio is None else one.ratio
    wanted = float(goal[2])
    return value / wanted if goal[1] in "≥>" else wanted / max(value, 1e-9)


def _bar(n: int, one: Figure, reached: float) -> str:
    top, length = n * ROW, GOAL_AT * min(reached, LARGEST)
    value = number(one.ours if one.ratio is None else one.ratio)
    kind = "reached" if reached >= 1 else "not"
    return (
        f'<text x="{LABELS - 8}" y="{top + 15}" text-anchor="end">{escape(one.name)}</text>'
        f'<rect class="{kind}" x="{LABELS}" y="{top + 3}" width="{length:.0f}" height="16"/>'
        f'<text x="{LABELS + length + 6:.0f}" y="{top + 15}">{value} ({escape(one.goal)})</text>'
    )
