"""The HTTP call by which a worker reports on its job itself."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from adapters.worker_reports import read_report
from api import problems
from api.jobs import JobId, TheService, TheTrace, settle
from api.moments import Moment
from api.schemas import MOST_DISKS, Bytes, Percent, Prose
from domain.errors import Refused

SKEW = timedelta(minutes=5)
"""How far a worker's clock may be ahead of ours."""

Word = Annotated[str, Field(min_length=1, max_length=40), Prose]

router = APIRouter(tags=["telemetry"])


class DiskTelemetry(BaseModel):
    """One disk, named by its volume, its export, or the worker's own name for it."""

    disk_id: Annotated[str, Field(min_length=1, max_length=200), Prose]
    status: Word | None = None
    progress_percent: Percent | None = None
    bytes_transferred: Bytes | None = None
    total_bytes: Bytes | None = None


class Telemetry(BaseModel):
    """What a worker says of its job, in the VMA's words."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "status": "in_progress",
                    "current_phase": "Transfer",
                    "bytes_transferred": 17825792,
                    "total_bytes": 42949672960,
                    "progress_percent": 41.5,
                    "disks": [],
                    "timestamp": "2025-10-03T14:00:00Z",
                }
            ]
        }
    )

    status: Word
    current_phase: Annotated[str, Field(max_length=200), Prose] | None = None
    bytes_transferred: Bytes | None = None
    total_bytes: Bytes | None = None
    progress_percent: Percent | None = None
    disks: Annotated[list[DiskTelemetry], Field(max_length=MOST_DISKS)] = Field(default_factory=list)
    error: Annotated[str, Field(max_length=2000), Prose] | None = None
    timestamp: Moment


class Taken(BaseModel):
    """Whether a report changed anything; if not, why."""

    applied: bool
    why: str | None
    state: str
    observed_at: datetime


@router.post("/telemetry/replication/{job_id}", responses=problems.responses(404, 409, 503))
async def report(job_id: JobId, body: Telemetry, service: TheService, trace: TheTrace) -> Taken:
    """Take a worker's own report as an observation. One that is late or comes twice changes nothing."""
    now = service.clock.now()
    if body.timestamp > now + SKEW:
        raise Refused(f"timestamp: {body.timestamp.isoformat()} is in the future: check the worker's clock")
    job = await service.app.job(job_id)
    sent_at = min(body.timestamp, now)
    observation = read_report(job_id, job.vma, job.volume_ids, body.model_dump(exclude={"timestamp"}), sent_at)
    why = await service.reports.take(job_id, observation, trace)
    await settle(service)
    present = await service.app.job(job_id)
    return Taken(applied=why is None, why=why, state=present.state.value, observed_at=sent_at)
