"""Snapshots have a digest of themselves and of the code that folded them, because they replace events.

One that was changed, or that other code folded, is not used: the aggregate is folded from its events.
"""

import hashlib
from functools import cache
from pathlib import Path

import domain
from domain.aggregate import Snapshot

PREFIX = "snapshot:"
DIGEST_BYTES = 16


def topic_of(snapshot: Snapshot) -> str:
    """Return the topic of a stored snapshot: its kind and its digest."""
    digest = _digest(snapshot.originator_id, snapshot.originator_version, snapshot.topic, snapshot.state)
    return f"{PREFIX}{snapshot.topic}:{digest}"


def restored(originator_id: str, version: int, topic: str, state: object) -> Snapshot | None:
    """Return the stored snapshot; None if it was changed, or other code folded it."""
    kind, _, digest = topic.removeprefix(PREFIX).partition(":")
    if not isinstance(state, bytes) or digest != _digest(originator_id, version, kind, state):
        return None
    return Snapshot(originator_id=originator_id, originator_version=version, topic=kind, state=state)


def _digest(originator_id: str, version: int, kind: str, state: bytes) -> str:
    head = f"{originator_id}\n{version}\n{kind}\n".encode()
    return hashlib.sha256(_code() + head + state).digest()[:DIGEST_BYTES].hex()


@cache
def _code() -> bytes:
    """Return a digest of the code that folds: state that other code folded may lack fields that decisions need."""
    modules = sorted(Path(domain.__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(module.read_bytes() for module in modules)).digest()
