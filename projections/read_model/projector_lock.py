"""The lock of the projector of one read model: one process at a time applies events.

It belongs to the session that writes. A process that loses the session loses the lock, and cannot commit in it. A file
has no lock: in the data directory, the lease on that keeps out a second service.
"""

import hashlib

from sqlalchemy import Connection, text

from projections.read_model import schema
from projections.read_model.column_types import SERVERS

HELD = "has_projector_lock"


def acquire(connection: Connection) -> bool:
    """Take the lock without waiting, unless this session has it; return whether it has it."""
    # `info` lives as long as the session, and so does the lock. Taken twice, it would have to be released twice.
    if not connection.info.get(HELD):
        connection.info[HELD] = _try(connection)
    return bool(connection.info[HELD])


def _try(connection: Connection) -> bool:
    match connection.dialect.name:
        case "postgresql":
            place = connection.scalar(text("SELECT current_schema()"))
            query, key = "SELECT pg_try_advisory_lock(:key)", int.from_bytes(_digest(place)[:8], "big", signed=True)
            return bool(connection.scalar(text(query), {"key": key}))
        case name if name in SERVERS:
            place = connection.scalar(text("SELECT database()"))
            return bool(connection.scalar(text("SELECT GET_LOCK(:key, 0)"), {"key": _digest(place).hex()[:60]}))
    return True


def _digest(place: object) -> bytes:
    """Return a digest of what the lock is for, so that it does not meet strangers' locks or those of other releases."""
    return hashlib.sha256(f"job-recovery projector\n{place}\n{schema.PREFIX}".encode()).digest()
