"""Tables for a person: ids are whole at any width.

Where a table is too wide, the other columns fold between words. Where that is not enough, the widest id of each row
moves to a line of its own, above the rest of the row.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest

from rich.cells import cell_len
from rich.text import Text

from adapters.plain_text import visible

WHOLE = {"#", "field", "job", "job or stream", "jobs", "name", "position", "run", "run or request", "status", "stream"}
"""Columns that never fold: an id that is cut or folded can be neither copied nor searched for."""

GAP = INDENT = "  "
COMFORT = 20
"""Columns in which a sentence is easy to read. Below this, an id moves above its row."""

_WORDS = re.compile(r"(?<=\s)(?=[^\s%])")
_PARTS = re.compile(r"(?<=[a-z]-)(?=[a-z])")
"""Where a line may break: before a word, and inside `completed-while-away` if need be, but not inside an id."""


class Grid:
    """A table. Control characters in its cells are shown as letters."""

    def __init__(self, *headers: str, rows: Iterable[Iterable[object]], title: str | None = None) -> None:
        self._title = [Text(visible(title), "bold")] if title else []
        self._headers = headers
        self._rows = [[Text(visible(header), "bold") for header in headers]]
        self._rows += [[harmless(cell) for cell in row] for row in rows]

    def drawn(self, width: int) -> Text:
        """Return the table as text of this width; wider only if a single id or word is."""
        columns = [_Column(*column) for column in zip(self._headers, zip(*self._rows, strict=True), strict=True)]
        above: list[_Column] = []
        whole = sorted((column for column in columns if column.is_whole), key=lambda column: column.width)
        while whole and len(columns) > 1 and _total(column.comfort for column in columns) > width:
            above.append(whole.pop())
            columns.remove(above[-1])
        _shrink(columns, width - len(INDENT if above else ""))
        return Text("\n").join([*self._title, *_lines(columns, above)])


class _Column:
    """A column, with its width, and the least width that is possible and that is comfortable."""

    def __init__(self, header: str, cells: Sequence[Text]) -> None:
        self.cells = cells
        self.is_whole = header in WHOLE
        self.width = max(cell_len(line) for cell in cells for line in cell.plain.split("\n"))
        self.least = self.width if self.is_whole else max(map(_longest_part, cells))
        self.comfort = max(self.least, min(self.width, COMFORT))


def _longest_part(cell: Text) -> int:
    parts = cell.plain.split("\n") if cell.no_wrap else _parts(cell.plain, 0)
    return max(cell_len(part.strip()) for part in parts)


def _total(widths: Iterable[int]) -> int:
    return sum(width + len(GAP) for width in widths) - len(GAP)


def _shrink(columns: list[_Column], width: int) -> None:
    """Fold the widest columns first, none below its least width, until all fit."""
    excess = _total(column.width for column in columns) - width
    while excess > 0 and (wide := [column for column in columns if column.width > column.least]):
        max(wide, key=lambda column: column.width).width -= 1
        excess -= 1


def _lines(columns: list[_Column], above: list[_Column]) -> Iterator[Text]:
    """Draw all rows: each with the cells that are above it, and as many lines as its highest cell has."""
    indent = INDENT if above else ""
    for number in range(len(columns[0].cells)):
        yield from (column.cells[number] for column in above)
        cells = [folded(column.cells[number], column.width) for column in columns]
        for parts in zip_longest(*cells, fillvalue=Text()):
            line = Text(indent)
            for part, column in zip(parts, columns, strict=True):
                line.append_text(part).append(" " * (column.width - cell_len(part.plain)) + GAP)
            line.rstrip()
            yield line
        if not number:
            yield Text(indent + GAP.join("-" * column.width for column in columns))


def harmless(shown: object) -> Text:
    """Return a value as text without control characters. Only a `Text` may have several lines."""
    if not isinstance(shown, Text):
        return Text("-" if shown is None else visible(str(shown)))
    if shown.plain.replace("\n", "").isprintable():
        return shown
    return Text("\n".join(map(visible, shown.plain.split("\n"))), shown.style, no_wrap=shown.no_wrap)


def folded(cell: Text, width: int) -> list[Text]:
    """Return the lines of a text, none wider than this unless a single word is."""
    lines = list(cell.split("\n", allow_blank=True)) if "\n" in cell.plain else [cell]
    if not cell.no_wrap and any(cell_len(line.plain) > width for line in lines):
        lines = [part for line in lines for part in line.divide(_cuts(line.plain, width))]
        for line in lines:
            line.rstrip()
    return lines


def _cuts(line: str, width: int) -> list[int]:
    """Return where to cut a line so that each piece fits."""
    cuts: list[int] = []
    start = end = 0
    for part in _parts(line, width):
        if end > start and cell_len(line[start:end] + part.rstrip()) > width:
            start = end
            cuts.append(end)
        end += len(part)
    return cuts


def _parts(line: str, width: int) -> list[str]:
    """Split a line where it may break: into words, and those that are wider than this at their hyphens."""
    words = _WORDS.split(line)
    return [part for word in words for part in ([word] if cell_len(word.rstrip()) <= width else _PARTS.split(word))]
