"""What the commands share: the parser, the client, how a result is shown."""

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

from rich.console import Console
from rich.table import Table
from rich.text import Text

from adapters.identifiers import is_valid_id
from api.cli.client import Client
from api.cli.tables import harmless
from api.runtime.settings import PREFIX, CallerSettings, load_settings
from domain.errors import InvalidInput

TOKEN = f"{PREFIX}TOKEN"
"""The variable that holds the caller's token: an argument would be seen in the list of processes."""

Commands = Any
"""What argparse calls `_SubParsersAction`, and exports under no name."""


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        """Raise what the command line ends with exit code 2 on."""
        raise InvalidInput(f"{message} (see `{self.prog} --help`)")


def reading() -> Parser:
    """Return the options of every command that asks a service."""
    parser = Parser(add_help=False)
    parser.add_argument("--url", help="address of the service (default: from the environment and JOB_RECOVERY_CONFIG)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return parser


def client(arguments: argparse.Namespace) -> Client:
    """Return a client of the service that is meant."""
    token = os.environ.get(TOKEN)
    if token and not (token.isascii() and token.isprintable()):
        raise InvalidInput(f"{TOKEN}: this is no token (it is not shown here)")
    if arguments.url:
        return Client(arguments.url, token)
    settings = load_settings(CallerSettings)
    return Client(f"http://{settings.host}:{settings.port}", token)


def in_path(identifier: str, of: str = "job") -> str:
    """Return an id as it is written in an address: percent-encoded, whatever stands in it.

    Raises:
        InvalidInput: it is none.

    """
    if not is_valid_id(identifier):
        raise InvalidInput(f"{identifier[:80]!r} cannot be the id of a {of}")
    return quote(identifier, safe="")


def is_file(path: Path) -> bool:
    """Whether there is such a file; what cannot even be the name of one is none."""
    try:
        return path.is_file()
    except OSError:
        return False


def numbers(named: Sequence[str]) -> dict[str, str]:
    """Read `name=value` pairs.

    Raises:
        InvalidInput: one of them is no pair.

    """
    pairs = [pair.partition("=") for pair in named]
    for name, equals, value in pairs:
        if not (name and equals and value):
            raise InvalidInput(f"--policy: {name + equals + value!r} is not of the form name=value")
    return {name: value for name, _, value in pairs}


def show(arguments: argparse.Namespace, data: Any, *tables: Table | Text) -> None:  # noqa: ANN401 - JSON, and its tables
    """Print a result as a person or as a program reads it."""
    if arguments.json:
        print(json.dumps(data, indent=2))
        return
    console = Console()
    # On a narrow terminal lines wrap: an id that is cut off cannot be asked for.
    needed = max(console.measure(table).minimum for table in tables)
    console.width = max(console.width, needed)
    console.print(*map(harmless, tables), sep="\n")
