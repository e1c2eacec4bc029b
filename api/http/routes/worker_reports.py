"""Route by which a worker reports on its job."""

from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Request, Response
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
from api.http.dependencies import JobId, TheService, TheTrace, wait_for_read_model
from api.http.owner import from_owner
from api.http.routers import api_router
from api.http.times import EARLIEST, LATEST, TruncatedTime
from api.runtime.peers import InstanceSilent

JobType = Literal["replication", "backup"]
"""The worker's name for the kind of job; it uses `backup` for replication jobs, too."""

router = api_router("telemetry")


def _sent_at(value: object, read: ValidatorFunctionWrapHandler) -> datetime | None:
    """Return when a report was sent; None for an invalid time and for the zero value of the worker's language."""
    try:
        sent_at: datetime | None = read(value)
    except ValidationError:
        return None
    return sent_at if sent_at is not None and EARLIEST < sent_at < LATEST else None


Status = Annotated[
    Any,
    WithJsonSchema({"type": "string", "enum": ["in_progress", *STATUSES]}),
    Field(description="Case, blanks, `_` and `-` are ignored."),
]
SentAt = Annotated[TruncatedTime | None, WrapValidator(_sent_at), WithJsonSchema({})]


def _field(description: str) -> Any:  # noqa: ANN401 - pydantic's own type for a field
    return Field(default=None, description=f"{description} An unreadable value is ignored.")


class Telemetry(BaseModel):
    """A worker's report in the VMA's vocabulary. If all figures are 0, only the status counts."""

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


class ReportResult(BaseModel):
    """Whether a report changed anything; if not, `why` gives the reason."""

    applied: bool
    why: str | None
    state: str
    observed_at: datetime


@router.post("/telemetry/{job_type}/{job_id}", responses=problems.responses(404, 409, 503), response_model=ReportResult)
async def report(  # noqa: PLR0913 - what a request has
    job_type: JobType,  # noqa: ARG001 - both types mean the same
    job_id: JobId,
    body: Telemetry,
    service: TheService,
    trace: TheTrace,
    request: Request,
) -> ReportResult | Response:
    """Record a worker's report as an observation. One sent before the last accepted report changes nothing."""
    job = await service.app.last_known(job_id)
    # It is contact with the job, which its owner must know of. What the owner does not take is stored all the same.
    with suppress(InstanceSilent):
        if (answer := await from_owner(service, request, job.vma)) is not None:
            return answer
    observation = read_report(job_id, job.vma, job.volume_ids, dict(body), service.clock.now())
    why = await service.background.command(service.reports.apply(job_id, observation, trace, body.timestamp))
    await wait_for_read_model(service)
    present = await service.app.job(job_id)
    return ReportResult(applied=why is None, why=why, state=present.state.value, observed_at=observation.observed_at)
