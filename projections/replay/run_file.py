"""A recovery run as one file: a line of JSON for each of its events, complete, in the order of the log.

Its first line says how many follow, so that a file which was cut on its way is not taken for a smaller run.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import BinaryIO

import msgspec

from domain.errors import InvalidInput
from domain.events import EVENTS, Event

FORMAT = "job-recovery-run/1"
MAX_BYTES = 16_000_000
"""Bytes of a line. The longest is that of a run with all its jobs' ids."""

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class _Head(msgspec.Struct):
    format: str
    events: int = 0


class _Line(msgspec.Struct):
    type: str
    event: msgspec.Raw


def write(events: Sequence[Event]) -> Iterator[bytes]:
    """Write a run down."""
    yield msgspec.json.encode(_Head(FORMAT, len(events))) + b"\n"
    for event in events:
        yield msgspec.json.encode({"type": event.topic, "event": event}) + b"\n"


def lines_of(file: BinaryIO) -> Iterator[bytes]:
    """Read a file by lines. One that is too long is handed on in part, so that it does not fill the memory."""
    return iter(lambda: file.readline(MAX_BYTES + 1), b"")


def read(lines: Iterable[bytes]) -> Iterator[Event]:
    """Read a run back.

    Raises:
        InvalidInput: this is no such file, a line of it is damaged or too long, or its end is missing; the message
            says which.

    """
    rest = iter(lines)
    announced = _announced(next(rest, b""))
    number = 1
    for number, line in enumerate(rest, start=2):
        try:
            yield _event(line)
        except KeyError as unknown:
            raise InvalidInput(f"line {number}: this version knows no event {unknown}: use a newer one") from None
        except UNREADABLE as error:
            raise InvalidInput(f"line {number} of the file cannot be read: {error}") from None
    if number - 1 != announced:
        raise InvalidInput(f"the file holds {number - 1} of the {announced} events of its run: export it again")


def _event(line: bytes) -> Event:
    if len(line) > MAX_BYTES:
        raise msgspec.DecodeError(f"it has more than {MAX_BYTES} bytes")
    read_line = msgspec.json.decode(line, type=_Line)
    event: Event = msgspec.json.decode(read_line.event, type=EVENTS[read_line.type])
    # Times with a zone and without cannot be compared, and a zone that is guessed makes another order.
    if any(time.tzinfo is None for time in _times(msgspec.to_builtins(event, builtin_types=(datetime,)))):
        raise msgspec.DecodeError("a time has no zone")
    return event


def _times(value: object) -> Iterator[datetime]:
    """Return all times in an event."""
    if isinstance(value, datetime):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _times(inner)


def _announced(line: bytes) -> int:
    try:
        head = msgspec.json.decode(line, type=_Head)
    except UNREADABLE:
        head = _Head("")
    if head.format != FORMAT:
        raise InvalidInput(f"line 1: this is no exported run (format {FORMAT})")
    return head.events
