"""Routes of the state of recovery and polling, and of the metrics."""

from collections import Counter
from contextlib import suppress
from datetime import datetime

from fastapi import Request
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field

from api.http import problems
from api.http.dependencies import JobId, TheService, known_job
from api.http.owner import from_owner
from api.http.routers import api_router, public_router
from api.http.run_views import run_view
from api.http.schemas.present import LiveView, RunView
from api.http.views import live_of, retry_in
from api.runtime.bootstrap import Service
from api.runtime.output import dropped
from domain.errors import StorageUnavailable
from domain.processes.watch import watcher_of
from domain.recovery_run import RecoveryRun

router = api_router("observability")
scrape = public_router("observability")


class RecoveryStatus(BaseModel):
    """The state of recovery. `success_rate` is the share of decisions with another outcome than `retry`."""

    last_run: RunView | None
    last_restart: RunView | None = Field(
        description="The run after the start of this process; null before it has begun."
    )
    runs_by_status: dict[str, int]
    decisions: int
    decisions_by_rule: dict[str, int]
    decisions_by_outcome: dict[str, int]
    success_rate: float | None = Field(description="0..1; null before the first decision")
    jobs_by_state: dict[str, int]
    jobs_needing_attention: int
    jobs_in_recovery: int


class VMAStatusView(BaseModel):
    """The state of one VMA. `down`: it was unreachable as a whole at the last probe."""

    circuit: str | None
    down: bool
    last_error: str | None
    active_jobs: int
    lag_seconds: float = Field(description="How late its polls are; above some seconds, the VMA is too slow.")


class PollingStatus(BaseModel):
    """The state of polling since this process started. `success_rate` is the share of conclusive polls."""

    interval_seconds: float
    active_jobs: int
    lag_seconds: float
    polls: int
    success_rate: float | None = Field(description="0..1; null before the first poll")
    vmas: dict[str, VMAStatusView]


class JobPolling(BaseModel):
    """The watcher of one job. `watched_by` is null for a job whose outcome is final."""

    job_id: str
    state: str
    watched_by: str | None
    polled: bool
    last_polled_at: datetime | None
    next_retry_in: float | None
    live: LiveView | None


@router.get("/recovery/status", responses=problems.responses(503))
async def recovery_status(service: TheService) -> RecoveryStatus:
    """Return the last recovery run, and totals of all runs."""
    runs = await service.queries.runs(1)
    rules: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    for (rule, outcome), count in (await service.trail.decisions()).items():
        rules[rule] += count
        outcomes[outcome] += count
    decisions = rules.total()
    return RecoveryStatus(
        last_run=_run(service, runs[0][1] if runs else None),
        last_restart=_run(service, await _restart(service)),
        runs_by_status=await service.queries.runs_by_status(),
        decisions=decisions,
        decisions_by_rule=rules,
        decisions_by_outcome=outcomes,
        success_rate=round(1 - outcomes["retry"] / decisions, 4) if decisions else None,
        jobs_by_state=await service.queries.jobs_by_state(),
        jobs_needing_attention=await service.queries.jobs_needing_attention(),
        jobs_in_recovery=len(service.recovery.claims),
    )


@router.get("/polling", responses=problems.responses(503))
async def polling_status(service: TheService) -> PollingStatus:
    """Return the state of each VMA, and whether polling is in time."""
    poller = service.poller
    jobs = Counter(live.vma for live in poller.live.values())
    return PollingStatus(
        interval_seconds=service.settings.poll_interval,
        active_jobs=len(poller.live),
        lag_seconds=round(poller.lag, 3),
        polls=poller.polls,
        success_rate=round(poller.conclusive / poller.polls, 4) if poller.polls else None,
        vmas={name: _vma(service, name, jobs[name]) for name in service.settings.vma_urls},
    )


@router.get("/polling/{job_id}", responses=problems.responses(404, 503), response_model=JobPolling)
async def job_polling(job_id: JobId, service: TheService, request: Request) -> JobPolling | Response:
    """Return the watcher of a job, and the job's last poll. The instance that watches the job is asked for it."""
    job = await known_job(service, job_id)
    if job.is_watched and (answer := await from_owner(service, request, job.vma)) is not None:
        return answer
    live = live_of(service, job)
    return JobPolling(
        job_id=job_id,
        state=job.state.value,
        watched_by=watcher_of(job),
        polled=live is not None,
        last_polled_at=live.polled_at if live else None,
        next_retry_in=retry_in(service, job),
        live=live,
    )


@scrape.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {"description": "Prometheus' text format", "content": {"text/plain": {}}},
        **problems.responses(),
    },
)
async def metrics(service: TheService) -> Response:
    """Return the metrics for Prometheus; without the number of jobs while the read model cannot be used."""
    jobs: dict[str, int] = {}
    with suppress(StorageUnavailable):
        # What tells that the read model is away must not be away with it.
        jobs = await service.queries.jobs_by_state()
    text = service.metrics.scrape(
        jobs=jobs,
        poll_lag=service.poller.lag,
        projection_lag=service.projector.lag,
        log_lines_dropped=dropped(),
        reachable={name: circuit.is_reachable for name, circuit in service.circuits().items()},
    )
    return Response(text, media_type=CONTENT_TYPE_LATEST)


async def _restart(service: Service) -> RecoveryRun | None:
    run_id = service.supervisor.restart_run
    return await service.queries.run(run_id) if run_id else None


def _run(service: Service, run: RecoveryRun | None) -> RunView | None:
    return run_view(run, service.recovery.live.get(run.id)) if run else None


def _vma(service: Service, name: str, jobs: int) -> VMAStatusView:
    circuit = service.circuits().get(name)
    state = circuit.state if circuit else None
    return VMAStatusView(
        circuit=state,
        # A refused login tells nothing of a job, so decisions take the VMA as it was before. But it has answered.
        down=service.contact.is_down(name) and state != "closed",
        last_error=circuit.last_error if circuit else None,
        active_jobs=jobs,
        lag_seconds=round(service.poller.lags.get(name, 0.0), 3),
    )
