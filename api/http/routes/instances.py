"""Route of the instances that share the event log."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.http import problems
from api.http.dependencies import TheService
from api.http.routers import api_router
from domain.errors import StorageUnavailable
from domain.ownership import REST
from domain.ports import Instance

router: APIRouter = api_router("observability")


class InstanceView(BaseModel):
    """One instance that is connected to the event log."""

    id: str
    this: bool = Field(description="Whether it is the one that answers.")
    address: str
    version: str
    started_at: datetime
    vmas: list[str] = Field(description=f"The VMAs whose jobs it watches; `{REST}`: those in nobody's settings.")


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
    everybody = sorted((survey.me, *survey.others), key=lambda one: (one.started_at, one.id))
    return InstancesView(
        items=[_view(one, this=one.id == survey.me.id) for one in everybody],
        unwatched=[Unwatched(vma=vma, held_by=holder) for vma, holder in service.ownership.unwatched.items()],
    )


def _view(instance: Instance, *, this: bool) -> InstanceView:
    return InstanceView(
        id=instance.id,
        this=this,
        address=instance.address,
        version=instance.version,
        started_at=instance.started_at,
        vmas=sorted(instance.owns),
    )
