"""Pages and cursors. A cursor is opaque to the client; it encodes the last key of its page.

Whatever matches the declared patterns is a valid cursor.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

from fastapi import Query

from api.http.schemas.present import Page

S = TypeVar("S")
V = TypeVar("V")

Key = int | str | tuple[int, str, str]
"""A position, an id, or for a list of the past: its position, the digest of the event there, and an id."""

DESCRIPTION = "`next_cursor` of the previous page."
ID_DESCRIPTION = f"{DESCRIPTION} That of a list of the past has its moment, too, which then counts."

Limit = Annotated[int, Query(ge=1, le=1000, description="Maximum number of items.")]
IdCursor = Annotated[
    str | None,
    Query(
        max_length=1634,
        pattern=r"^([0-7][0-9a-f]{15}\.[0-9a-f]{16}\.)?([0-9a-f]{2}){1,800}$",
        description=ID_DESCRIPTION,
    ),
]
"""An id, in UTF-8, in hexadecimal; before it the position of a list of the past, and the digest of the event there."""
Cursor = Annotated[str | None, Query(max_length=16, pattern="^[0-7][0-9a-f]{15}$", description=DESCRIPTION)]
"""A position, in hexadecimal."""


def id_in(cursor: str | None) -> str:
    """Return the id after which a page begins. It need not exist."""
    return bytes.fromhex(cursor.rpartition(".")[2]).decode("utf-8", "replace") if cursor else ""


def moment_in(cursor: str | None) -> int | None:
    """Return the position that a list of the past is of; None on its first page, and for the present."""
    return position_in((cursor or "").rpartition(".")[0].partition(".")[0])


def digest_in(cursor: str | None) -> str | None:
    """Return the digest of the event at the position that a list of the past is of; None if it is of the present."""
    parts = (cursor or "").split(".")
    return bytes.fromhex(parts[1]).decode("ascii", "replace") if len(parts) > 1 else None


def position_in(cursor: str | None) -> int | None:
    """Return the position after which a page begins; None for the first page."""
    return int(cursor, 16) if cursor else None


def page(found: Sequence[S], limit: int, key: Callable[[S], Key], show: Callable[[S], V]) -> Page[V]:
    """Return a page of the rows found. The query must ask for `limit + 1` rows, to see whether more exist."""
    shown = found[:limit]
    next_cursor = _cursor(key(shown[-1])) if len(found) > limit else None
    return Page[V](items=[show(item) for item in shown], next_cursor=next_cursor)


def numbered(found: Sequence[S], limit: int, cursor: str | None) -> Page[S]:
    """Return a page of a list that does not change; its cursor is an index."""
    after = position_in(cursor) or 0
    rest = list(enumerate(found, start=1))[after : after + limit + 1]
    return page(rest, limit, lambda entry: entry[0], lambda entry: entry[1])


def _cursor(key: Key) -> str:
    if isinstance(key, tuple):
        return ".".join([_cursor(part) for part in key])
    return f"{key:016x}" if isinstance(key, int) else key.encode().hex()
