"""Pages and cursors: opaque to the client, a key to us."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

from fastapi import Query

from api.schemas import Page
from domain.errors import InvalidInput

S = TypeVar("S")
V = TypeVar("V")

Limit = Annotated[int, Query(ge=1, le=1000, description="The most items to return.")]
Cursor = Annotated[str | None, Query(max_length=400, description="`next_cursor` of the page before this one.")]


def encode(key: str) -> str:
    """Make a cursor that continues after `key`."""
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def decode(cursor: str | None) -> str | None:
    """Read a cursor.

    Raises:
        InvalidInput: it is none of ours.

    """
    if cursor is None:
        return None
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise InvalidInput(f"cursor: {cursor[:40]!r} is none of ours") from None


def decode_number(cursor: str | None) -> int | None:
    """Read a cursor that holds a number.

    Raises:
        InvalidInput: it is none of ours.

    """
    key = decode(cursor)
    if key is None:
        return None
    if not (key.isascii() and key.isdigit() and len(key) <= len(str(2**62))):
        raise InvalidInput(f"cursor: {cursor!r} is none of ours")
    return int(key)


def page(found: Sequence[S], limit: int, key: Callable[[S], object], show: Callable[[S], V]) -> Page[V]:
    """Make a page of what was found; one more than `limit` was asked for, to know whether there is more."""
    shown = found[:limit]
    more = len(found) > limit
    return Page[V](
        items=[show(item) for item in shown],
        next_cursor=encode(str(key(shown[-1]))) if more else None,
    )
