"""Pages and cursors. A cursor is opaque to the client; it encodes the last key of its page.

Whatever matches the declared patterns is a valid cursor.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeVar

from fastapi import Query

from api.http.schemas.present import AsOf, Page
from api.http.times import LATEST

S = TypeVar("S")
V = TypeVar("V")

Key = int | str | tuple[int | str, ...]
"""A position, an id, or what `key_then` returns."""

DESCRIPTION = "`next_cursor` of the previous page."
PAST_DESCRIPTION = f"{DESCRIPTION} That of a list of the past has its moment, too, which counts instead of any other."

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

Limit = Annotated[int, Query(ge=1, le=1000, description="Maximum number of items.")]
IdCursor = Annotated[str | None, Query(max_length=1600, pattern=r"^([0-9a-f]{2}){1,800}$", description=DESCRIPTION)]
"""An id, in UTF-8, in hexadecimal."""
PastCursor = Annotated[
    str | None,
    Query(
        max_length=1668,
        pattern=r"^([0-7][0-9a-f]{15}\.[0-9a-f]{16}\.[0-7][0-9a-f]{15}\.0{15}[01]\.)?([0-9a-f]{2}){1,800}$",
        description=PAST_DESCRIPTION,
    ),
]
"""An id, as in `IdCursor`; before it, what else a list of the past is of: see `key_then`."""
Cursor = Annotated[str | None, Query(max_length=16, pattern="^[0-7][0-9a-f]{15}$", description=DESCRIPTION)]
"""A position, in hexadecimal."""


def id_in(cursor: str | None) -> str:
    """Return the id after which a page begins. It need not exist."""
    return bytes.fromhex(cursor.rpartition(".")[2]).decode("utf-8", "replace") if cursor else ""


def key_then(then: AsOf, digest: str, last: str) -> Key:
    """Return the key of a page of the past: its moment, the digest of the event there, and the last id.

    The whole moment, because the position does not tell which time was asked for, and whether it was still to come.
    """
    microseconds = (then.time - BEGINNING) // MICROSECOND if then.time else 0
    return then.position, digest, microseconds, int(then.is_future), last


def moment_in(cursor: str | None) -> AsOf | None:
    """Return the moment that a list of the past is of; None on its first page, and for the present."""
    position, _, rest = (cursor or "").partition(".")
    if not rest:
        return None
    microseconds, is_future = (int(part, 16) for part in rest.split(".")[1:3])
    time = BEGINNING + MICROSECOND * min(microseconds, (LATEST - BEGINNING) // MICROSECOND)
    return AsOf(position=int(position, 16), time=time if microseconds else None, is_future=bool(is_future))


def digest_in(cursor: str | None) -> str | None:
    """Return the digest of the event at the position that a list of the past is of; None if it is of the present."""
    parts = (cursor or "").split(".")
    return bytes.fromhex(parts[1]).decode("ascii", "replace") if len(parts) > 1 else None


def position_in(cursor: str | None) -> int | None:
    """Return the position after which a page begins; None for the first page."""
    return int(cursor, 16) if cursor else None


def page(found: Sequence[S], limit: int, key: Callable[[S], Key], show: Callable[[S], V]) -> Page[V]:
    """Return a page of the rows found. The query must ask for `limit + 1` rows, to see whether more exist."""
    shown, next_cursor = cut(found, limit, key)
    return Page[V](items=[show(item) for item in shown], next_cursor=next_cursor)


def cut(found: Sequence[S], limit: int, key: Callable[[S], Key]) -> tuple[Sequence[S], str | None]:
    """Return the rows of a page, and the cursor of the next one; None if `limit + 1` rows were not found."""
    shown = found[:limit]
    return shown, _cursor(key(shown[-1])) if len(found) > limit else None


def numbered(found: Sequence[S], limit: int, cursor: str | None) -> Page[S]:
    """Return a page of a list that does not change; its cursor is an index."""
    after = position_in(cursor) or 0
    rest = list(enumerate(found, start=1))[after : after + limit + 1]
    return page(rest, limit, lambda entry: entry[0], lambda entry: entry[1])


def _cursor(key: Key) -> str:
    if isinstance(key, tuple):
        return ".".join([_cursor(part) for part in key])
    return f"{key:016x}" if isinstance(key, int) else key.encode().hex()
