"""Events as NDJSON and CSV, and streaming of long responses in blocks."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import fields
from typing import Any

import msgspec

from adapters.plain_text import visible
from projections.queries.audit_entry import AuditEntry

FORMULAS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""Characters that begin a formula in a spreadsheet; the last four are their full-width forms."""

EVENTS, POSITION = "Job-Recovery-Events", "Job-Recovery-Position"

HEADERS: dict[str, Any] = {
    EVENTS: {"description": "How many events the whole export has.", "schema": {"type": "integer"}},
    POSITION: {"description": "The export has the events up to this position.", "schema": {"type": "integer"}},
}
"""For the OpenAPI document. A connection that is cut may look like the end of a response."""

BLOCK = 64 * 1024
"""Bytes of an export that are sent in one write."""


def announced(events: int, position: int) -> dict[str, str]:
    """Return the headers that tell what the whole export has."""
    return {EVENTS: str(events), POSITION: str(position)}


async def as_ndjson(entries: AsyncIterator[AuditEntry]) -> AsyncIterator[bytes]:
    """Yield each event as one line of JSON."""
    async for entry in entries:
        yield msgspec.json.encode(entry) + b"\n"


async def in_blocks(lines: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Join lines to blocks, which cost less to send; other requests run between two blocks."""
    block = bytearray()
    async for line in lines:
        block += line
        if len(block) >= BLOCK:
            yield bytes(block)
            block.clear()
            await asyncio.sleep(0)
    yield bytes(block)


async def as_csv(entries: AsyncIterator[AuditEntry]) -> AsyncIterator[bytes]:
    """Yield a row with the names of the fields, then each event as one row; `data` is JSON."""
    names = [one.name for one in fields(AuditEntry)]
    yield _row(names)
    async for entry in entries:
        plain = msgspec.to_builtins(entry)
        yield _row([*(plain[name] for name in names[:-1]), _plain_json(entry.data)])


def _row(values: Iterable[object]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(_harmless(value) for value in values)
    return buffer.getvalue().encode()


def _harmless(value: object) -> object:
    """Return a text without formulas for a spreadsheet and without control characters for a terminal."""
    if not isinstance(value, str):
        return value
    text = visible(value)
    return f"'{text}" if text.lstrip(" ").startswith(FORMULAS) else text


def _plain_json(data: object) -> str:
    """Return JSON in which non-printable characters are escaped."""
    text = msgspec.json.encode(data).decode()
    return text if text.isprintable() else "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)
