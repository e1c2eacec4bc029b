"""Health: alive, ready, and how it goes. A VMA that is down does not make the service unready."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Response, status
from pydantic import BaseModel, Field

from api.bootstrap import Service
from api.jobs import TheService
from domain.errors import StorageUnavailable

CHECK_WITHIN = 2.0
MOST_LAG = 1000
"""Events that the read model may be behind and still count as caught up: less than a second's work."""

router = APIRouter(tags=["health"])


class Liveness(BaseModel):
    """The process runs its event loop."""

    status: str = "alive"


class Readiness(BaseModel):
    """Whether commands are accepted and reads are current; `why` says what is missing.

    `degraded` says what keeps open jobs from being watched while the service itself is ready.
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
async def readyz(service: TheService, response: Response) -> Readiness:
    """Say whether the event store can be written and the read model is caught up."""
    trouble = await _storage_trouble(service)
    projector = service.projector
    caught_up = projector.caught_up and projector.lag <= MOST_LAG
    why = [what for what in (trouble, projector.trouble) if what]
    if not caught_up:
        why.append(f"the read model is {projector.lag} events behind")
    if why:
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    return Readiness(
        ready=not why,
        event_store_writable=trouble is None,
        projections_caught_up=caught_up and projector.trouble is None,
        why=why,
        degraded=_jobs_without_vma(service),
    )


@router.get("/health")
async def health(service: TheService) -> Health:
    """Show how the service goes, the VMAs' circuits among it."""
    return Health(
        status="healthy" if service.projector.caught_up else "starting",
        instance=service.instance,
        jobs_polled=len(service.poller.live),
        jobs_waiting=len(service.retries.waiting),
        jobs_recovering=len(service.recovery.held),
        poll_lag_seconds=round(service.poller.lag, 3),
        projection_lag_events=service.projector.lag,
        vmas=service.circuit_states(),
    )


def _jobs_without_vma(service: Service) -> list[str]:
    return [
        f"the VMA {vma} is not in the settings, and {jobs} open job(s) are on it: add it to JOB_RECOVERY_VMAS"
        for vma, jobs in service.supervisor.without_vma().items()
    ]


async def _storage_trouble(service: Service) -> str | None:
    try:
        async with asyncio.timeout(CHECK_WITHIN):
            await service.event_log.check_writable()
    except StorageUnavailable as error:
        return str(error)
    except TimeoutError:
        return f"the event log has not accepted a write within {CHECK_WITHIN:g} s"
    return None
