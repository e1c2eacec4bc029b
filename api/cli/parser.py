"""A parser whose errors are one line, with the nearest valid name."""

import argparse
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from difflib import get_close_matches
from typing import Any, NoReturn, TypeVar

from adapters.plain_text import redacted
from domain.errors import InvalidInput

N = TypeVar("N", int, float)
NAMES: dict[type, str] = {int: "whole number", float: "number"}


class Parser(argparse.ArgumentParser):
    """Reports an error in one line, and refuses a repeated option that has one value.

    The library silently takes the last value. The API refuses a repeated parameter, for the same reason.
    """

    def __init__(self, *given: Any, **more: Any) -> None:  # noqa: ANN401 - the library's signature
        """Take what the library's parser takes."""
        super().__init__(*given, **more)
        self.times: Counter[str] = Counter()
        self.register("action", None, _StoreAndCount)
        self.register("action", "store", _StoreAndCount)

    def error(self, message: str) -> NoReturn:
        """Raise an error that ends the command with exit code 2."""
        raise InvalidInput(f"{message} (see `{self.prog} --help`)")

    def parse_known_args(self, *given: Any, **more: Any) -> tuple[argparse.Namespace, list[str]]:  # type: ignore[override]  # noqa: ANN401 - the library's overloads
        """Refuse an unknown or repeated argument here, where the options of the command are known."""
        self.times.clear()
        found, unknown = super().parse_known_args(*given, **more)
        if unknown:
            self._refuse("argument", unknown[0], self._option_string_actions, hint="too many, or an unknown option")
        refuse_repeated(self.times)
        return found, unknown

    def _get_value(self, action: argparse.Action, arg_string: str) -> Any:  # noqa: ANN401 - the library's signature
        """Refuse a text that is not UTF-8, which no request can have. A path may have any bytes.

        The words of a command are checked by the command's own parser, which knows their options.
        """
        if action.type is None and action.nargs != argparse.PARSER and not _is_unicode(arg_string):
            raise argparse.ArgumentError(action, "its value is not UTF-8")
        return super()._get_value(action, arg_string)

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


def any_bytes(text: str) -> str:
    """Return an argument as it is: the type of one that may name a file."""
    return text


def _is_unicode(text: str) -> bool:
    """Return whether the bytes of an argument were UTF-8: each other byte is now a lone surrogate."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class _StoreAndCount(argparse.Action):
    """Stores the value of an argument, and counts how often an option is given."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        """Store the value."""
        setattr(namespace, self.dest, values)
        if option_string is not None and isinstance(parser, Parser):
            parser.times[self.option_strings[-1]] += 1


class Version(argparse.Action):
    """The option `--version`."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print the version and exit."""
        from importlib.metadata import version  # noqa: PLC0415 - slow

        print(f"job-recovery {version('job-recovery')}")
        parser.exit()


def refuse_repeated(times: Mapping[str, int]) -> None:
    """Refuse what is given more than once, in the words of the API; `times` has how often each is given.

    Raises:
        InvalidInput: one of them is repeated.

    """
    for name, count in times.items():
        if count > 1:
            raise InvalidInput(f"{name}: given {count} times, but it has one value: give it once")


def number(kind: type[N], least: N, most: N) -> Callable[[str], N]:
    """Return a function that reads a number within these bounds."""

    def read(text: str) -> N:
        with suppress(ValueError):
            if least <= (value := kind(text)) <= most:
                return value
        raise argparse.ArgumentTypeError(f"must be a {NAMES[kind]} from {least} to {most}, not {text[:20]!r}")

    return read
