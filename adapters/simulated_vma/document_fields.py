"""Reads and writes the fields of a document in each generation's form."""

from collections.abc import Mapping
from typing import Any

import msgspec

JSONObject = dict[str, Any]
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


class DocumentFields(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The fields of a document; None is missing. Times as text."""

    status: str | None = None
    phase: str | None = None
    percent: float | None = None
    bytes_transferred: int | None = None
    total_bytes: int | None = None
    sync_type: str | None = None
    started: str | None = None
    updated: str | None = None


def fields_of(document: JSONObject) -> DocumentFields:
    """Return the fields of a document of any form."""
    return DocumentFields(**{name: _get(document, path) for name, path in _form(document).items()})


def with_fields(document: JSONObject, fields: DocumentFields) -> JSONObject:
    """Return a copy of a document with these fields; None leaves the document's own value."""
    form, changed = _form(document), document
    for name, value in msgspec.structs.asdict(fields).items():
        if value is not None and name in form:
            changed = _put(changed, form[name], value)
    return changed


def _form(document: JSONObject) -> Mapping[str, Path]:
    if "aggregate" in document:
        return OLDEST
    return COARSE if "progress_percent" in document else CURRENT


def _get(document: JSONObject, path: Path) -> Any:  # noqa: ANN401 - JSON is read as it comes
    value: Any = document
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _put(document: JSONObject, path: Path, value: object) -> JSONObject:
    name, *rest = path
    return {**document, name: _put(document.get(name) or {}, tuple(rest), value) if rest else value}
