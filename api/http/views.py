"""How aggregates, live state and audit entries are shown: the one place where the domain meets the API's shapes."""

from datetime import UTC

import msgspec

from api.http.schemas.present import (
    DecisionView,
    DiskView,
    EventView,
    JobView,
    LiveView,
    RecoveryView,
    RunDecisionView,
    RunView,
    VMContextView,
)
from domain.attention import attention
from domain.processes.polling import LivePoll
from domain.processes.recovery import RunProgress
from domain.recovery_run import RecoveryRun
from domain.replication_job import ReplicationJob
from domain.vm_context import VMContext
from projections.queries.audit_trail import AuditEntry


def job_view(job: ReplicationJob, live: LivePoll | None, retry_in: float | None) -> JobView:
    """Show a job."""
    why = attention(job)
    decision = job.decision
    return JobView(
        job_id=job.id,
        state=job.state.value,
        vm_name=job.vm_name,
        vm_context_id=job.vm_context_id,
        vma=job.vma,
        volume_ids=list(job.volume_ids),
        progress_percent=round(job.progress_percent, 2),
        phase=job.phase,
        bytes_transferred=job.bytes_transferred,
        total_bytes=job.total_bytes,
        disks=[_disk_view(job, volume_id) for volume_id in job.volume_ids],
        vma_status=job.vma_status.value if job.vma_status else None,
        error=job.error,
        registered_at=job.registered_at,
        last_contact=job.last_contact_at,
        last_observed_at=job.last_observed_at,
        stalled=job.stalled_since is not None,
        stalled_since=job.stalled_since,
        basis=job.outcome_basis.value if job.outcome_basis else None,
        ended_at=job.ended_at,
        needs_attention=bool(why),
        attention=why,
        decision=DecisionView.model_validate(decision, from_attributes=True) if decision else None,
        run_id=job.run_id,
        recovery=RecoveryView(
            attempted=job.recovery_began_at is not None,
            at=job.recovery_began_at,
            method=job.cause.value if job.cause else None,
            last_validated=job.last_contact_at,
            polling_restarted_at=job.resumed_at,
        ),
        retry_in=retry_in,
        version=job.version,
        live=live_view(live) if live else None,
    )


def _disk_view(job: ReplicationJob, volume_id: str) -> DiskView:
    reading = job.disks.get(volume_id)
    if reading is None:
        return DiskView(volume_id=volume_id)
    return DiskView.model_validate(reading, from_attributes=True)


def live_view(live: LivePoll) -> LiveView:
    """Show what the poller knows of a job."""
    seen = live.observation
    return LiveView(
        polled_at=live.polled_at,
        polls=live.polls,
        misses=live.misses,
        moved_at=live.moved_at,
        progress_percent=seen.progress_percent if seen else None,
        phase=seen.phase if seen else None,
        bytes_transferred=seen.bytes_transferred if seen else None,
        vma_status=live.vma_status.value if live.vma_status else None,
    )


def event_view(entry: AuditEntry) -> EventView:
    """Show an event."""
    return EventView(
        version=entry.version,
        type=entry.type,
        recorded_at=entry.recorded_at.replace(tzinfo=UTC),
        correlation_id=entry.correlation_id,
        causation_id=entry.causation_id,
        data=entry.data,
    )


def context_view(context: VMContext) -> VMContextView:
    """Show a VM context."""
    return VMContextView(
        vm_context_id=context.vm_context_id,
        vm_name=context.vm_name,
        active_job=context.active_job,
        last_job=context.last_job,
        jobs=context.jobs,
    )


def run_view(run: RecoveryRun, live: RunProgress | None) -> RunView:
    """Show a recovery run, with its progress while it goes on."""
    return RunView(
        run_id=run.id,
        status=run.status,
        cause=run.cause.value if run.cause else None,
        instance=run.instance,
        policy={name: getattr(run.policy, name) for name in run.policy.__struct_fields__} if run.policy else None,
        policy_hash=run.policy_hash,
        jobs=run.jobs,
        settled=live.settled if live else sum(run.totals.outcomes.values()) + run.totals.settled_elsewhere,
        started_at=run.started_at,
        ended_at=run.ended_at,
        **msgspec.structs.asdict(run.totals),
    )


def live_run_view(live: RunProgress) -> RunView:
    """Show a run that is only in memory: a dry run, or one that has just begun."""
    return RunView(
        run_id=live.run_id,
        status=live.status,
        dry_run=live.dry_run,
        cause=live.cause.value,
        jobs=live.jobs,
        settled=live.settled,
    )


def live_decision_views(live: RunProgress) -> list[RunDecisionView]:
    """Show what a dry run would decide."""
    return [RunDecisionView(**msgspec.structs.asdict(made)) for made in live.decisions]


def decision_view(entry: AuditEntry) -> RunDecisionView:
    """Show a recorded decision."""
    evidence = entry.data["evidence"]
    return RunDecisionView(
        job_id=entry.stream_id,
        state_before=evidence["state_before"],
        vma_status=evidence["observation"]["status"],
        outcome=entry.data["outcome"],
        rule=entry.data["rule"],
        basis=entry.data["basis"],
        reason=entry.data["reason"],
    )
