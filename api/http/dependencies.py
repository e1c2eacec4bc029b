"""Dependencies of the routes: the service, the trace of a request, a job by its id.

Those that FastAPI calls are async, although they wait for nothing: it calls any other in a thread, for each request.
"""

import re
import secrets
from typing import Annotated

from fastapi import Depends, Header, Path, Request

from api.http.guard import caller_of
from api.http.schemas.present import Identifier
from api.runtime.bootstrap import Service
from domain.errors import NotFound
from domain.events import Trace
from domain.replication_job import ReplicationJob
from projections.read_model.errors import ReadModelAway

READ_YOUR_WRITES = 1.0
"""Maximum seconds that a command waits for the read model, so that the next read shows its events."""

FEW_EVENTS = 1000
"""Events that the read model applies within that time."""

_ACCEPTABLE = re.compile(r"[A-Za-z0-9._:-]{1,100}", re.ASCII)

ABOUT_REQUEST_ID = (
    "With `request-` before it, the `causation_id` of the first events that the request causes, and the "
    "`correlation_id` of all that follow; those of a recovery run have the run's id instead. "
    "Up to 100 letters, digits and `._:-`: any other is replaced by a new one."
)

JobId = Annotated[Identifier, Path(examples=["job-20251003-140000-abc123"])]


async def service_of(request: Request) -> Service:
    """Return the service that this application serves."""
    service: Service = request.app.state.service
    return service


async def request_trace(
    request: Request,
    x_request_id: Annotated[str | None, Header(description=ABOUT_REQUEST_ID)] = None,
) -> Trace:
    """Return the trace of a request, by the caller's request id if it is valid, otherwise by a new one."""
    if x_request_id is None or _ACCEPTABLE.fullmatch(x_request_id) is None:
        x_request_id = secrets.token_hex(8)
    return Trace(f"request-{x_request_id}", f"request-{x_request_id}", caller_of(request).name)


TheService = Annotated[Service, Depends(service_of)]
TheTrace = Annotated[Trace, Depends(request_trace)]


async def known_job(service: Service, job_id: str) -> ReplicationJob:
    """Return a job of the read model.

    Raises:
        NotFound: there is no such job.

    """
    job = await service.queries.job(job_id)
    if job is None:
        raise NotFound(f"there is no job {job_id}")
    return job


async def wait_for_read_model(service: Service) -> None:
    """Wait until the read model has all stored events, so that a client reads its own writes.

    Not if it is away, or so far behind that each command would wait in vain.
    """
    end = service.event_log.position
    if service.projector.error is None and end - service.projector.position <= FEW_EVENTS:
        await service.projector.reached(end, READ_YOUR_WRITES)


async def check_read_model(service: Service, *, may_lack: int = 0) -> bool:
    """Wait until the read model has all stored events; return whether it has, or lacks at most `may_lack` events.

    Raises:
        ReadModelAway: it lacks more, as while it is derived anew. What is read from it would look complete.

    """
    projector = service.projector
    end = max(service.event_log.position, projector.position + projector.lag)
    if projector.caught_up and await projector.reached(end, READ_YOUR_WRITES):
        return True
    if projector.caught_up and end - projector.position <= may_lack:
        return False
    raise ReadModelAway(
        f"the read model has the events up to position {projector.position} of {end}, and would answer incompletely: "
        "ask again when it has caught up, as `projection_lag_events` in /health shows"
    )
