"""The rows of the event log, and what a time means: read with `sqlite3` or `psycopg`, and `json`, alone."""

import json
import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

ROWS = "SELECT rowid, originator_id, originator_version, topic, state FROM stored_events WHERE rowid > ? ORDER BY rowid"
SEALS = "SELECT last, hash FROM seals WHERE first > ?"

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
TIME = re.compile(r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?)?(Z|[-+ ]\d\d:\d\d)?")

OF_EVERY_EVENT = (
    "originator_id",
    "originator_version",
    "recorded_at",
    "correlation_id",
    "causation_id",
    "actor",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One row. `at` is its `recorded_at` in microseconds, and `data` has the fields of its type."""

    position: int
    stream: str
    version: int
    type: str
    recorded_at: str
    at: int
    correlation: str
    causation: str
    actor: str
    data: dict[str, Any]

    @property
    def ref(self) -> str:
        """Return the name by which other events refer to this one as their cause."""
        return f"{self.stream}#{self.version}"


@dataclass(frozen=True)
class Schema:
    """The place of a log on PostgreSQL. Where it is a file, the place is its path."""

    server: str
    name: str


def read(place: Path | Schema, after: int) -> tuple[list[Event], dict[int, str]]:
    """Return the events after a position, in the order of the log, and the seals of their commits by the last one."""
    with closing(_at_one_moment(place)) as connection:
        rows, seals = ROWS, SEALS
        if isinstance(place, Schema):
            rows, seals = (text.replace("rowid", "notification_id").replace("?", "%s") for text in (ROWS, SEALS))
        events = [_event(*row) for row in connection.execute(rows, (after,))]
        return events, {last: sealed.hex() for last, sealed in connection.execute(seals, (after,))}


def _at_one_moment(place: Path | Schema) -> Any:
    """Return a connection that sees one state of the log."""
    if isinstance(place, Path):
        file = sqlite3.connect(f"{place.absolute().as_uri()}?mode=ro", uri=True)
        file.execute("BEGIN")
        return file
    server = psycopg.connect(make_conninfo(place.server, options=f"-csearch_path={place.name}"))
    server.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    return server


def microseconds(time: str) -> int:
    """Return a complete time in microseconds since 1970."""
    return (datetime.fromisoformat(time) - EPOCH) // MICROSECOND


def period(text: str) -> tuple[int, int]:
    """Return the first and the last microsecond of a time as it is written: a date is a day, `.5` a tenth of a second.

    A blank before the offset is a `+` that was not escaped in a URL. Without a zone it is UTC.
    """
    written = TIME.fullmatch(text)
    assert written is not None, text
    date, minute, second, fraction, zone = written.groups()
    whole = f"{date}T{minute or '00:00'}:{second or '00'}.{(fraction or '').ljust(6, '0')}{zone or 'Z'}"
    begin = microseconds(whole.replace(" ", "+"))
    if fraction:
        return begin, begin + 10 ** (6 - len(fraction)) - 1
    seconds = 1 if second else 60 if minute else 24 * 3600
    return begin, begin + seconds * 1_000_000 - 1


def _event(position: int, stream: str, version: int, topic: str, state: bytes) -> Event:
    fields = json.loads(state)
    return Event(
        position=position,
        stream=stream,
        version=version,
        type=topic,
        recorded_at=fields["recorded_at"],
        at=microseconds(fields["recorded_at"]),
        correlation=fields["correlation_id"],
        causation=fields["causation_id"],
        actor=fields["actor"],
        data={name: value for name, value in fields.items() if name not in OF_EVERY_EVENT},
    )
