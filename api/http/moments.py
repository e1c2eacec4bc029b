"""Moments of the past in requests: a version of a job, a position in the log, or a time."""

import re
from datetime import datetime
from typing import Annotated

import msgspec
from fastapi import Depends, Query
from pydantic import PlainValidator, WithJsonSchema

from api.http.schemas.present import MAX_INT
from api.http.times import A_TIME, EndTime, NotATimeError, end
from domain.errors import InvalidInput


class Version(msgspec.Struct, frozen=True):
    """A version of a job, from 1."""

    number: int


class Position(msgspec.Struct, frozen=True):
    """A position in the log; 0 is before the first event."""

    number: int


LogMoment = Position | datetime
"""A moment of the whole log."""
Moment = Version | LogMoment
"""A moment of one job."""

_NUMBER = re.compile(r"(?P<named>position:)?(?P<number>\d{1,16})", re.ASCII)


def _read(text: str, forms: str = f"a version, position:N, or {A_TIME}") -> Moment:
    found = _NUMBER.fullmatch(text)
    if found is None:
        return _time(text, forms)
    number = int(found["number"])
    if number > MAX_INT:
        raise ValueError(f"must be at most {MAX_INT}")
    return Position(number) if found["named"] else Version(number)


def _read_of_log(text: str) -> LogMoment:
    forms = f"position:N, or {A_TIME}"
    found = _read(text, forms)
    if isinstance(found, Version):
        raise ValueError(f"must be {forms}")  # noqa: TRY004 - pydantic reports it
    return found


def _time(text: str, forms: str) -> datetime:
    try:
        return end(text)
    except NotATimeError:
        raise ValueError(f"must be {forms}") from None


_VERSION = {"type": "integer", "minimum": 1, "maximum": MAX_INT}
_OF_LOG = [{"type": "string", "format": "date-time"}, {"type": "string", "pattern": r"^position:[0-9]{1,15}$"}]

JobMoment = Annotated[Moment, PlainValidator(_read), WithJsonSchema({"anyOf": [_VERSION, *_OF_LOG]})]
"""A version, `position:N`, or a time, as one parameter."""
Known = Annotated[LogMoment, PlainValidator(_read_of_log), WithJsonSchema({"anyOf": _OF_LOG})]
"""`position:N`, or a time, as one parameter."""


AT = (
    "The state after the last event that was recorded by this time. A date is the whole day, a second the whole second."
)


_At = Annotated[EndTime | None, Query(description=AT)]
_Position = Annotated[
    int | None, Query(ge=0, le=MAX_INT, description="The state after the event at this position: the exact form.")
]
_Version = Annotated[int | None, Query(ge=1, le=MAX_INT, description="The job at this version.")]


async def _of_log(at: _At = None, position: _Position = None) -> LogMoment | None:
    """Return the moment that a request names; None for the present."""
    if at is not None and position is not None:
        raise InvalidInput("at and position both name a moment: leave one of them out")
    return at if position is None else Position(position)


async def _of_job(version: _Version = None, at: _At = None, position: _Position = None) -> Moment | None:
    """Return the moment that a request about one job names; None for the present."""
    moment = await _of_log(at, position)
    if version is not None and moment is not None:
        other = "position" if isinstance(moment, Position) else "at"
        raise InvalidInput(f"version and {other} both name a moment: leave one of them out")
    return moment if version is None else Version(version)


AskedMoment = Annotated[LogMoment | None, Depends(_of_log)]
AskedJobMoment = Annotated[Moment | None, Depends(_of_job)]
