"""The HTTP calls on the audit trail."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator, Iterable
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import StreamingResponse
from pydantic import AfterValidator

from adapters.plain_text import visible
from api import paging, problems
from api.history_schemas import AuditView, ChainView, SealView
from api.jobs import TheService
from api.moments import Moment
from api.paging import Cursor, Limit
from api.schemas import MOST, Identifier, Page
from api.slots import EXPORTS
from domain.errors import NotFound
from domain.events import EVENTS
from domain.recovery_policy import Basis, Outcome, Rule
from projections.queries.audit_trail import AuditEntry, AuditFilter

FORMULAS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a formula begins with in a spreadsheet; the last four are the same signs in full width."""

BLOCK = 64 * 1024
"""Bytes of an export that are sent at once."""

Order = Literal["newest", "oldest"]


def _event_type(name: str) -> str:
    if name not in EVENTS:
        raise ValueError(f"there is no such event; there are: {', '.join(EVENTS)}")
    return name


EventType = Annotated[str, AfterValidator(_event_type), Query(json_schema_extra={"enum": list(EVENTS)})]
Position = Annotated[int, Path(ge=1, le=MOST)]

router = APIRouter(prefix="/audit", tags=["audit"])


def audit_filter(  # noqa: PLR0913 - a parameter for each filter
    job_id: Identifier | None = None,
    vm_context_id: Identifier | None = None,
    run_id: Identifier | None = None,
    type: EventType | None = None,  # noqa: A002 - the field's name in the API
    rule: Rule | None = None,
    basis: Basis | None = None,
    outcome: Outcome | None = None,
    actor: Annotated[str | None, Query(max_length=100)] = None,
    since: Annotated[Moment | None, Query(alias="from", description="Recorded at this time or later.")] = None,
    until: Annotated[Moment | None, Query(alias="to", description="Recorded at this time or before.")] = None,
) -> AuditFilter:
    """Read the filters, which are the same wherever events are listed."""
    return AuditFilter(
        job_id=job_id,
        vm_context_id=vm_context_id,
        run_id=run_id,
        type=type,
        rule=rule.value if rule else None,
        basis=basis.value if basis else None,
        outcome=outcome.value if outcome else None,
        actor=actor,
        since=since,
        until=until,
    )


Wanted = Annotated[AuditFilter, Depends(audit_filter)]


@router.get("", responses=problems.responses(503))
async def list_audit(
    service: TheService, wanted: Wanted, order: Order = "newest", limit: Limit = 100, cursor: Cursor = None
) -> Page[AuditView]:
    """List events over all jobs. A page stays as it is while events are added."""
    after = paging.position_in(cursor)
    found = await service.trail.entries(wanted, limit + 1, after, newest_first=order == "newest")
    return paging.page(found, limit, lambda entry: entry.position, AuditView.model_validate)


@router.get(
    "/export",
    response_class=StreamingResponse,
    dependencies=[Depends(EXPORTS)],
    responses={
        200: {
            "description": "All events of the filter, as far as they were there when the export began",
            "content": {"application/x-ndjson": {}, "text/csv": {}},
        },
        **problems.responses(503),
    },
)
async def export_audit(
    service: TheService,
    wanted: Wanted,
    order: Order = "oldest",
    format: Literal["ndjson", "csv"] = "ndjson",  # noqa: A002 - the parameter's name in the API
) -> StreamingResponse:
    """Stream all events of a filter, of any size."""
    entries = service.trail.export(wanted, newest_first=order == "newest")
    if format == "csv":
        return StreamingResponse(in_blocks(_as_csv(entries)), media_type="text/csv; charset=utf-8")
    return StreamingResponse(in_blocks(_as_ndjson(entries)), media_type="application/x-ndjson")


@router.get("/seal", responses=problems.responses(503))
async def get_seal(service: TheService) -> SealView:
    """Return the log's last seal, to be noted elsewhere and handed to `job-recovery verify` later."""
    return SealView.model_validate(await service.event_log.seal())


@router.get("/{position}", responses=problems.responses(404, 503))
async def get_entry(position: Position, service: TheService) -> AuditView:
    """Return one event."""
    return AuditView.model_validate(await _entry(service, position))


@router.get("/{position}/chain", responses=problems.responses(404, 503))
async def get_chain(position: Position, service: TheService) -> ChainView:
    """Follow one event back: a decision to its observation, its recovery, its run, and the process that began it."""
    chain = await service.trail.chain(await _entry(service, position))
    return ChainView(items=[AuditView.model_validate(entry) for entry in chain], origin=chain[-1].causation_id)


async def _entry(service: TheService, position: int) -> AuditEntry:
    entry = await service.trail.entry(position)
    if entry is None:
        raise NotFound(f"there is no event at position {position}")
    return entry


async def _as_ndjson(entries: AsyncIterator[AuditEntry]) -> AsyncIterator[bytes]:
    async for entry in entries:
        yield msgspec.json.encode(entry) + b"\n"


async def in_blocks(lines: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Join lines, for sending costs the same for one as for many; let other requests run between two blocks."""
    block = bytearray()
    async for line in lines:
        block += line
        if len(block) >= BLOCK:
            yield bytes(block)
            block.clear()
            await asyncio.sleep(0)
    yield bytes(block)


async def _as_csv(entries: AsyncIterator[AuditEntry]) -> AsyncIterator[bytes]:
    fields = AuditEntry.__struct_fields__
    yield _row(fields)
    async for entry in entries:
        plain = msgspec.to_builtins(entry)
        yield _row([*(plain[name] for name in fields[:-1]), _plain_json(entry.data)])


def _row(values: Iterable[object]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(_harmless(value) for value in values)
    return buffer.getvalue().encode()


def _harmless(value: object) -> object:
    """Keep a spreadsheet from taking a text for a formula, and an editor or a terminal from obeying it."""
    if not isinstance(value, str):
        return value
    text = visible(value)
    return f"'{text}" if text.lstrip(" ").startswith(FORMULAS) else text


def _plain_json(data: object) -> str:
    """Return JSON in which each character can be seen."""
    text = msgspec.json.encode(data).decode()
    return text if text.isprintable() else "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)
