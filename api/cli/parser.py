"""How arguments are read: errors in one line, with the nearest name that there is."""

import argparse
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any, NoReturn

from domain.errors import InvalidInput


class Parser(argparse.ArgumentParser):
    """Reports what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        """Raise what the command line ends with exit code 2 on."""
        raise InvalidInput(f"{message} (see `{self.prog} --help`)")

    def parse_known_args(self, *given: Any, **more: Any) -> tuple[argparse.Namespace, list[str]]:  # type: ignore[override]  # noqa: ANN401 - the library's overloads
        """Refuse an unknown argument here, where the nearest option of the command is known."""
        found, unknown = super().parse_known_args(*given, **more)
        if unknown:
            self._refuse("argument", unknown[0], self._option_string_actions, hint="too many, or an unknown option")
        return found, unknown

    def _check_value(self, action: argparse.Action, value: Any) -> None:  # noqa: ANN401 - the library's signature
        """Name the nearest choice: the library lists all of them."""
        if action.choices is not None and value not in action.choices:
            known = [str(choice) for choice in action.choices]
            name = str(action.metavar or action.dest).lower()
            self._refuse(name, str(value), known, hint=f"choose from {', '.join(known)}")

    def _refuse(self, name: str, value: str, known: Iterable[str], hint: str) -> NoReturn:
        near = get_close_matches(value, known, n=1)
        self.error(f"unknown {name} {value[:80]!r}: {f'did you mean {near[0]!r}?' if near else hint}")


class Version(argparse.Action):
    """The option `--version`."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print the version and exit."""
        from importlib.metadata import version  # noqa: PLC0415 - slower than all the rest

        print(f"job-recovery {version('job-recovery')}")
        parser.exit()


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """Return what reads an argument that is a whole number within these bounds."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) <= len(str(most)) and least <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"must be a whole number from {least} to {most}, not {text[:20]!r}")
        return int(text)

    return read


def percent(text: str) -> float:
    """Read an argument that is a percentage."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 100:  # noqa: PLR2004 - percent
        raise argparse.ArgumentTypeError(f"must be a number from 0 to 100, not {text[:20]!r}")
    return value
