"""A question with the answer that it must have, and the random choices of which questions are made."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta, timezone
from typing import Any, TypeVar
from urllib.parse import urlencode

from tests.oracle.log import EPOCH, MICROSECOND, microseconds, period
from tests.oracle.past import Past, View, at

T = TypeVar("T")

Query = list[tuple[str, str]]
Answer = tuple[int, Any]
"""A status, and the body as `Question.shown` reduces it; None where only the status counts."""

NOT_FOUND: Answer = (404, None)
REFUSED: Answer = (422, None)
ONE_MINUTE = 60_000_000
FUTURE = 400 * 24 * 3600 * 1_000_000


def _same(given: Any) -> Any:
    return given


@dataclass(frozen=True, kw_only=True)
class Question:
    """A GET, and its answer for each position that the read model may have.

    `shown` reduces a given answer to what the log can tell. `parts`: each field may be of its own moment. `text`: the
    body is no JSON. `streamed`: only its first event is read. `more` returns the question for the page after a given
    one. `command` asks the same by the command line.
    """

    path: str
    query: Query = field(default_factory=list)
    answer: Callable[[int], Answer]
    shown: Callable[[Any], Any] = _same
    parts: bool = False
    text: bool = False
    streamed: bool = False
    more: Callable[[View], "Question | None"] | None = None
    command: list[str] | None = None

    @property
    def url(self) -> str:
        """Return the path and the query. A `+` in a time is not escaped: the service must read it as it is meant."""
        return f"/api/v1{self.path}" + (f"?{urlencode(self.query, safe='+:')}" if self.query else "")


@dataclass(frozen=True, kw_only=True)
class Point:
    """A moment of the past: `name` and `text` are the parameter, `bare` is the text where it has no name.

    `time` is in microseconds; None for a position. Whether a time of about now is still to come is not asked.
    """

    name: str
    text: str
    bare: str
    past: Past
    asked: int = 0
    time: int | None = None
    is_near: bool = False

    def position(self, head: int) -> int:
        """Return the position that it means: that of the last event recorded until the time."""
        return min(self.asked, head) if self.time is None else self.past.position_at(self.time, head)

    def time_at(self, head: int) -> int | None:
        """Return the time that it means; None before the first event."""
        if self.time is not None:
            return self.time
        position = self.position(head)
        return self.past.events[position - 1].at if position else None

    def as_of(self, head: int) -> View:
        """Return what an answer tells of its moment."""
        is_future = self.asked > head if self.time is None else self.time > _now()
        return {
            "position": self.position(head),
            "time": self.time_at(head),
            "is_future": None if self.is_near else is_future,
        }

    def shown(self, given: View) -> View:
        """Return a given moment, in the same form."""
        time = given["time"] and microseconds(given["time"])
        return given | {"time": time, "is_future": None if self.is_near else given["is_future"]}


def _now() -> int:
    """Return the machine's time in microseconds."""
    return time.time_ns() // 1000


class Draw:
    """Random choices among what the log has, and a little that it does not have."""

    def __init__(self, rng: random.Random, past: Past) -> None:
        self.rng = rng
        self.past = past

    def one_of(self, known: Sequence[T]) -> T:
        return self.rng.choice(known)

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def job(self) -> str:
        return "no-such-job" if self.chance(0.02) else self.one_of(list(self.past.jobs))

    def run(self) -> str:
        return "run-20200101-000000-000000" if self.chance(0.02) else self.one_of(list(self.past.runs))

    def context(self) -> str:
        return "no-such-context" if self.chance(0.02) else self.one_of(list(self.past.contexts))

    def position(self) -> int:
        return self.rng.randint(1, self.past.head)

    def limit(self) -> int:
        return self.one_of([1, 2, 3, 5, 10, 10, 20, 100])

    def point(self) -> Point:
        """Return a time, or a position: mostly of an event, sometimes before the first one or after the last one."""
        if self.chance(0.7):
            return self.moment()
        is_odd = self.chance(0.03)
        return self.at_position(self.one_of([0, self.past.head + 1_000_000]) if is_odd else self.position())

    def at_position(self, position: int) -> Point:
        """Return a position as a moment."""
        text = str(position)
        return Point(name="position", text=text, bare=f"position:{text}", past=self.past, asked=position)

    def moment(self) -> Point:
        """Return a time near an event, as precise as it happens to be written."""
        text = self.time()
        end = period(text)[1]
        is_near = abs(end - _now()) < ONE_MINUTE
        return Point(name="at", text=text, bare=text, past=self.past, time=end, is_near=is_near)

    def time(self) -> str:
        """Return a time: that of an event, as it was printed or written otherwise, or one near it, or far from all."""
        late = self.past.late
        event = self.past.events[(self.one_of(late) if late and self.chance(0.2) else self.position()) - 1]
        if self.chance(0.4):
            return event.recorded_at
        shift = self.one_of([0, 0, 0, self.rng.randint(-3_000_000, 3_000_000)])
        if self.chance(0.05):
            shift = self.one_of([-FUTURE, FUTURE])
        length, zone = self.one_of([10, 16, 19, 21, 23, 23, 26]), self.one_of([None, 0, 2, -5.5])
        # Of a date, an unescaped `+02:00` cannot be told from a time of day.
        return written(event.at + shift, length, zone if length > len("2026-11-26") else None)

    def some(self, values: Sequence[T]) -> list[T]:
        """Return one value, or sometimes several."""
        return self.rng.sample(values, min(len(values), self.one_of([1, 1, 1, 2, 3])))


def written(moment: int, length: int, zone: float | None) -> str:
    """Return a time as text of this length, in a zone of so many hours; without one, in UTC."""
    offset = timedelta(hours=zone or 0)
    text = (EPOCH + moment * MICROSECOND).astimezone(timezone(offset)).strftime("%Y-%m-%dT%H:%M:%S.%f")
    hours = f"{'-' if offset < timedelta(0) else '+'}{str(abs(offset)).zfill(8)[:5]}"
    return text[:length] + ("" if zone is None else "Z" if zone == 0 else hours)


def version_at(past: Past, job_id: str, position: int) -> View | None:
    """Return a job at a position; None before its registration, and for no job."""
    return at(past.jobs[job_id], position) if job_id in past.jobs else None


def several(name: str, values: Sequence[object]) -> Query:
    """Return the parameters of a filter with these values."""
    return [(name, str(value).lower() if isinstance(value, bool) else str(value)) for value in values]


def without_cursor(given: View) -> View:
    """Return a page with only whether it has a cursor."""
    return given | {"next_cursor": given["next_cursor"] is not None}
