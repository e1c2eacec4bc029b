"""Attention: why a person should look at a job, in words that name the cause and what to do."""

from domain.job_state import JobFields

BY_HAND = "`job-recovery decide JOB complete|fail --why ...`"


def attention(job: JobFields) -> list[str]:
    """Return the reasons; empty if nobody need look."""
    reasons = []
    if job.stalled_since is not None:
        reasons.append("stalled: the VMA calls it running, but nothing moves. Look at its worker on the VMA")
    if job.contradicted:
        reasons.append(
            f"contradicted: the VMA says otherwise, and the VM or a disk of it has a newer job. Decide it: {BY_HAND}"
        )
    if job.is_guess:
        reasons.append(f"guess: the outcome was inferred. Check the VM, then confirm or correct it: {BY_HAND}")
    if job.is_open and job.decision is not None and job.decision.needs_attention:
        reasons.append(f"{job.decision.rule}: {job.decision.reason}")
    return reasons
