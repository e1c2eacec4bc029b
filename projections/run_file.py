"""A recovery run as one file: a line of JSON for each of its events, complete, in the order of the log.

Its first line says how many follow, so that a file which was cut on its way is not taken for a smaller run.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from domain.errors import InvalidInput
from domain.events import EVENTS, Event

FORMAT = "job-recovery-run/1"


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


def read(lines: Iterable[bytes]) -> Iterator[Event]:
    """Read a run back.

    Raises:
        InvalidInput: this is no such file, a line of it is damaged, or its end is missing; the message says which.

    """
    rest = iter(lines)
    announced = _announced(next(rest, b""))
    number = 1
    for number, line in enumerate(rest, start=2):
        try:
            read_line = msgspec.json.decode(line, type=_Line)
            yield msgspec.json.decode(read_line.event, type=EVENTS[read_line.type])
        except KeyError as unknown:
            raise InvalidInput(f"line {number}: this version knows no event {unknown}: use a newer one") from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InvalidInput(f"line {number} of the file cannot be read: {error}") from None
    if number - 1 != announced:
        raise InvalidInput(f"the file holds {number - 1} of the {announced} events of its run: export it again")


def _announced(line: bytes) -> int:
    try:
        head = msgspec.json.decode(line, type=_Head)
    except (msgspec.DecodeError, UnicodeDecodeError):
        head = _Head("")
    if head.format != FORMAT:
        raise InvalidInput(f"line 1: this is no exported run (format {FORMAT})")
    return head.events
