"""Schemas of the past: causation chains, diffs, replays. They contain what the projections return."""

from typing import Any

from pydantic import BaseModel, Field

from api.http.schemas.present import AsOf, RunView
from projections.queries.audit_entry import AuditEntry
from projections.replay.results import Change, JobReplay, Phases, RuleChange


class ChainView(BaseModel):
    """An event and its causation chain, back to its origin."""

    items: list[AuditEntry]
    origin: str = Field(
        description="The `actor` of the last item: an operator, a token, or `local` for a caller without a token. "
        "For what the service did by itself, its process, which the item's `causation_id` names."
    )


class SealView(BaseModel):
    """The log's last seal. A copy stored elsewhere proves later that no earlier event was changed."""

    position: int
    hash: str


class FieldChange(BaseModel):
    """One field of a job that changed."""

    field: str
    before: Any
    after: Any


class DiffView(BaseModel):
    """The changes of a job between two moments, and the events that made them."""

    job_id: str
    from_version: int
    from_as_of: AsOf
    to_version: int
    to_as_of: AsOf
    changes: list[FieldChange]
    events: list[AuditEntry]


class ReplayView(BaseModel):
    """A replayed run. `different` lists the jobs whose decision differs from the recorded one: the code has changed.

    `what_if` lists the jobs that the other policy would decide otherwise; null without another policy.
    """

    run: RunView
    decisions: int
    identical: int
    different: list[Change]
    what_if: list[Change] | None = None
    items: list[JobReplay]
    next_cursor: str | None = None


class WhatIfView(BaseModel):
    """The decisions of all runs of a period that another policy changes. Nothing was written."""

    policy: dict[str, float]
    runs: int
    decisions: int
    changes: list[Change]


class CompareView(BaseModel):
    """A comparison of two runs."""

    a: RunView
    b: RunView
    phases_a: Phases
    phases_b: Phases
    rules_a: dict[str, int]
    rules_b: dict[str, int]
    jobs: list[RuleChange]
