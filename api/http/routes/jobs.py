"""Routes of jobs and VM contexts."""

import re
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Header, Query, Response, status

from api.http import paging, past, problems
from api.http.dependencies import JobId, TheService, TheTrace, known_job, wait_for_read_model
from api.http.paging import Cursor, IdCursor, Limit
from api.http.schemas.history import DiffView
from api.http.schemas.present import MAX_INT, Identifier, JobView, NewJob, OperatorOrder, Page, VMContextView
from api.http.times import UtcTime
from api.http.views import add_positions, job_view, present_job
from api.runtime.bootstrap import Service
from api.runtime.settings import DEFAULT_VMA
from domain.errors import InvalidInput, NotFound
from domain.events import LOCAL
from domain.recovery_policy import Outcome
from domain.replication_job import Registration, ReplicationJob
from domain.vm_context import VMContext
from projections.queries.audit_entry import AuditEntry, AuditFilter
from projections.queries.present import JobFilter

MAX_ACTOR = 100
"""Maximum characters of an actor's name."""

router = APIRouter(tags=["jobs"])

State = Literal["replicating", "recovering", "pending-retry", "completed", "failed"]


@router.post(
    "/jobs",
    status_code=status.HTTP_201_CREATED,
    responses={
        200: {"model": JobView, "description": "The job is registered already"},
        **problems.responses(409, 503),
    },
)
async def register_job(body: NewJob, response: Response, service: TheService, trace: TheTrace) -> JobView:
    """Register a job, which is watched from then on. Repeating it unchanged has no effect and returns 200."""
    vma = body.vma or DEFAULT_VMA
    if vma not in service.settings.vma_urls:
        configured = ", ".join(sorted(service.settings.vma_urls))
        raise InvalidInput(f"vma: no VMA named {vma!r} is configured; configured are: {configured}")
    defaults = {"vma": vma, "vm_context_id": f"ctx-{body.job_id}", "progress_percent": 0.0}
    registration = msgspec.convert(defaults | body.model_dump(exclude_none=True), Registration)
    job, is_new = await service.background.command(service.registrar.register(registration, trace))
    if not is_new:
        response.status_code = status.HTTP_200_OK
    await wait_for_read_model(service)
    shown = present_job(service, job)
    await add_positions(service, shown)
    return shown


@router.get("/jobs", responses=problems.responses(503))
async def list_jobs(  # noqa: PLR0913 - a parameter for each filter
    service: TheService,
    state: State | None = None,
    vm_context_id: Identifier | None = None,
    needs_attention: Annotated[bool | None, Query()] = None,
    at: Annotated[UtcTime | None, Query(description="The jobs as they were recorded at this time.")] = None,
    limit: Limit = 100,
    cursor: IdCursor = None,
) -> Page[JobView]:
    """List jobs by id, present or past. With `at` and `needs_attention`, a page may have fewer items than `limit`."""
    after = paging.id_in(cursor)
    wanted = JobFilter(state=state, vm_context_id=vm_context_id, needs_attention=needs_attention)
    if at is None:
        found = await service.queries.jobs(wanted, limit + 1, after)
        present = paging.page(found, limit, lambda job: job.id, lambda job: present_job(service, job))
        await add_positions(service, *present.items)
        return present
    versions = await service.trail.jobs_at(await service.trail.position_at(at), wanted, limit + 1, after)
    found = await service.event_log.load_versions(ReplicationJob, versions)
    then = paging.page(found, limit, lambda job: job.id, lambda job: job_view(job, as_of=at))
    then.items = [job for job in then.items if needs_attention in {None, job.needs_attention}]
    await add_positions(service, *then.items)
    return then


@router.get(
    "/jobs/{job_id}",
    response_model=JobView,
    responses={304: {"description": "The job has the version of If-None-Match"}, **problems.responses(404, 503)},
)
async def get_job(  # noqa: PLR0913 - the parameters of the API
    job_id: JobId,
    service: TheService,
    response: Response,
    version: Annotated[int | None, Query(ge=1, le=MAX_INT, description="The job at this version.")] = None,
    at: Annotated[UtcTime | None, Query(description="The job as it was recorded at this time.")] = None,
    as_known: Annotated[
        UtcTime | None,
        Query(description="Add `hindsight`: what is known of the time `at` by the events recorded until this time."),
    ] = None,
    if_none_match: Annotated[str | None, Header(description="`ETag` of the cached response.")] = None,
) -> JobView | Response:
    """Return one job: present, with its live state, or past, at a version or a time, or at the earlier of both."""
    found = await _job_at(service, job_id, version, at, as_known)
    await add_positions(service, found)
    etag = f'"{found.version}"'
    if if_none_match is not None and _matches(if_none_match, etag):
        return Response(status_code=status.HTTP_304_NOT_MODIFIED, headers={"ETag": etag})
    response.headers["ETag"] = etag
    return found


