"""The command `copy`: brings a copy of the event log up to date, and verifies both."""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from adapters.event_log import seals
from adapters.event_log.copying import RESUME, copy
from adapters.event_log.seals import Seal
from api.runtime.log_places import LogPlace, place_at
from api.runtime.setting_values import schema_name
from api.runtime.settings import Settings
from domain.errors import InvalidInput, JobRecoveryError

LINE_EVERY = 10.0
"""Seconds between two lines of progress where there is no terminal."""


def copy_log(arguments: argparse.Namespace) -> None:
    """Copy what the target lacks, verify both logs, and print what was copied.

    Raises:
        InvalidInput: an address is malformed, both are the same log, or the target is not a copy of the source.
        NotFound: there is no log to copy.
        DataDirectoryInUse, EventLogInUse: a service writes the target.
        JobRecoveryError: one of the two cannot be used, or fails verification.

    """
    source = _place("from", arguments.from_url, arguments.from_schema)
    target = _place("to", arguments.to_url, arguments.to_schema)
    if (here := source.identity()) is not None and here == target.identity():
        raise InvalidInput(f"--from and --to are the same event log {source.name}")
    with source.source() as reading:
        # A source that cannot be read leaves no target.
        goal = reading.last_seal().position
        with target.target(source.name) as writing:
            before = writing.head()
            _say(
                f"copying the event log {source.name} to the event log {target.name}: {goal - before} of {goal} events"
            )
            with _progress(before, goal) as tell:
                seal = copy(reading, writing, tell)
            _say("verifying both")
            newer = _check(source, target, seal)
            writing.finish()
    _say(f"{seal.position - before} events copied; both logs verified, {seal.position} events up to the seal {seal}")
    if newer:
        _say(f"the source has {newer} newer events: run the same command again to copy them")


def _place(option: str, url: str, schema: str | None) -> LogPlace:
    default = Settings.model_fields["database_schema"].default
    try:
        if schema is not None and url.startswith("sqlite:"):
            raise InvalidInput(f"--{option}-schema: a file has no schema")
        return place_at(url, schema_name(schema or default))
    except ValueError as error:
        raise InvalidInput(f"--{option}: {error}") from None


def _check(source: LogPlace, target: LogPlace, seal: Seal) -> int:
    """Verify both logs up to the last seal of the target; return how many newer events the source has."""
    copied = _verified(target, seal, whole=True)
    if copied != seal.position:
        raise JobRecoveryError(f"the event log {target.name} was written to by another process meanwhile: {RESUME}")
    return _verified(source, seal, whole=False) - seal.position


def _verified(place: LogPlace, seal: Seal, *, whole: bool) -> int:
    """Verify a log against a seal, and return the number of its events."""
    with place.stored() as log:
        verdict = seals.verify(log, seal if seal.position else None, whole=whole)
    if verdict.broken_at is not None:
        raise JobRecoveryError(
            f"the event log {place.name}: verification failed at position {verdict.broken_at}: {verdict.why}"
        )
    return verdict.events


@contextmanager
def _progress(before: int, goal: int) -> Iterator[Callable[[int], None]]:
    """Show progress as a bar on a terminal, else as a line now and then."""
    if not sys.stderr.isatty():
        yield _lines(goal)
        return
    columns = (TextColumn("copying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("copying", total=goal, completed=before)
        yield lambda position: progress.update(bar, completed=position, total=max(goal, position))


def _lines(goal: int) -> Callable[[int], None]:
    told = time.monotonic()

    def tell(position: int) -> None:
        nonlocal told
        if time.monotonic() - told >= LINE_EVERY:
            told = time.monotonic()
            _say(f"{position} of {goal} events")

    return tell


def _say(line: str) -> None:
    """Print a line at once: a pipe would keep it until the end."""
    print(line, flush=True)
