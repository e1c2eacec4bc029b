"""Snapshots carry a digest of themselves, for they lie outside the chain of seals and stand in for events.

One that does not hold, or has no digest, may be dropped at any time: it is derived from the events, and the next one
is made from them.
"""

import hashlib
from collections.abc import Iterable, Iterator

from domain.aggregate import Snapshot

PREFIX = "snapshot:"
DIGEST_BYTES = 16

ALL = "SELECT originator_id, originator_version, topic, state FROM stored_snapshots ORDER BY 1, 2"
DROP = "DELETE FROM stored_snapshots WHERE originator_id = ? AND originator_version = ?"

Row = tuple[str, int, str, object]
"""Stream, version, topic and state as they are in the file; a state that was overwritten need not be bytes."""


def topic_of(snapshot: Snapshot) -> str:
    """Return the topic under which a snapshot is stored: its kind, and its digest."""
    digest = _digest(snapshot.originator_id, snapshot.originator_version, snapshot.topic, snapshot.state)
    return f"{PREFIX}{snapshot.topic}:{digest}"


def restored(row: Row) -> Snapshot | None:
    """Return the snapshot that was stored; None if this is not the one, or has no digest to tell."""
    originator_id, version, topic, state = row
    kind, _, digest = topic.removeprefix(PREFIX).partition(":")
    if not isinstance(state, bytes) or digest != _digest(originator_id, version, kind, state):
        return None
    return Snapshot(originator_id=originator_id, originator_version=version, topic=kind, state=state)


def unsound(rows: Iterable[Row]) -> Iterator[tuple[str, int]]:
    """Go through stored snapshots, and yield stream and version of each that does not hold."""
    return (row[:2] for row in rows if restored(row) is None)


def _digest(originator_id: str, version: int, kind: str, state: bytes) -> str:
    head = f"{originator_id}\n{version}\n{kind}\n".encode()
    return hashlib.sha256(head + state).digest()[:DIGEST_BYTES].hex()
