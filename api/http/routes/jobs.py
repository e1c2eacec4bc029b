"""Routes of jobs and VM contexts."""

from contextlib import suppress
from typing import Annotated

import msgspec
from fastapi import Query, Request, Response, status

from api.http import paging, past, problems
from api.http.dependencies import JobId, TheService, TheTrace, known_job, wait_for_read_model
from api.http.event_ids import NO_EVENT, digest_at
from api.http.filters import State, Values
from api.http.moments import AskedJobMoment, AskedMoment, JobMoment, Known, LogMoment, Moment
from api.http.paging import Cursor, IdCursor, Limit, PastCursor
from api.http.routers import api_router
from api.http.schemas.history import DiffView
from api.http.schemas.present import (
    OWN_CONTEXT,
    AsOf,
    Identifier,
    JobPage,
    JobView,
    NewJob,
    OperatorOrder,
    Page,
    VMContextView,
)
from api.http.validators import HEADERS, Condition, IfMatch, IfNoneMatch, condition, state_of, tagged
from api.http.views import add_positions, answer, job_view, present_job
from api.runtime.bootstrap import Service
from api.runtime.setting_values import DEFAULT_VMA
from domain.errors import InvalidInput, NotFound, StorageUnavailable, VersionMismatch
from domain.events import LOCAL
from domain.recovery_policy import Outcome
from domain.replication_job import Registration, ReplicationJob
from domain.vm_context import VMContext
from projections.queries.audit_entry import AuditEntry, AuditFilter
from projections.queries.present import JobFilter

MAX_ACTOR = 100
"""Maximum characters of an actor's name."""

WEAK = (
    'If-Match: a weak tag (W/"…") never matches, also not one of the present version. Nothing was decided: send the '
    "ETag of the job without W/"
)

router = api_router("jobs")


@router.post(
    "/jobs",
    status_code=status.HTTP_201_CREATED,
    response_model=JobView,
    responses={
        200: {"model": JobView, "description": "The job is registered already"},
        **problems.responses(409, 503),
    },
)
async def register_job(body: NewJob, service: TheService, trace: TheTrace) -> Response:
    """Register a job, which is watched from then on. Repeating it unchanged has no effect and returns 200."""
    vma = body.vma or DEFAULT_VMA
    if vma not in service.settings.vma_urls:
        configured = ", ".join(sorted(service.settings.vma_urls))
        raise InvalidInput(f"vma: no VMA named {vma!r} is configured; configured are: {configured}")
    defaults = {"vma": vma, "vm_context_id": f"{OWN_CONTEXT}{body.job_id}", "progress_percent": 0.0}
    registration = msgspec.convert(defaults | body.model_dump(exclude_none=True), Registration)

    async def command() -> tuple[JobView, bool]:
        job, is_new = await service.registrar.register(registration, trace)
        return present_job(service, job), is_new

    # The view is as the command left the job: the read model need not have what a poll records while it is awaited.
    shown, is_new = await service.background.command(command())
    await wait_for_read_model(service)
    with suppress(StorageUnavailable):
        # It is registered, whether the position of an end can be shown or not.
        await add_positions(service, shown)
    return answer(shown, status.HTTP_201_CREATED if is_new else status.HTTP_200_OK)


@router.get("/jobs", response_model=JobPage, responses=problems.responses(409, 503))
async def list_jobs(  # noqa: PLR0913 - a parameter for each filter
    service: TheService,
    moment: AskedMoment,
    state: Values[State] = (),
    vm_context_id: Values[Identifier] = (),
    needs_attention: Annotated[bool | None, Query()] = None,
    limit: Limit = 100,
    cursor: PastCursor = None,
) -> Response:
    """List jobs by id, present or past: those in any of the states and of any of the contexts.

    All pages of a list of the past are of the moment of the first one, whatever was recorded in between. If the log has
    lost the event there, by a restore or a failover, the next page is refused. With `needs_attention`, such a page
    may have fewer items than `limit`.
    """
    after, first = paging.id_in(cursor), paging.moment_in(cursor)
    wanted = JobFilter(state=state, vm_context_id=vm_context_id, needs_attention=needs_attention)
    if first is not None:
        then = await past.as_begun(service, first, paging.digest_in(cursor))
        return answer(await _jobs_then(service, then, wanted, limit, after))
    if moment is None:
        found, next_cursor = paging.cut(await service.queries.jobs(wanted, limit + 1, after), limit, lambda job: job.id)
        present = JobPage(items=[present_job(service, job) for job in found], next_cursor=next_cursor)
        await add_positions(service, *present.items)
        return answer(present)
    (then,) = await past.as_of(service, moment)
    return answer(await _jobs_then(service, then, wanted, limit, after))


