"""The shapes of what is asked about the past. Times are UTC, durations in seconds unless they are called `_ms`."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api.http.schemas.present import JobView, RunView


class _Shown(BaseModel):
    """Made from what the projections return, field by field."""

    model_config = ConfigDict(from_attributes=True)


class AuditView(_Shown):
    """One event. `state` is the job's state after it; `data` holds what is particular to its type."""

    position: int = Field(description="Place in the log; grows with every event, and is the cursor's order.")
    type: str
    recorded_at: datetime
    stream_id: str
    version: int
    job_id: str | None
    vm_context_id: str | None
    run_id: str | None
    rule: str | None
    basis: str | None
    outcome: str | None
    actor: str = Field(description="Who asked for it; `job-recovery` for what the service does by itself.")
    state: str | None
    correlation_id: str
    causation_id: str
    data: dict[str, Any]


class ChainView(BaseModel):
    """An event, and what led to it, back to its origin: the process, request or operator that began it."""

    items: list[AuditView]
    origin: str


class SealView(_Shown):
    """The log's last seal. Noted elsewhere, it proves later that nothing before it was changed."""

    position: int
    hash: str


class WordView(_Shown):
    """One conclusive word about a job."""

    said: str
    at: datetime
    event: str
    by: str


class HindsightView(_Shown):
    """What was believed at the moment, and what is known to have been so. Uncertain where the words leave it open."""

    believed: str
    known: str = Field(description="running, completed, failed, unknown, or two of them joined by `or`")
    certain: bool
    differs: bool
    because: str
    before: WordView | None
    after: WordView | None


class JobThenView(JobView):
    """A job, as it is or as it was; `hindsight` if it was asked for what is known of that moment."""

    as_of: datetime | None = Field(default=None, description="The moment asked for; null for the present.")
    hindsight: HindsightView | None = None


class FieldChange(BaseModel):
    """One field of a job that changed."""

    field: str
    before: Any
    after: Any


class DiffEvent(BaseModel):
    """One event between two versions."""

    version: int
    type: str
    recorded_at: datetime


class DiffView(BaseModel):
    """What became of a job between two versions, and by which events."""

    job_id: str
    from_version: int
    to_version: int
    changes: list[FieldChange]
    events: list[DiffEvent]


class RulingView(_Shown):
    """A decision. Without an outcome: the job would be asked for again."""

    outcome: str | None
    rule: str | None
    basis: str | None
    reason: str


class AnsweredView(_Shown):
    """What one id answered."""

    asked_id: str
    status: str
    http_status: int | None
    latency_ms: float
    detail: str | None


class ProbeView(_Shown):
    """One probe of a job, so many seconds after the run began."""

    after: float
    status: str
    took_ms: float
    progress_percent: float | None
    answers: list[AnsweredView]


class JobReplayView(_Shown):
    """One job's way through a run. `identical`: the decision, made again from its evidence, is the recorded one."""

    job_id: str
    state_before: str
    cause: str
    probes: list[ProbeView]
    decided_after: float | None
    recorded: RulingView | None
    recomputed: RulingView | None
    identical: bool | None
    state_after: str | None
    policy_hash: str | None


class ChangeView(_Shown):
    """A job whose decision would be another one."""

    job_id: str
    run_id: str
    was: RulingView
    would_be: RulingView


class ReplayView(BaseModel):
    """A run, replayed. `different` names every job whose decision does not come out as recorded: the code changed.

    `what_if` names the jobs that another policy would decide otherwise; null if none was asked about.
    """

    run: RunView
    decisions: int
    identical: int
    different: list[ChangeView]
    what_if: list[ChangeView] | None = None
    items: list[JobReplayView]
    next_cursor: str | None = None


class WhatIfView(BaseModel):
    """The jobs that another policy would have decided otherwise, over all runs of a period. Nothing was written."""

    policy: dict[str, float]
    runs: int
    decisions: int
    changes: list[ChangeView]


class PhasesView(BaseModel):
    """Seconds from the start of a run: every job asked for, every job decided, every resumed job polled again."""

    first_round: float | None
    decided: float | None
    proven: float | None


class RuleChange(BaseModel):
    """A job that two runs decided by other rules; null where a run did not decide it."""

    job_id: str
    a: str | None
    b: str | None


class CompareView(BaseModel):
    """Two runs side by side."""

    a: RunView
    b: RunView
    phases_a: PhasesView
    phases_b: PhasesView
    rules_a: dict[str, int]
    rules_b: dict[str, int]
    jobs: list[RuleChange]
