"""Routes of recovery runs."""

import asyncio

from fastapi import Request, Response, status

from api.http import paging, problems
from api.http.dependencies import TheService, TheTrace, wait_for_read_model
from api.http.owner import from_instance
from api.http.paging import Cursor, Limit
from api.http.routers import api_router
from api.http.run_views import run_view
from api.http.same_fields import view_of
from api.http.schemas.present import Identifier, NewRun, Page, RunDecisionView, RunView
from api.http.views import decision_view
from api.runtime.bootstrap import Service
from domain.errors import NotFound, StorageUnavailable
from domain.events import Cause, Trace
from domain.processes.recovery import RunProgress
from domain.recovery_run import RUNNING
from projections.queries.audit_entry import AuditFilter

router = api_router("recovery", "/recovery-runs")


@router.post("", status_code=status.HTTP_202_ACCEPTED, responses=problems.responses(503))
async def start_run(service: TheService, trace: TheTrace, response: Response, body: NewRun) -> RunView:
    """Start a recovery run over all open jobs, and return when its start is stored. `Location` is the run.

    While the start of an earlier request's run is not stored yet, that run is returned instead of another one.
    """
    progress = (None if body.dry_run else _not_stored(service)) or await _begin(service, trace, dry_run=body.dry_run)
    try:
        run = await service.background.command(progress.stored())
    except StorageUnavailable as error:
        known = service.event_log.error
        why = f"the event log cannot be written: {known}" if known else error
        raise StorageUnavailable(
            f"recovery run {progress.run_id} is not stored yet, and is tried again until it is ({why}). A repeated "
            "request waits for the same run"
        ) from None
    await wait_for_read_model(service)
    response.headers["Location"] = f"/api/v1/recovery-runs/{progress.run_id}"
    return run_view(run, progress)


def _not_stored(service: Service) -> RunProgress | None:
    """Return the run of an earlier request whose start is not stored yet."""
    live = service.recovery.live.values()
    return next((progress for progress in live if progress.cause is Cause.OPERATOR and progress.run is None), None)


async def _begin(service: Service, asked_by: Trace, *, dry_run: bool) -> RunProgress:
    open_jobs, run_id = await service.app.open_jobs(), service.runs.new_id()
    if dry_run:
        service.background.start(service.recovery.dry_run(open_jobs, run_id))
    else:
        run = service.recovery.run(Cause.OPERATOR, open_jobs, run_id=run_id, asked_by=asked_by)
        service.background.start(run)
    await asyncio.sleep(0)
    return service.recovery.live[run_id]


@router.get("", responses=problems.responses(503))
async def list_runs(service: TheService, limit: Limit = 100, cursor: Cursor = None) -> Page[RunView]:
    """List recorded runs, newest first."""
    found = await service.queries.runs(limit + 1, paging.position_in(cursor))
    live = service.recovery.live
    return paging.page(found, limit, lambda entry: entry[0], lambda entry: run_view(entry[1], live.get(entry[1].id)))


@router.get("/{run_id}", responses=problems.responses(404, 503), response_model=RunView)
async def get_run(run_id: Identifier, service: TheService, request: Request) -> RunView | Response:
    """Return one run. A dry run is available until the service is restarted.

    The instance that makes a run is asked for its progress.
    """
    live = service.recovery.live.get(run_id)
    run = live.run if live is not None else await service.queries.run(run_id)
    if run is None:
        raise NotFound(f"there is no recovery run {run_id}")
    maker = service.ownership.other(run.instance) if run.status == RUNNING else None
    return await from_instance(service, request, maker) or run_view(run, live)


@router.get("/{run_id}/decisions", responses=problems.responses(404, 503))
async def list_decisions(
    run_id: Identifier, service: TheService, limit: Limit = 200, cursor: Cursor = None
) -> Page[RunDecisionView]:
    """List the run's decisions, in their order."""
    live = service.recovery.live.get(run_id)
    if live is not None and live.dry_run:
        decisions = [view_of(RunDecisionView, made) for made in live.decisions]
        return paging.numbered(decisions, limit, cursor)
    if live is None and await service.queries.run(run_id) is None:
        raise NotFound(f"there is no recovery run {run_id}")
    wanted = AuditFilter(run_id=(run_id,), type=("RecoveryDecided",))
    entries = await service.trail.entries(wanted, limit + 1, paging.position_in(cursor))
    return paging.page(entries, limit, lambda entry: entry.position, decision_view)