async def _jobs_then(service: Service, then: AsOf, wanted: JobFilter, limit: int, after: str) -> JobPage:
    versions = await service.trail.jobs_at(then.position, wanted, limit + 1, after)
    loaded = await service.event_log.load_versions(ReplicationJob, versions)
    digest = await digest_at(service.event_log, then.position) or NO_EVENT
    found, next_cursor = paging.cut(loaded, limit, lambda job: paging.key_then(then, digest, job.id))
    views = [job_view(job, as_of=then) for job in found]
    items = [job for job in views if wanted.needs_attention in {None, job.needs_attention}]
    await add_positions(service, *items)
    return JobPage(items=items, next_cursor=next_cursor, as_of=then)


@router.get(
    "/jobs/{job_id}",
    response_model=JobView,
    responses={
        200: {"headers": HEADERS},
        304: {"description": "The response has a tag of If-None-Match", "headers": HEADERS},
        **problems.responses(404, 503),
    },
)
async def get_job(
    job_id: JobId,
    service: TheService,
    moment: AskedJobMoment,
    as_known: Annotated[
        Known | None,
        Query(
            description="Add `hindsight`: what is known of the moment by the events up to this time or `position:N`. "
            "Without a moment, of this time."
        ),
    ] = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Return one job: present, with its live state, or past, at a version, a position or a time."""
    unless = condition("If-None-Match", if_none_match)
    job, view = await _job_at(service, job_id, moment, as_known)
    return await _tagged(service, state_of(job), view, unless)


async def _job_at(
    service: Service, job_id: str, moment: Moment | None, as_known: LogMoment | None
) -> tuple[ReplicationJob, JobView]:
    asked = moment or as_known
    if asked is None:
        job = await known_job(service, job_id)
        return job, present_job(service, job)
    then, known = await past.as_of_job(service, job_id, asked, as_known or asked)
    job = await past.job_at(service, job_id, asked, then)
    if as_known is None:
        return job, job_view(job, as_of=then)
    return job, job_view(job, as_of=then, as_known=known, hindsight=await past.hindsight(service, job, then, known))


@router.get("/jobs/{job_id}/diff", responses=problems.responses(404, 503))
async def diff_job(
    job_id: JobId,
    service: TheService,
    begin: Annotated[JobMoment, Query(alias="from", description="A version, `position:N`, or a time.")],
    end: Annotated[JobMoment, Query(alias="to", description="A version, `position:N`, or a time.")],
) -> DiffView:
    """Return the changes of a job between two versions, positions or times, and the events that made them."""
    return await past.diff(service, job_id, begin, end)


@router.get("/jobs/{job_id}/events", responses=problems.responses(404, 503))
async def get_events(job_id: JobId, service: TheService, limit: Limit = 200, cursor: Cursor = None) -> Page[AuditEntry]:
    """Return all events of a job in the order of the log, also those by which its VM context admits and releases it."""
    await known_job(service, job_id)
    found = await service.trail.entries(AuditFilter(job_id=(job_id,)), limit + 1, paging.position_in(cursor))
    return paging.page(found, limit, lambda entry: entry.position, lambda entry: entry)


@router.post(
    "/jobs/{job_id}/decision",
    response_model=JobView,
    responses={
        200: {"headers": HEADERS},
        **problems.responses(404, 409, 412, 503),
        412: problems.responses(412)[412] | {"headers": HEADERS},
    },
)
async def decide_job(  # noqa: PLR0913 - the parameters of the API
    job_id: JobId,
    body: OperatorOrder,
    request: Request,
    service: TheService,
    trace: TheTrace,
    if_match: IfMatch = None,
) -> Response:
    """Complete or fail an open job by an operator's decision, or correct an inferred or contradicted outcome.

    Without tokens, `who` is the actor.

    With `If-Match`, a job that has changed since is not decided: 412, with the present `ETag`.
    """
    if trace.actor == LOCAL:
        trace = msgspec.structs.replace(trace, actor=body.who[:MAX_ACTOR])
    named = condition("If-Match", if_match)
    only_if = named.holds_for if named else None
    outcome = Outcome(body.outcome)

    async def command() -> tuple[str, JobView]:
        job = await service.app.operator_decide(job_id, outcome, body.who, body.why, trace, only_if=only_if)
        return state_of(job), present_job(service, job)

    try:
        state, shown = await service.background.command(command())
    except VersionMismatch as mismatch:
        now = await service.app.job(job_id)
        weak = named is not None and named.names_weakly(now)
        refusal = await problems.of(request, VersionMismatch(WEAK) if weak else mismatch)
        present = await _tagged(service, state_of(now), present_job(service, now))
        refusal.headers["ETag"] = present.headers["ETag"]
        return refusal
    await wait_for_read_model(service)
    with suppress(StorageUnavailable):
        # It is decided, whether the position can be shown or not.
        await add_positions(service, shown)
    return tagged(state, shown)


async def _tagged(service: Service, state: str, view: JobView, unless: Condition | None = None) -> Response:
    await add_positions(service, view)
    return tagged(state, view, unless)


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
