"""Replies of a VMA, and the answers that they give."""

import json
from typing import Any

from adapters.vma.dialects import read_reply
from domain.vma_status import Answer, VMAStatus

ID = "migration-vol-5f0c"


def reply(body: bytes | str | dict[str, Any] | list[Any], status: int = 200) -> Answer:
    raw = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return read_reply(ID, status, raw, 1.0)


def says(**fields: Any) -> VMAStatus:
    return reply({"job_id": ID, **fields}).status


def disk(percent: float | None, status: str = "Streaming") -> dict[str, Any]:
    return {"disk_id": "disk-2000", "percent": percent, "status": status}
