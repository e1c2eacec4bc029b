"""Maps aggregates, live state and audit entries to the API's schemas."""

from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import Response

from api.http.same_fields import view_of
from api.http.schemas.present import (
    DecisionView,
    DiskView,
    EndedView,
    JobView,
    LiveView,
    RecoveryView,
    RunDecisionView,
)
from api.runtime.bootstrap import Service
from domain.attention import attention
from domain.lifecycle import JobState
from domain.processes.polling import LivePoll
from domain.replication_job import ReplicationJob
from projections.queries.audit_entry import AuditEntry


def answer(view: object, status: int = HTTPStatus.OK) -> Response:
    """Return a response with a view, which is encoded once and not validated: its values are the service's own."""
    return Response(msgspec.json.encode(view), status, media_type="application/json")


def present_job(service: Service, job: ReplicationJob) -> JobView:
    """Return the view of a job in its present state, with its live state."""
    return job_view(job, live=live_of(service, job), retry_in=retry_in(service, job))


async def add_positions(service: Service, *jobs: JobView) -> None:
    """Add the positions of the events that ended these jobs."""
    ended = {(job.job_id, job.ended.version): job.ended for job in jobs if job.ended is not None}
    for version, position in (await service.trail.positions(list(ended))).items():
        ended[version].position = position


def live_of(service: Service, job: ReplicationJob) -> LiveView | None:
    """Return the live state of a job while it is polled: the processes may be ahead of the state that is shown."""
    live = service.poller.live.get(job.id) if job.state is JobState.REPLICATING else None
    return live_view(live) if live else None


def retry_in(service: Service, job: ReplicationJob) -> float | None:
    """Return the seconds until the next retry of a job that waits by its last decision; None for any other."""
    waiting = service.retries.waiting.get(job.id) if job.state is JobState.PENDING_RETRY else None
    waits = waiting is not None and job.decision is not None and job.decision.rule == waiting.rule
    return service.retries.due_in(job.id) if waits else None


def job_view(job: ReplicationJob, **more: Any) -> JobView:  # noqa: ANN401 - fields of several types
    """Return the view of a job; `more` are fields that its aggregate does not have.

    Field by field, because a page has a thousand of them, and to look up their names takes twice as long.
    """
    why = attention(job)
    return JobView(
        job_id=job.id,
        state=job.state,
        vm_name=job.vm_name,
        vm_context_id=job.vm_context_id,
        vma=job.vma,
        volume_ids=job.volume_ids,
        progress_percent=round(job.progress_percent, 2),
        phase=job.phase,
        bytes_transferred=job.bytes_transferred,
        total_bytes=job.total_bytes,
        disks=[_disk_view(job, volume_id) for volume_id in job.volume_ids],
        vma_status=job.vma_status,
        error=job.error,
        registered_at=job.registered_at,
        last_contact=job.last_contact_at,
        last_observed_at=job.last_observed_at,
        stalled=job.stalled_since is not None,
        stalled_since=job.stalled_since,
        basis=job.outcome_basis,
        ended_at=job.ended_at,
        ended=view_of(EndedView, job.ended, basis=job.outcome_basis, at=job.ended_at) if job.ended else None,
        needs_attention=bool(why),
        attention=why,
        decision=view_of(DecisionView, job.decision) if job.decision else None,
        run_id=job.run_id,
        recovery=RecoveryView(
            attempted=job.recovery_began_at is not None,
            at=job.recovery_began_at,
            method=job.cause,
            last_validated=job.last_contact_at,
            polling_restarted_at=job.resumed_at,
        ),
        version=job.version,
        **more,
    )


def _disk_view(job: ReplicationJob, volume_id: str) -> DiskView:
    reading = job.disks.get(volume_id)
    return view_of(DiskView, reading) if reading else DiskView(volume_id=volume_id)


def live_view(live: LivePoll) -> LiveView:
    """Return the view of a polled job: its last status, and the figures of its last running observation."""
    observation = live.observation
    return LiveView(
        polled_at=live.polled_at,
        polls=live.polls,
        misses=live.misses,
        moved_at=live.moved_at,
        progress_percent=observation.progress_percent if observation else None,
        phase=observation.phase if observation else None,
        bytes_transferred=observation.bytes_transferred if observation else None,
        bytes_per_second=_rounded(live.throughput.bytes_per_second),
        estimated_seconds_left=_rounded(live.throughput.seconds_left),
        vma_status=live.vma_status,
    )


def _rounded(figure: float | None) -> int | None:
    return None if figure is None else round(figure)


def decision_view(entry: AuditEntry) -> RunDecisionView:
    """Return the view of a recorded decision."""
    evidence = entry.data["evidence"]
    return view_of(
        RunDecisionView,
        entry,
        state_before=evidence["state_before"],
        vma_status=evidence["observation"]["status"],
        reason=entry.data["reason"],
    )
