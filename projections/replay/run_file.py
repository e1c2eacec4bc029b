"""The file format of a recovery run: one line of JSON per event, in the order of the log.

The first line has the number of events, so that a truncated file is not read as a smaller run.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import BinaryIO

import msgspec

from domain.errors import InvalidInput
from domain.events import EVENTS, Event

FORMAT = "job-recovery-run/1"
MAX_BYTES = 16_000_000
"""Bytes of a line. The longest line has the ids of all jobs of a run."""

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class _Head(msgspec.Struct):
    format: str
    events: int = 0


class _Line(msgspec.Struct):
    type: str
    event: msgspec.Raw


def write(events: Sequence[Event]) -> Iterator[bytes]:
    """Yield the lines of a run's file."""
    yield msgspec.json.encode(_Head(FORMAT, len(events))) + b"\n"
    for event in events:
        yield msgspec.json.encode({"type": event.topic, "event": event}) + b"\n"


def lines_of(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a file, each up to the limit, so that no line fills the memory."""
    return iter(lambda: file.readline(MAX_BYTES + 1), b"")


def read(lines: Iterable[bytes]) -> Iterator[Event]:
    """Yield the events of a run's file.

    Raises:
        InvalidInput: the format is another one, a line is damaged or too long, or the end is missing; the message
            has the line.

    """
    rest = iter(lines)
    expected = _event_count(next(rest, b""))
    number = 1
    for number, line in enumerate(rest, start=2):
        try:
            yield _event(line)
        except KeyError as unknown:
            raise InvalidInput(
                f"line {number}: this version does not know the event {unknown}: use a newer one"
            ) from None
        except UNREADABLE as error:
            raise InvalidInput(f"line {number} of the file cannot be read: {error}") from None
    if number - 1 != expected:
        raise InvalidInput(f"the file has {number - 1} of the {expected} events of its run: export it again")


def _event(line: bytes) -> Event:
    if len(line) > MAX_BYTES:
        raise msgspec.DecodeError(f"it has more than {MAX_BYTES} bytes")
    read_line = msgspec.json.decode(line, type=_Line)
    event: Event = msgspec.json.decode(read_line.event, type=EVENTS[read_line.type])
    # A time without a zone cannot be compared with others, and a wrong zone would change the order.
    if any(time.tzinfo is None for time in _times(msgspec.to_builtins(event, builtin_types=(datetime,)))):
        raise msgspec.DecodeError("a time has no zone")
    return event


def _times(value: object) -> Iterator[datetime]:
    """Yield all times in an event."""
    if isinstance(value, datetime):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _times(inner)


def _event_count(line: bytes) -> int:
    try:
        head = msgspec.json.decode(line, type=_Head)
    except UNREADABLE:
        head = _Head("")
    if head.format != FORMAT:
        raise InvalidInput(f"line 1: this is not an exported run (format {FORMAT})")
    return head.events
