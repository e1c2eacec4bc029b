"""Routes of the audit trail."""

from typing import Annotated, Literal

from fastapi import Depends, Path
from fastapi.responses import StreamingResponse

from adapters.event_log.seals import Seal
from api.http import paging, problems
from api.http.dependencies import TheService, check_read_model
from api.http.exports import HEADERS, announced, as_csv, as_ndjson, in_blocks
from api.http.filters import Wanted
from api.http.paging import Cursor, Limit
from api.http.routers import api_router
from api.http.schemas.history import ChainView, SealView
from api.http.schemas.present import MAX_INT, Page
from api.http.slots import EXPORTS
from domain.errors import NotFound
from domain.events import SERVICE
from projections.queries.audit_entry import AuditEntry

Order = Literal["newest", "oldest"]

Position = Annotated[int, Path(ge=1, le=MAX_INT)]

router = api_router("audit", "/audit")


@router.get("", responses=problems.responses(503))
async def list_audit(
    service: TheService, wanted: Wanted, order: Order = "newest", limit: Limit = 100, cursor: Cursor = None
) -> Page[AuditEntry]:
    """List events of all jobs. A page does not change when events are added."""
    after = paging.position_in(cursor)
    found = await service.trail.entries(wanted, limit + 1, after, newest_first=order == "newest")
    return paging.page(found, limit, lambda entry: entry.position, lambda entry: entry)


@router.get(
    "/export",
    response_class=StreamingResponse,
    dependencies=[Depends(EXPORTS)],
    responses={
        200: {
            "description": "All events of the filter that were stored when the export began",
            "headers": HEADERS,
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
    """Stream all events of a filter. The headers tell how many they are, so that a cut connection is noticed."""
    await check_read_model(service)
    end = await service.trail.head()
    headers = announced(await service.trail.total(wanted, end), end)
    entries = service.trail.export(wanted, newest_first=order == "newest", end=end)
    if format == "csv":
        return StreamingResponse(in_blocks(as_csv(entries)), media_type="text/csv; charset=utf-8", headers=headers)
    return StreamingResponse(in_blocks(as_ndjson(entries)), media_type="application/x-ndjson", headers=headers)


@router.get("/seal", response_model=SealView, responses=problems.responses(503))
async def get_seal(service: TheService) -> Seal:
    """Return the log's last seal. Store it elsewhere, for `job-recovery verify --expect`."""
    return await service.event_log.seal()


@router.get("/{position}", responses=problems.responses(404, 503))
async def get_entry(position: Position, service: TheService) -> AuditEntry:
    """Return one event."""
    entry = await service.trail.entry(position)
    if entry is None:
        raise NotFound(f"there is no event at position {position}")
    return entry


@router.get("/{position}/chain", responses=problems.responses(404, 503))
async def get_chain(position: Position, service: TheService) -> ChainView:
    """Return the causation chain of an event, such as decision, observation, recovery, run, and who caused that."""
    chain = await service.trail.chain(await get_entry(position, service))
    first = chain[-1]
    return ChainView(items=chain, origin=first.causation_id if first.actor == SERVICE else first.actor)
