"""Route of the live stream of events, as server-sent events.

A client that reconnects with the last id gets every later event once, in the order of the log, also after a restart of
the service. If the log has no such event, it gets an event `reset`, and then what is stored from now on. Only stored
events are sent. The stream ends when the caller's token is revoked, or when the tokens or the read model cannot be
read.
"""

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated

import msgspec
from fastapi import Depends, Header, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.http import problems
from api.http.dependencies import FEW_EVENTS, check_read_model, service_of
from api.http.event_ids import PATTERN, Start, event_id, start_after
from api.http.filters import Wanted
from api.http.routers import api_router
from api.http.schemas.stream import MEDIA
from api.http.slots import STREAMS
from domain.errors import StorageUnavailable
from projections.queries.audit_entry import AuditEntry

HEARTBEAT = 1.0
"""Seconds without an event until a comment is sent, so that proxies do not close, and the token is checked."""

CHUNK = 50
"""Events per query, so that other requests run between the queries of many streams."""

router = api_router("stream")


async def start_of(
    request: Request,
    last_event_id: Annotated[
        str | None, Header(pattern=PATTERN, description="The id of the last event that was received. Browsers send it.")
    ] = None,
    after: Annotated[
        str | None, Query(pattern=PATTERN, description="The same, or a position, for a first connection.")
    ] = None,
) -> Start:
    """Return where to begin: after the last id, or without one after what a list has that is read now."""
    service, last = await service_of(request), after if last_event_id is None else last_event_id
    if last is not None:
        return await start_after(service.event_log, last)
    await check_read_model(service, may_lack=FEW_EVENTS)
    return Start(service.projector.position, "")


@router.get(
    "/events/stream",
    response_class=EventSourceResponse,
    dependencies=[Depends(STREAMS)],
    response_description="Server-sent events; the response has no end",
    responses={200: {"content": {EventSourceResponse.media_type: MEDIA}}, **problems.responses(503)},
)
async def stream_events(
    request: Request,
    start: Annotated[Start, Depends(start_of)],
    wanted: Wanted,
) -> AsyncIterator[ServerSentEvent]:
    """Stream new events, or all after a given one, as they are stored. The filters are those of `/audit`.

    Of `Last-Event-ID` and `after`, the former counts. If the log has no such event, as after a restore from a backup,
    an event `reset` says so and where the stream goes on. In a second without an event a comment is sent: a client that
    receives nothing for much longer should reconnect. The stream ends when the token is revoked.
    """
    service, authorization = await service_of(request), request.headers.get("authorization")
    with suppress(StorageUnavailable):
        position = start.position
        yield ServerSentEvent(comment=f"after position {position}", retry=1000)
        if start.reset:
            yield ServerSentEvent(id=start.id, event="reset", data={"position": position, "why": start.reset})
        while service.access.caller(authorization) is not None:
            # Read before the query: an event that is stored in between must not be skipped.
            end = service.projector.position
            found = await service.trail.entries(wanted, CHUNK, position)
            for entry in found:
                yield ServerSentEvent(id=_id(entry), event=entry.type, raw_data=msgspec.json.encode(entry).decode())
            if found:
                position = found[-1].position
                continue
            position = max(position, end)
            if not await service.projector.reached(position + 1, HEARTBEAT):
                yield ServerSentEvent(comment="still here")


def _id(entry: AuditEntry) -> str:
    return event_id(entry.position, f"{entry.stream_id}#{entry.version}", entry.recorded_at)
