"""Health: alive, ready, and how it goes. A VMA that is down does not make the service unready."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Request, Response, status
from pydantic import BaseModel, Field

from api.http.dependencies import TheService
from api.runtime.bootstrap import Service
from domain.errors import StorageUnavailable

CHECK_WITHIN = 2.0
MAX_LAG = 1000
"""Events that the read model may be behind and still count as caught up: less than a second's work."""

NEEDS_A_TOKEN = "what it is, is told to callers with a token"  # noqa: S105 - no secret

router = APIRouter(tags=["health"])


class Liveness(BaseModel):
    """The process runs its event loop."""

    status: str = "alive"


class Readiness(BaseModel):
    """Whether commands are accepted and reads are current; `why` says what is missing.

    `degraded` says what keeps open jobs from being watched, or events from being shown, while the service itself is
    ready. Where tokens are asked for, `why` and `degraded` are told to callers with one.
    """

    ready: bool
    event_store_writable: bool
    projections_caught_up: bool
    why: list[str] = Field(default_factory=list)
    degraded: list[str] = Field(default_factory=list)


class Health(BaseModel):
    """How the service goes."""

    status: Annotated[str, Field(examples=["healthy", "starting"])]
    instance: str
    jobs_polled: int
    jobs_waiting: int
    jobs_recovering: int
    poll_lag_seconds: float
    projection_lag_events: int
    vmas: dict[str, str]


@router.get("/livez")
async def livez() -> Liveness:
    """Say that the process is alive."""
    return Liveness()


@router.get("/readyz", responses={503: {"model": Readiness, "description": "Not ready"}})
async def readyz(request: Request, service: TheService, response: Response) -> Readiness:
    """Say whether the event store can be written and the read model is caught up."""
    trouble = await _storage_trouble(service)
    skipped = await _skipped_events(service)
    projector = service.projector
    caught_up = projector.caught_up and projector.lag <= MAX_LAG
    why = [what for what in (trouble, projector.error) if what]
    if not caught_up:
        why.append(f"the read model is {projector.lag} events behind")
    if why:
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    degraded = [*_jobs_without_vma(service), *skipped]
    is_told = _is_told(service, request.headers.get("authorization"))
    return Readiness(
        ready=not why,
        event_store_writable=trouble is None,
        projections_caught_up=caught_up and projector.error is None,
        why=why if is_told else [NEEDS_A_TOKEN] * bool(why),
        degraded=degraded if is_told else [NEEDS_A_TOKEN] * bool(degraded),
    )


@router.get("/health")
async def health(service: TheService) -> Health:
    """Show how the service goes, the VMAs' circuits among it."""
    return Health(
        status="healthy" if service.projector.caught_up else "starting",
        instance=service.instance,
        jobs_polled=len(service.poller.live),
        jobs_waiting=len(service.retries.waiting),
        jobs_recovering=len(service.recovery.claims),
        poll_lag_seconds=round(service.poller.lag, 3),
        projection_lag_events=service.projector.lag,
        vmas=service.circuit_states(),
    )


def _is_told(service: Service, authorization: str | None) -> bool:
    try:
        return service.access.caller(authorization) is not None
    except StorageUnavailable:
        return False


def _jobs_without_vma(service: Service) -> list[str]:
    return [
        f"the VMA {vma} is not in the settings, and {jobs} open job(s) are on it: add it to JOB_RECOVERY_VMAS"
        for vma, jobs in service.supervisor.without_vma().items()
    ]


async def _skipped_events(service: Service) -> list[str]:
    try:
        return await service.queries.skipped_events()
    except StorageUnavailable:
        # The projector's own trouble says so.
        return []


async def _storage_trouble(service: Service) -> str | None:
    try:
        async with asyncio.timeout(CHECK_WITHIN):
            await service.event_log.check_writable()
    except StorageUnavailable as error:
        return str(error)
    except TimeoutError:
        return f"the event log has not accepted a write within {CHECK_WITHIN:g} s"
    return None
