"""The words and figures of a document, read from and written into each generation's form."""

from collections.abc import Mapping
from typing import Any

import msgspec

Document = dict[str, Any]
Path = tuple[str, ...]

CURRENT: Mapping[str, Path] = {
    "status": ("status",),
    "phase": ("phase",),
    "percent": ("percentage",),
    "bytes_transferred": ("bytes_transferred",),
    "total_bytes": ("total_bytes",),
    "sync_type": ("sync_type",),
    "started": ("timing", "start_time"),
    "updated": ("timing", "last_update"),
}
OLDEST: Mapping[str, Path] = {
    "status": ("status",),
    "phase": ("stage",),
    "percent": ("aggregate", "percent"),
    "bytes_transferred": ("aggregate", "bytes_transferred"),
    "total_bytes": ("aggregate", "total_bytes"),
    "sync_type": ("cbt", "type"),
    "started": ("started_at",),
    "updated": ("updated_at",),
}
COARSE: Mapping[str, Path] = {
    "status": ("status",),
    "phase": ("current_operation",),
    "percent": ("progress_percent",),
    "started": ("start_time",),
    "updated": ("last_update",),
}


class Statement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a document says of its worker; None is not said. Times as text."""

    status: str | None = None
    phase: str | None = None
    percent: float | None = None
    bytes_transferred: int | None = None
    total_bytes: int | None = None
    sync_type: str | None = None
    started: str | None = None
    updated: str | None = None


def read_statement(document: Document) -> Statement:
    """Return what a document of any form says; what it lacks is None."""
    return Statement(**{name: _get(document, path) for name, path in _form(document).items()})


def restated(document: Document, said: Statement) -> Document:
    """Return a copy of a document that says this instead; a None leaves the document's own value."""
    form, changed = _form(document), document
    for name, value in msgspec.structs.asdict(said).items():
        if value is not None and name in form:
            changed = _put(changed, form[name], value)
    return changed


def _form(document: Document) -> Mapping[str, Path]:
    if "aggregate" in document:
        return OLDEST
    return COARSE if "progress_percent" in document else CURRENT


def _get(document: Document, path: Path) -> Any:  # noqa: ANN401 - JSON is read as it comes
    value: Any = document
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _put(document: Document, path: Path, value: object) -> Document:
    name, *rest = path
    return {**document, name: _put(document.get(name) or {}, tuple(rest), value) if rest else value}
