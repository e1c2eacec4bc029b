"""Routes of liveness, readiness and health. An unreachable VMA does not make the service unready.

Load balancers ask for liveness and readiness by HEAD, too.
"""

import asyncio
from importlib.metadata import version
from typing import Annotated, Any

from fastapi import Request, Response, status
from pydantic import BaseModel, Field

from api.http import problems
from api.http.dependencies import TheService
from api.http.routers import public_router
from api.runtime.bootstrap import Service
from domain.errors import StorageUnavailable
from domain.ownership import REST

CHECK_TIMEOUT = 2.0
"""Seconds."""
MAX_LAG = 1000
"""Maximum events that the read model may be behind and still count as current: less than a second of work."""

NEEDS_A_TOKEN = "send a token to see the reason"  # noqa: S105 - no secret

router = public_router("health")


class Liveness(BaseModel):
    """The process runs its event loop."""

    status: str = "alive"


class Readiness(BaseModel):
    """Whether commands are accepted and reads are current; `why` gives the reasons if not.

    `degraded` lists open jobs that are not watched and events that are not shown, while the service itself is ready,
    and why tokens cannot be read, if they cannot. If tokens are required, only callers with a token see the rest of
    `degraded`, and `why`.
    """

    ready: bool
    event_store_writable: bool
    projections_caught_up: bool
    why: list[str] = Field(default_factory=list)
    degraded: list[str] = Field(default_factory=list)


REFUSALS = problems.described(403, 422)
"""Of a page of another site, and of parameters; for the OpenAPI document."""

NOT_READY: dict[int | str, dict[str, Any]] = {503: {"model": Readiness, "description": "Not ready"}, **REFUSALS}
"""For the OpenAPI document."""


class Health(BaseModel):
    """The state of the service's processes."""

    status: Annotated[str, Field(examples=["healthy", "starting"])]
    version: str
    instance: str
    jobs_polled: int
    jobs_waiting: int
    jobs_recovering: int
    poll_lag_seconds: float
    projection_lag_events: int
    vmas: dict[str, str]


@router.head("/livez", responses=REFUSALS)
@router.get("/livez", responses=REFUSALS)
async def livez() -> Liveness:
    """Return that the process is alive."""
    return Liveness()


@router.head("/readyz", responses=NOT_READY)
@router.get("/readyz", responses=NOT_READY)
async def readyz(request: Request, service: TheService, response: Response) -> Readiness:
    """Return whether the event store can be written and the read model is current."""
    log_error, (skipped, read_error) = await asyncio.gather(_event_log_error(service), _skipped_events(service))
    projector = service.projector
    caught_up = projector.caught_up and projector.lag <= MAX_LAG
    # The projector notices a silent server later: it may write for much longer than a reader may read.
    model_error = projector.error or read_error
    why = [what for what in (log_error, _unwatched_jobs(service), model_error) if what]
    if not caught_up:
        why.append(f"the read model is {projector.lag} events behind the event log: wait until it has caught up")
    if why:
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    degraded = [*_unowned(service), *_jobs_without_vma(service), *_unwatched_guesses(service), *skipped]
    locked_out = _tokens_error(service)
    may_see = _may_see(service, request.headers.get("authorization"))
    return Readiness(
        ready=not why,
        event_store_writable=log_error is None,
        projections_caught_up=caught_up and model_error is None,
        why=why if may_see else [NEEDS_A_TOKEN] * bool(why),
        # Nobody has a valid token then, and every call is refused with this reason.
        degraded=locked_out + (degraded if may_see else [NEEDS_A_TOKEN] * bool(degraded)),
    )


@router.get("/health", responses=problems.responses())
async def health(service: TheService) -> Health:
    """Return the state of the service's processes and of each VMA's circuit breaker."""
    return Health(
        status="healthy" if service.projector.caught_up else "starting",
        version=version("job-recovery"),
        instance=service.instance,
        jobs_polled=len(service.poller.live),
        jobs_waiting=len(service.retries.waiting),
        jobs_recovering=len(service.recovery.claims),
        poll_lag_seconds=round(service.poller.lag, 3),
        projection_lag_events=service.projector.lag,
        vmas=service.circuit_states(),
    )


def _may_see(service: Service, authorization: str | None) -> bool:
    try:
        return service.access.caller(authorization) is not None
    except StorageUnavailable:
        return False


def _tokens_error(service: Service) -> list[str]:
    """Return why no token can be checked; empty if they can, or if none is needed."""
    try:
        if not service.access.is_open:
            service.access.tokens.all()
    except StorageUnavailable as error:
        return [f"every call is refused: {error}"]
    return []


def _unowned(service: Service) -> list[str]:
    """Return which VMAs no instance watches. It is so for some seconds after an instance has ended."""
    return [
        f"no instance watches the jobs of {'VMAs in no settings' if vma == REST else f'the VMA {vma}'}"
        + (f": end {holder}, which keeps it" if holder else "")
        for vma, holder in service.ownership.unwatched.items()
    ]


def _jobs_without_vma(service: Service) -> list[str]:
    return [
        f"{jobs} open job(s) are not watched, because the VMA {vma} is not in the settings: add it to JOB_RECOVERY_VMAS"
        for vma, jobs in service.supervisor.without_vma().items()
    ]


def _unwatched_jobs(service: Service) -> str | None:
    why = service.supervisor.unwatched
    return why and f"no job is watched, because the open jobs cannot be read: {why}. It is tried again each second"


def _unwatched_guesses(service: Service) -> list[str]:
    why = service.supervisor.unwatched_guesses
    return [f"jobs whose outcome was inferred are not watched: {why}. It is tried again each second"] if why else []


async def _skipped_events(service: Service) -> tuple[list[str], str | None]:
    """Return the events that are not shown, and why the read model cannot be read, if it cannot."""
    try:
        return await service.queries.skipped_events(), None
    except StorageUnavailable as error:
        return [], str(error)


async def _event_log_error(service: Service) -> str | None:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT):
            await service.event_log.check_writable()
    except StorageUnavailable as error:
        return str(error)
    except TimeoutError:
        why = service.event_log.error or "check its disk, and who locks it"
        return f"the event log did not accept a write within {CHECK_TIMEOUT:g} s: {why}"
    return None
