"""The ids of events in the live stream: `POSITION.DIGEST`.

The position alone does not tell one log from another: a log that was restored from a backup gets other events at the
same positions. The digest is of the event's stream, version and time, so it differs there.
"""

import hashlib
from datetime import datetime

import msgspec

from adapters.event_log.database_log import DatabaseEventLog
from domain.events import UnreadableEvent, identity

PATTERN = r"^[0-9]{1,15}(\.[0-9a-f]{8})?$"
"""An id, or a position alone, which is not compared with the event there."""

DIGEST_BYTES = 4

NO_EVENT = "0" * 2 * DIGEST_BYTES
"""The digest before the first event, and after the last one."""


class Start(msgspec.Struct, frozen=True):
    """Where a stream begins: after a position. `reset` says why that is not where its client stopped."""

    position: int
    id: str
    reset: str | None = None


def event_id(position: int, ref: str, recorded_at: datetime) -> str:
    """Return the id of an event, by its position, its reference and its time."""
    return f"{position}.{digest_of(identity(ref, recorded_at))}"


def digest_of(name: str) -> str:
    """Return the digest of an event's identity, as it is in ids, tags and cursors."""
    return hashlib.blake2b(name.encode(), digest_size=DIGEST_BYTES).hexdigest()


async def start_after(log: DatabaseEventLog, last: str) -> Start:
    """Return where a stream continues after the last id of its client: there, or at the end if the log has no such id.

    The log is asked, and not the read model, which may still be behind.
    """
    position, head = int(last.partition(".")[0]), await log.head()
    if position > head:
        why = f"the log ends at position {head} and has no event {last}"
    elif await _has(log, position, last):
        return Start(position, last)
    else:
        why = f"the log has another event than {last} at this position"
    remedy = "read again what you need with GET /api/v1/audit; the stream goes on after this position"
    return Start(head, await _id_at(log, head), f"{why}: it was probably restored from a backup; {remedy}")


async def digest_at(log: DatabaseEventLog, position: int) -> str | None:
    """Return the digest of the event at a position; None if it cannot be read here."""
    found = await log.read_from(position - 1, 1) if position else []
    if not found:
        return NO_EVENT
    event = found[0][1]
    return None if isinstance(event, UnreadableEvent) else digest_of(identity(event.ref, event.recorded_at))


async def _has(log: DatabaseEventLog, position: int, last: str) -> bool:
    if not position or "." not in last:
        return True
    found = await log.read_from(position - 1, 1)
    # What cannot be read here was perhaps sent by a newer version: it is not known to be another event.
    return bool(found) and (isinstance(found[0][1], UnreadableEvent) or await _id_at(log, position) == last)


async def _id_at(log: DatabaseEventLog, position: int) -> str:
    """Return the id of the event at a position; the position alone if there is none, or it cannot be read."""
    found = await log.read_from(position - 1, 1) if position else []
    event = found[0][1] if found else None
    readable = event is not None and not isinstance(event, UnreadableEvent)
    return event_id(found[0][0], event.ref, event.recorded_at) if event and readable else str(position)