async def _job_at(
    service: Service, job_id: str, version: int | None, at: datetime | None, as_known: datetime | None
) -> JobView:
    at = at or as_known
    points = [point for point in (version, at) if point is not None]
    if not points:
        return present_job(service, await known_job(service, job_id))
    job = await past.job_then(service, job_id, min([await past.version_of(service, job_id, p) for p in points]))
    known_since = await past.hindsight(service, job, at, as_known) if at and as_known else None
    return job_view(job, as_of=at, hindsight=known_since)


def _matches(header: str, etag: str) -> bool:
    return header.strip() == "*" or etag in {one.strip().removeprefix("W/") for one in header.split(",")}


@router.get("/jobs/{job_id}/diff", responses=problems.responses(404, 503))
async def diff_job(
    job_id: JobId,
    service: TheService,
    begin: Annotated[int | UtcTime, Query(alias="from", description="A version, or a time.")],
    end: Annotated[int | UtcTime, Query(alias="to", description="A version, or a time.")],
) -> DiffView:
    """Return the changes of a job between two versions or times, and the events that made them."""
    return await past.diff(service, job_id, begin, end)


@router.get("/jobs/{job_id}/events", responses=problems.responses(404, 503))
async def get_events(job_id: JobId, service: TheService, limit: Limit = 200, cursor: Cursor = None) -> Page[AuditEntry]:
    """Return all events of a job in the order of the log, also those by which its VM context admits and releases it."""
    await known_job(service, job_id)
    found = await service.trail.entries(AuditFilter(job_id=job_id), limit + 1, paging.position_in(cursor))
    return paging.page(found, limit, lambda entry: entry.position, lambda entry: entry)


@router.post("/jobs/{job_id}/decision", responses=problems.responses(404, 409, 412, 503))
async def decide_job(  # noqa: PLR0913 - the parameters of the API
    job_id: JobId,
    body: OperatorOrder,
    service: TheService,
    trace: TheTrace,
    response: Response,
    if_match: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> JobView:
    """Complete or fail an open job by an operator's decision, or correct an inferred or contradicted outcome.

    Without tokens, `who` is the actor.

    With the header `If-Match`, which has an `ETag` of the job, a job that has changed since then is refused with 412.
    """
    if trace.actor == LOCAL:
        trace = msgspec.structs.replace(trace, actor=body.who[:MAX_ACTOR])
    version = _version_in(if_match)
    outcome = Outcome(body.outcome)
    decided = service.app.operator_decide(job_id, outcome, body.who, body.why, trace, if_version=version)
    job = await service.background.command(decided)
    await wait_for_read_model(service)
    response.headers["ETag"] = f'"{job.version}"'
    shown = present_job(service, job)
    await add_positions(service, shown)
    return shown


def _version_in(if_match: str | None) -> int | None:
    if if_match is None or if_match.strip() in {"", "*"}:
        return None
    version = re.fullmatch(r'\s*"?([0-9]{1,16})"?\s*', if_match)
    # No job has version -1: any other ETag is not from this service, and does not match.
    return int(version[1]) if version else -1


@router.get("/vm-contexts", responses=problems.responses(503))
async def list_vm_contexts(
    service: TheService,
    active: Annotated[bool | None, Query(description="Only those with, or without, an active job.")] = None,
    limit: Limit = 100,
    cursor: IdCursor = None,
) -> Page[VMContextView]:
    """List VM contexts by id."""
    found = await service.queries.vm_contexts(limit + 1, paging.id_in(cursor), active=active)
    return paging.page(found, limit, lambda context: context.vm_context_id, VMContextView.model_validate)


@router.get("/vm-contexts/{vm_context_id}", response_model=VMContextView, responses=problems.responses(404, 503))
async def get_vm_context(vm_context_id: Identifier, service: TheService) -> VMContext:
    """Return a VM context and its active job."""
    context = await service.queries.vm_context(vm_context_id)
    if context is None:
        raise NotFound(f"there is no VM context {vm_context_id}")
    return context
