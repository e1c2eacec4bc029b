"""A recovery run as one file: a line of JSON for each of its events, complete, in the order of the log."""

from collections.abc import Iterable, Iterator

import msgspec

from domain.errors import InvalidInput
from domain.events import EVENTS, Event

FORMAT = "job-recovery-run/1"


class _Line(msgspec.Struct):
    type: str
    event: msgspec.Raw


def write(events: Iterable[Event]) -> Iterator[bytes]:
    """Write a run down."""
    yield msgspec.json.encode({"format": FORMAT}) + b"\n"
    for event in events:
        yield msgspec.json.encode({"type": event.topic, "event": event}) + b"\n"


def read(lines: Iterable[bytes]) -> Iterator[Event]:
    """Read a run back.

    Raises:
        InvalidInput: this is no such file, or a line of it is damaged; the message names the line.

    """
    for number, line in enumerate(lines, start=1):
        try:
            if number == 1:
                _check_format(msgspec.json.decode(line))
                continue
            read_line = msgspec.json.decode(line, type=_Line)
            yield msgspec.json.decode(read_line.event, type=EVENTS[read_line.type])
        except KeyError as unknown:
            raise InvalidInput(f"line {number}: this version knows no event {unknown}: use a newer one") from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InvalidInput(f"line {number} of the file cannot be read: {error}") from None


def _check_format(head: object) -> None:
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise InvalidInput(f"line 1: this is no exported run (format {FORMAT})")
