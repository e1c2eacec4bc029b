"""Selects the SQLite module for every file: pysqlite3 if it is installed, else Python's own.

Versions before 3.51.3 can lose commits when several connections work on one file and the write-ahead log is reset
(the "WAL-reset bug"; Debian 12 ships 3.40.1). One process must not open a file with two copies of SQLite either: each
would drop the other's locks. So all code that opens a file imports `sqlite3` from here.
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

# The library has no parameter for it: it opens its files with the module that its global `sqlite3` refers to.
eventsourcing.sqlite.sqlite3 = sqlite3  # type: ignore[attr-defined]


def weakness(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> str | None:
    """Return why this version of SQLite is not safe for the log; None if it is."""
    if version >= FIXED:
        return None
    found, fixed = (".".join(map(str, numbers)) for numbers in (version, FIXED))
    return (
        f"SQLite {found} can lose commits after they were acknowledged (WAL-reset bug, fixed in {fixed}): "
        "install pysqlite3, or use a Python with a newer SQLite"
    )
