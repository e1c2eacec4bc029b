"""Which SQLite the log is trusted to: the one of pysqlite3 where it is installed, else Python's own.

Versions before 3.51.3 can lose commits when several connections work on one file and the write-ahead log is reset
(the "WAL-reset bug"; Debian 12 ships 3.40.1). Nor may one process open a file with two copies of SQLite: each would
drop the other's locks. So whatever opens a file takes `sqlite3` from here.
"""

from typing import TYPE_CHECKING

import eventsourcing.sqlite

__all__ = ["FIXED", "sqlite3", "weakness"]

FIXED = (3, 51, 3)
"""The first version without the bug."""

if TYPE_CHECKING:
    import sqlite3
else:
    try:
        from pysqlite3 import dbapi2 as sqlite3
    except ImportError:
        import sqlite3

# The library has no other seam: it opens its files with whatever its own name `sqlite3` means.
eventsourcing.sqlite.sqlite3 = sqlite3  # type: ignore[attr-defined]


def weakness(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> str | None:
    """Say why a version of SQLite is not to be trusted with the log; None if it is."""
    if version >= FIXED:
        return None
    found, fixed = (".".join(map(str, numbers)) for numbers in (version, FIXED))
    return (
        f"SQLite {found} can lose commits after they were acknowledged (WAL-reset bug, mended in {fixed}): "
        "install pysqlite3, or use a Python with a newer SQLite"
    )
