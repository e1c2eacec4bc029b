"""Pages and cursors: opaque to the client, a key to us.

Their patterns are declared, and whatever matches them can be continued after: no cursor fails half-way.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

from fastapi import Query

from api.http.schemas.present import Page

S = TypeVar("S")
V = TypeVar("V")

DESCRIPTION = "`next_cursor` of the page before this one."

Limit = Annotated[int, Query(ge=1, le=1000, description="The most items to return.")]
IdCursor = Annotated[str | None, Query(max_length=1600, pattern="^([0-9a-f]{2})+$", description=DESCRIPTION)]
"""An id, in UTF-8, in hexadecimal."""
Cursor = Annotated[str | None, Query(max_length=16, pattern="^[0-7][0-9a-f]{15}$", description=DESCRIPTION)]
"""A position, in hexadecimal."""


def id_in(cursor: str | None) -> str:
    """Return the id after which a page begins. What is no id is a place in the order all the same."""
    return bytes.fromhex(cursor).decode("utf-8", "replace") if cursor else ""


def position_in(cursor: str | None) -> int | None:
    """Return the position after which a page begins; None for the first page."""
    return int(cursor, 16) if cursor else None


def page(found: Sequence[S], limit: int, key: Callable[[S], str | int], show: Callable[[S], V]) -> Page[V]:
    """Make a page of what was found; one more than `limit` was asked for, to know whether there is more."""
    shown = found[:limit]
    next_cursor = _cursor(key(shown[-1])) if len(found) > limit else None
    return Page[V](items=[show(item) for item in shown], next_cursor=next_cursor)


def numbered(found: Sequence[S], limit: int, cursor: str | None) -> Page[S]:
    """Make a page of a list that does not change: its cursor is a place in it."""
    after = position_in(cursor) or 0
    rest = list(enumerate(found, start=1))[after : after + limit + 1]
    return page(rest, limit, lambda entry: entry[0], lambda entry: entry[1])


def _cursor(key: str | int) -> str:
    return f"{key:016x}" if isinstance(key, int) else key.encode().hex()
