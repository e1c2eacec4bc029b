"""The HTTP call by which a worker reports on its job itself."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)

from adapters.vma.vocabulary import STATUSES
from adapters.vma.worker_reports import read_report
from api.http import problems
from api.http.dependencies import JobId, TheService, TheTrace, settle
from api.http.times import EARLIEST, LATEST, Moment

JobType = Literal["replication", "backup"]
"""What a worker calls the job; it says `backup` of replication jobs as well."""

router = APIRouter(tags=["telemetry"])


def _sent_at(value: object, read: ValidatorFunctionWrapHandler) -> datetime | None:
    """Return when a report was sent; what is no time, or the zero of the worker's language, is none."""
    try:
        moment: datetime | None = read(value)
    except ValidationError:
        return None
    return moment if moment is not None and EARLIEST < moment < LATEST else None


Status = Annotated[
    Any,
    WithJsonSchema({"type": "string", "enum": ["in_progress", *STATUSES]}),
    Field(description="Compared without case, blanks, `_` and `-`."),
]
SentAt = Annotated[Moment | None, WrapValidator(_sent_at), WithJsonSchema({})]


def _field(description: str) -> Any:  # noqa: ANN401 - pydantic's own type for a field
    return Field(default=None, description=f"{description} What cannot be read is left out.")


class Telemetry(BaseModel):
    """What a worker says of its job, in the VMA's words. A report whose figures are all 0 tells of a status alone."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "status": "in_progress",
                    "current_phase": "Transfer",
                    "bytes_transferred": 17825792,
                    "total_bytes": 42949672960,
                    "progress_percent": 41.5,
                    "disks": [
                        {
                            "disk_index": 0,
                            "status": "transferring",
                            "bytes_transferred": 17825792,
                            "total_bytes": 42949672960,
                            "progress_percent": 41.5,
                        }
                    ],
                    "error": None,
                    "timestamp": "2025-10-03T14:00:00Z",
                }
            ]
        }
    )

    status: Status
    current_phase: Any = _field("A text.")
    bytes_transferred: Any = _field("Bytes.")
    total_bytes: Any = _field("Bytes.")
    progress_percent: Any = _field("Percent; more than 100 is 100.")
    disks: Any = _field(
        "A list of disks, each with `disk_id` (the volume, its export, or any name) or `disk_index`, "
        "and with `status`, `bytes_transferred`, `total_bytes`, `progress_percent`, `error_message`."
    )
    error: Any = _field("A text, or an object with a `message`.")
    timestamp: SentAt = _field("When it was sent, by the worker's clock; only compared with its other reports.")


class Taken(BaseModel):
    """Whether a report changed anything; if not, why."""

    applied: bool
    why: str | None
    state: str
    observed_at: datetime


@router.post("/telemetry/{job_type}/{job_id}", responses=problems.responses(404, 409, 503))
async def report(job_type: JobType, job_id: JobId, body: Telemetry, service: TheService, trace: TheTrace) -> Taken:  # noqa: ARG001 - both types mean the same
    """Take a worker's own report as an observation. One that was sent before another that was taken changes nothing."""
    job = await service.app.job(job_id)
    observation = read_report(job_id, job.vma, job.volume_ids, dict(body), service.clock.now())
    why = await service.background.command(service.reports.apply(job_id, observation, trace, body.timestamp))
    await settle(service)
    present = await service.app.job(job_id)
    return Taken(applied=why is None, why=why, state=present.state.value, observed_at=observation.observed_at)
