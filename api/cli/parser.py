"""A parser whose errors are one line, with the nearest valid name."""

import argparse
from collections.abc import Callable, Iterable
from contextlib import suppress
from difflib import get_close_matches
from typing import Any, NoReturn, TypeVar

from adapters.plain_text import redacted
from domain.errors import InvalidInput

N = TypeVar("N", int, float)
NAMES: dict[type, str] = {int: "whole number", float: "number"}


class Parser(argparse.ArgumentParser):
    """Reports an error in one line."""

    def error(self, message: str) -> NoReturn:
        """Raise an error that ends the command with exit code 2."""
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
        # It may be an address with a password, of which the cut could remove what it is recognised by.
        self.error(f"unknown {name} {redacted(value)[:80]!r}: {f'did you mean {near[0]!r}?' if near else hint}")


class Version(argparse.Action):
    """The option `--version`."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print the version and exit."""
        from importlib.metadata import version  # noqa: PLC0415 - slow

        print(f"job-recovery {version('job-recovery')}")
        parser.exit()


def number(kind: type[N], least: N, most: N) -> Callable[[str], N]:
    """Return a function that reads a number within these bounds."""

    def read(text: str) -> N:
        with suppress(ValueError):
            if least <= (value := kind(text)) <= most:
                return value
        raise argparse.ArgumentTypeError(f"must be a {NAMES[kind]} from {least} to {most}, not {text[:20]!r}")

    return read
