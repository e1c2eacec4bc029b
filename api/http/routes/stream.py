"""The live stream of events, as server-sent events. The id of each is its position in the log.

A client that comes back with the last id it saw gets what came after it: every event once, in the order of the log,
however often it or the service was gone in between. Only what is durable is sent. It ends when the caller's token is
revoked.
"""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.http.dependencies import service_of
from api.http.filters import Wanted
from api.http.schemas.present import MAX_INT
from api.http.slots import STREAMS

HEARTBEAT = 1.0
"""Seconds of silence after which the token is looked at again, and a comment keeps proxies from closing."""

CHUNK = 50
"""Events that are read at once, so that many streams that catch up let other requests have their turns."""

router = APIRouter(tags=["stream"])


def start_of(
    last_event_id: Annotated[
        int | None, Header(ge=0, le=MAX_INT, description="Position of the last event seen.")
    ] = None,
    after: Annotated[int | None, Query(ge=0, le=MAX_INT, description="The same, for a first connection.")] = None,
) -> int | None:
    """Return the position after which to begin; None: with what happens from now on."""
    return after if last_event_id is None else last_event_id


# An answer without an end is described in words: what reads the document would wait for the end.
@router.get(
    "/events/stream", response_class=EventSourceResponse, include_in_schema=False, dependencies=[Depends(STREAMS)]
)
async def stream_events(
    request: Request,
    start: Annotated[int | None, Depends(start_of)],
    wanted: Wanted,
) -> AsyncIterator[ServerSentEvent]:
    """Follow the log live. Reconnect with `Last-Event-ID`, which browsers do by themselves."""
    service, authorization = service_of(request), request.headers.get("authorization")
    position = await service.trail.head() if start is None else start
    yield ServerSentEvent(comment=f"after position {position}", retry=1000)
    while service.access.caller(authorization) is not None:
        # Read before the events are, so that none is stored in between and passed over.
        end = service.projector.position
        found = await service.trail.entries(wanted, CHUNK, position)
        for entry in found:
            yield ServerSentEvent(id=str(entry.position), event=entry.type, data=entry)
        if found:
            position = found[-1].position
            continue
        position = max(position, end)
        if not await service.projector.reached(position + 1, HEARTBEAT):
            yield ServerSentEvent(comment="still here")
