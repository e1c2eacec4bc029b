"""Attention: why an operator should look at a job; each reason names the cause and the remedy."""

import shlex

from domain.job_state import JobFields


def attention(job: JobFields) -> list[str]:
    """Return the reasons; empty if the job needs no attention."""
    reasons = []
    if job.stalled_since is not None:
        reasons.append("stalled: the VMA reports running, but nothing has moved. Look at the worker on the VMA")
    if job.contradicted:
        contradicted = "contradicted: the VMA reports otherwise, but the VM or a disk has a newer job"
        reasons.append(f"{contradicted}. Decide it: {_by_hand(job.id)}")
    if job.is_guess:
        reasons.append(f"guess: the outcome was inferred. Check the VM, then confirm or correct it: {_by_hand(job.id)}")
    if job.is_open and job.decision is not None and job.decision.needs_attention:
        # A retry by the same rule is not recorded: the figures in the reason are of then.
        then = job.decision.decided_at.strftime("%Y-%m-%d %H:%M:%S UTC")
        reasons.append(f"{job.decision.rule}: {job.decision.reason} (as of {then})")
    return reasons


def _by_hand(job_id: str) -> str:
    """Return the command that decides the job, which a shell reads as it is printed."""
    name = shlex.quote(job_id)
    # After `--` the command line reads no options, so they come before it.
    line = f'--why "…" -- {name} fail' if job_id.startswith("-") else f'{name} fail --why "…"'
    return f"`job-recovery decide {line}`, or `complete`"
