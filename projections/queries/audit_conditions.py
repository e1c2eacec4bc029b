"""The conditions of a list of events by the values of their columns, in a form that SQLite finds by an index."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select, true, union_all

from domain.events import SERVICE
from projections.queries.audit_entry import AuditFilter
from projections.read_model import schema

TRAIL = schema.audit_trail

PERIOD = ("since", "until")
"""Filters that are not by the value of a column."""


def by_value(wanted: AuditFilter) -> tuple[list[ColumnElement[bool]], list[ColumnElement[bool]]]:
    """Return the filter with most values as one condition for each value, and the conditions of the other filters."""
    values = [(one.name, getattr(wanted, one.name)) for one in fields(AuditFilter) if one.name not in PERIOD]
    given = [(name, list(dict.fromkeys(value))) for name, value in values if value]
    if not given:
        return [true()], []
    (name, several), *others = sorted(given, key=_count_of_values, reverse=True)
    return [_in(name, [value]) for value in several], [_in(*other) for other in others]


def _count_of_values(given: tuple[str, Sequence[str]]) -> int:
    _, values = given
    return len(values)


def _in(name: str, values: Sequence[str]) -> ColumnElement[bool]:
    column = TRAIL.c[name]
    return or_(*(column.is_(None) if (name, value) == ("actor", SERVICE) else column == value for value in values))


def first_of(
    cases: Sequence[ColumnElement[bool]],
    conditions: Sequence[ColumnElement[bool]],
    order: ColumnElement[Any],
    limit: int,
) -> Select[Any]:
    """Return the query of the first events, in an order, of any of these cases.

    An index has the events of one value in the order of the log. So the first events of each value are read, and no
    others: all events of several values would have to be read and sorted.
    """
    only, *others = cases
    if not others:
        return select(TRAIL).where(only, *conditions)
    positions = select(TRAIL.c.position).order_by(order).limit(limit)
    found = union_all(*(select(positions.where(case, *conditions).subquery()) for case in cases)).subquery()
    return select(TRAIL).where(TRAIL.c.position.in_(select(found.c.position)))
