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

FOLDING = {
    "actor", "after", "at (UTC)", "attention", "basis", "before", "cause", "created at (UTC)", "decision", "event",
    "last decision", "now", "outcomes", "probes", "reason", "rule", "scope", "started at (UTC)", "state",
    "truth", "value", "verdict", "VMA says", "vm", "was", "what", "what happened", "would be",
}  # fmt: skip
"""Columns that fold. All others are whole: an id that is cut or folded can be neither copied nor searched for."""

GAP = INDENT = "  "

_WORDS = re.compile(r"(?<=\s)(?=[^\s%])")
_PARTS = re.compile(r"(?<=[a-z]-)(?=[a-z])")
"""Where a line may break: before a word, and inside `completed-while-away` if need be, but not inside an id."""


class Grid:
    """A table whose cells are shown as they are written: nothing in them is an order to the terminal."""

    def __init__(self, *headers: str, title: str | None = None) -> None:
        self._title = [Text(visible(title), "bold")] if title else []
        self._headers = headers
        self._rows = [[Text(visible(header), "bold") for header in headers]]

    def add_row(self, *cells: str | Text) -> None:
        """Add a row."""
        self._rows.append([harmless(cell) for cell in cells])

    def drawn(self, width: int) -> Text:
        """Return the table as text of this width; wider only if a single id or word is."""
        columns = [
            _Column(header, cells) for header, cells in zip(self._headers, zip(*self._rows, strict=True), strict=True)
        ]
        above: list[_Column] = []
        whole = sorted((column for column in columns if not column.folds), key=lambda column: column.width)
        while whole and len(columns) > 1 and _total(column.least for column in columns) > width:
            above.append(whole.pop())
            columns.remove(above[-1])
        _shrink(columns, width - len(INDENT if above else ""))
        return Text("\n").join([*self._title, *_lines(columns, above)])


class _Column:
    """A column, with its width and the least that it folds to."""

    def __init__(self, header: str, cells: Sequence[Text]) -> None:
        self.cells = cells
        self.folds = not header or header in FOLDING
        self.width = max(cell_len(line) for cell in cells for line in cell.plain.split("\n"))
        self.least = max(map(_longest_word, cells)) if self.folds else self.width


def _total(widths: Iterable[int]) -> int:
    return sum(width + len(GAP) for width in widths) - len(GAP)


def _shrink(columns: list[_Column], width: int) -> None:
    """Fold the widest columns first, none below its least width, until all have room."""
    while _total(column.width for column in columns) > width:
        wide = [column for column in columns if column.width > column.least]
        if not wide:
            return
        max(wide, key=lambda column: column.width).width -= 1


def _lines(columns: list[_Column], above: list[_Column]) -> Iterator[Text]:
    """Draw all rows: each with the cells that are above it, and as many lines as its highest cell has."""
    indent = INDENT if above else ""
    for number, cells in enumerate(zip(*(column.cells for column in columns), strict=True)):
        yield from (column.cells[number] for column in above)
        parts_of = [folded(cell, column.width) for cell, column in zip(cells, columns, strict=True)]
        for parts in zip_longest(*parts_of, fillvalue=Text()):
            line = Text(indent)
            for part, column in zip(parts, columns, strict=True):
                line.append_text(part).append(" " * (column.width - cell_len(part.plain)) + GAP)
            line.rstrip()
            yield line
        if not number:
            yield Text(indent + GAP.join("-" * column.width for column in columns))


def harmless(shown: str | Text) -> Text:
    """Return a text with nothing in it that a terminal obeys. One that we put together may have lines."""
    if isinstance(shown, str):
        return Text(visible(shown))
    if shown.plain.replace("\n", "").isprintable():
        return shown
    return Text("\n".join(map(visible, shown.plain.split("\n"))), shown.style, no_wrap=shown.no_wrap)


def _longest_word(cell: Text) -> int:
    words = cell.plain.split("\n") if cell.no_wrap else _pieces(cell.plain, 0)
    return max(cell_len(word.strip()) for word in words)


def _pieces(line: str, width: int) -> list[str]:
    """Split a line where it may break: into words, and those that are wider than this into their parts."""
    words = _WORDS.split(line)
    return [part for word in words for part in ([word] if cell_len(word.rstrip()) <= width else _PARTS.split(word))]


def folded(cell: Text, width: int) -> list[Text]:
    """Return the lines of a text, none wider than this."""
    if "\n" in cell.plain:
        return [part for line in cell.split("\n", allow_blank=True) for part in folded(line, width)]
    if cell.no_wrap or cell_len(cell.plain) <= width:
        return [cell]
    lines = cell.divide(_cuts(cell.plain, width))
    for line in lines:
        line.rstrip()
    return list(lines)


def _cuts(line: str, width: int) -> list[int]:
    """Return where to cut a line: between words, and inside a word only if it is wider than the column."""
    cuts: list[int] = []
    used = at = 0
    for piece in _pieces(line, width):
        if used and used + cell_len(piece.rstrip()) > width:
            cuts.append(at)
            used = 0
        for character in piece:
            if used + cell_len(character) > width and not character.isspace():
                cuts.append(at)
                used = 0
            used += cell_len(character)
            at += 1
    return cuts
