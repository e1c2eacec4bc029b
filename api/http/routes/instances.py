"""Route of the instances that share the event log."""

from datetime import datetime

import msgspec
from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.http import problems
from api.http.dependencies import TheService
from api.http.routers import api_router
from api.runtime.bootstrap import Service
from domain.errors import StorageUnavailable
from domain.ownership import REST
from domain.ports import Instance, Reached

router: APIRouter = api_router("observability")


class InstanceView(BaseModel):
    """One instance that is connected to the event log."""

    id: str
    this: bool = Field(description="Whether it is the one that answers.")
    address: str
    version: str
    started_at: datetime
    vmas: list[str] = Field(description=f"The VMAs whose jobs it watches; `{REST}`: those in nobody's settings.")
    position: int | None = Field(description="The last event in what it answers. Null: its release does not tell it.")
    lag_events: int | None = Field(
        description="How many events are missing in what it answers, of those that any instance knows. Null as above."
    )
    told_at: datetime | None = Field(
        description="When it has told its position, twice a second while it runs, by the clock of the database. "
        "The one that answers tells it now."
    )


class Unwatched(BaseModel):
    """A VMA whose jobs no instance watches, and the database session that keeps it, if there is one."""

    vma: str
    held_by: str | None


class InstancesView(BaseModel):
    """The instances, and what none of them watches."""

    items: list[InstanceView]
    unwatched: list[Unwatched]


@router.get("/instances", responses=problems.responses(503))
async def list_instances(service: TheService) -> InstancesView:
    """List the instances that share the event log, and the VMAs that each watches."""
    survey = service.ownership.survey
    if survey is None:
        raise StorageUnavailable("the instances are not known yet: ask again in a second")
    me = msgspec.structs.replace(survey.me, reached=_reached(service))
    everybody = sorted((me, *survey.others), key=lambda one: (one.started_at, one.id))
    head = max(one.reached.head for one in everybody if one.reached)
    return InstancesView(
        items=[_view(one, head, this=one is me) for one in everybody],
        unwatched=[Unwatched(vma=vma, held_by=holder) for vma, holder in service.ownership.unwatched.items()],
    )


def _reached(service: Service) -> Reached:
    return Reached(service.projector.position, service.projector.head, service.clock.now())


def _view(instance: Instance, head: int, *, this: bool) -> InstanceView:
    reached = instance.reached
    return InstanceView(
        id=instance.id,
        this=this,
        address=instance.address,
        version=instance.version,
        started_at=instance.started_at,
        vmas=sorted(instance.owns),
        position=reached.position if reached else None,
        lag_events=head - reached.position if reached else None,
        told_at=reached.told_at if reached else None,
    )
