"""Attention: why an operator should look at a job; each reason names the cause and the remedy."""

from domain.job_state import JobFields

BY_HAND = "`job-recovery decide JOB complete|fail --why ...`"


def attention(job: JobFields) -> list[str]:
    """Return the reasons; empty if the job needs no attention."""
    reasons = []
    if job.stalled_since is not None:
        reasons.append("stalled: the VMA reports running, but nothing has moved. Look at the worker on the VMA")
    if job.contradicted:
        reasons.append(
            f"contradicted: the VMA reports otherwise, but the VM or a disk has a newer job. Decide it: {BY_HAND}"
        )
    if job.is_guess:
        reasons.append(f"guess: the outcome was inferred. Check the VM, then confirm or correct it: {BY_HAND}")
    if job.is_open and job.decision is not None and job.decision.needs_attention:
        reasons.append(f"{job.decision.rule}: {job.decision.reason}")
    return reasons
