"""Output of a command: JSON, or tables that fit the terminal."""

import argparse
import io
import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from api.cli.grid import Grid, folded, harmless
from domain.errors import InvalidInput

UNBOUNDED = 1_000_000
"""Width of a pipe or a file: each row is one line, for `grep`."""


def refuse_beside(option: str, arguments: argparse.Namespace, others: Mapping[str, str]) -> None:
    """Refuse options that would have no effect beside another one; `others` has the attribute of each.

    Raises:
        InvalidInput: one of them was given.

    """
    values = {name: getattr(arguments, attribute) for name, attribute in others.items()}
    # Not `False`: that equals 0, which may be given.
    given = [f"--{name}" for name, value in values.items() if value not in (None, []) and value is not False]
    if given:
        raise InvalidInput(f"{', '.join(given)} cannot be used with {option}: it would have no effect")


def show(arguments: argparse.Namespace, data: Any, *tables: Grid | Text) -> None:  # noqa: ANN401 - JSON, and its tables
    """Print a result as JSON or as tables; report on standard error if the list has more items."""
    if arguments.json:
        print(json.dumps(data, indent=2))
        return
    print_tables(*tables)
    if isinstance(data, dict) and data.get("next_cursor") is not None:
        shown = len(data["items"])
        print(f"{shown} shown, and there are more: use --limit {shown * 10}", file=sys.stderr)


def print_tables(*tables: Grid | Text) -> None:
    """Print tables as wide as the terminal, or as COLUMNS says."""
    is_terminal, shown = sys.stdout.isatty(), io.StringIO()
    # Written to memory first: the console would turn a closed pipe into a failure.
    console = Console(file=shown, force_terminal=is_terminal or None)
    width = console.width if is_terminal or os.environ.get("COLUMNS") else UNBOUNDED
    console.print(*(_drawn(table, width) for table in tables), sep="\n\n", soft_wrap=True)
    print(shown.getvalue(), end="")


def _drawn(table: Grid | Text, width: int) -> Text:
    return table.drawn(width) if isinstance(table, Grid) else Text("\n").join(folded(harmless(table), width))
