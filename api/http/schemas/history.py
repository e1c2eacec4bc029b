"""The shapes of what is asked about the past, around those that the projections return."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from api.http.schemas.present import RunView
from projections.queries.audit_entry import AuditEntry
from projections.replay.results import Change, JobReplay, Phases, RuleChange


class ChainView(BaseModel):
    """An event, and what led to it, back to its origin: the process, request or operator that began it."""

    items: list[AuditEntry]
    origin: str


class SealView(BaseModel):
    """The log's last seal. Noted elsewhere, it proves later that nothing before it was changed."""

    position: int
    hash: str


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


class ReplayView(BaseModel):
    """A run, replayed. `different` names every job whose decision does not come out as recorded: the code changed.

    `what_if` names the jobs that another policy would decide otherwise; null if none was asked about.
    """

    run: RunView
    decisions: int
    identical: int
    different: list[Change]
    what_if: list[Change] | None = None
    items: list[JobReplay]
    next_cursor: str | None = None


class WhatIfView(BaseModel):
    """The jobs that another policy would have decided otherwise, over all runs of a period. Nothing was written."""

    policy: dict[str, float]
    runs: int
    decisions: int
    changes: list[Change]


class CompareView(BaseModel):
    """Two runs side by side."""

    a: RunView
    b: RunView
    phases_a: Phases
    phases_b: Phases
    rules_a: dict[str, int]
    rules_b: dict[str, int]
    jobs: list[RuleChange]
