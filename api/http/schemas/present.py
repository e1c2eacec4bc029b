"""The shapes of the HTTP API: what is sent, what is answered. Times are UTC, progress is percent."""

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StringConstraints,
    field_validator,
)

from adapters.identifiers import MAX_LENGTH, PATTERN, is_valid_id
from adapters.plain_text import contains_token, redacted
from adapters.vma.disks import MAX_DISKS
from domain.events import RESERVED_ACTORS
from domain.vma_status import export_name
from projections.queries.hindsight import Hindsight

T = TypeVar("T")


def _no_token(text: str) -> str:
    if contains_token(text):
        raise ValueError("this holds a token, which would be kept for ever: revoke it, and take another name")
    return text


def _a_person(text: str) -> str:
    if text.casefold() in RESERVED_ACTORS:
        raise ValueError("this name is reserved: the audit trail uses it for the service itself")
    return text


def _id(text: str) -> str:
    if not is_valid_id(text):
        raise ValueError("an id is made of printable characters without `/`, has no blank at its ends, and is no `.`")
    return _no_token(text)


def _id_of(most: int) -> Any:  # noqa: ANN401 - what a type is annotated with
    """Return the constraints of an id of at most so many characters."""
    return Field(min_length=1, max_length=most, json_schema_extra={"pattern": PATTERN})


Identifier = Annotated[str, _id_of(MAX_LENGTH), AfterValidator(_id)]
VolumeId = Annotated[str, _id_of(MAX_LENGTH - len(export_name(""))), AfterValidator(_id)]
"""The VMA is asked for it by the name of its export, which is an id itself."""
Prose = AfterValidator(redacted)
"""Text of others that is kept: without secrets that somebody pasted into it."""
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=r"\S"), Prose]

MAX_INT = 2**53
"""The largest whole number: above it JSON's readers disagree. As bytes, nine petabytes."""


Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False, strict=True)]
"""A truth value or a text is no number."""


class Page(BaseModel, Generic[T]):
    """One page of a list. `next_cursor` continues it, and is null on the last page."""

    items: list[T]
    next_cursor: str | None = None


class Problem(BaseModel):
    """What went wrong, as RFC 9457 problem details."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str


class NewJob(BaseModel):
    """A replication job to put under watch."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "job_id": "job-20251003-140000-abc123",
                    "vm_name": "pgtest1",
                    "vm_context_id": "ctx-pgtest1",
                    "volume_ids": ["5f0c6a1e-2f2b-4a5e-9a55-0c6d7d1f3b11"],
                    "progress_percent": 0,
                }
            ]
        },
    )

    job_id: Identifier
    vm_name: Text
    vm_context_id: Identifier | None = Field(
        default=None,
        description="The VM this job is of. Without one, the job has a context of its own.",
    )
    volume_ids: Annotated[
        tuple[VolumeId, ...], Field(min_length=1, max_length=MAX_DISKS, json_schema_extra={"uniqueItems": True})
    ]
    progress_percent: Percent | None = Field(
        default=None, description="The last known progress; only the VMA can have reported it."
    )
    vma: Identifier | None = Field(default=None, description="Name of the VMA, as in the settings.")

    @field_validator("volume_ids")
    @classmethod
    def _are_distinct(cls, volume_ids: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(volume_ids)) != len(volume_ids):
            raise ValueError("a volume is named twice")
        return volume_ids


class OperatorOrder(BaseModel):
    """An operator's decision on a job that is open or was inferred; who and why become part of the audit trail."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"outcome": "fail", "who": "mara", "why": "VM was deleted at the source"}]},
    )

    outcome: Literal["complete", "fail"]
    who: Annotated[Text, AfterValidator(_a_person)]
    why: Text


class NewRun(BaseModel):
    """A recovery run over all open jobs; a dry run decides, but records and changes nothing."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"dry_run": True}]})

    dry_run: StrictBool = False


class DecisionView(BaseModel):
    """The last decision about a job. `basis` is `inferred` where silence was interpreted: a guess."""

    rule: str
    outcome: str
    basis: str | None
    reason: str
    decided_at: datetime
    run_id: str | None = None
    policy_hash: str | None = None
    attempt: int = 0
    retry_in: float | None = None
    who: str | None = None


class DiskView(BaseModel):
    """One disk, as its own export last reported it."""

    volume_id: str
    status: str | None = None
    phase: str | None = None
    progress_percent: float | None = None
    bytes_transferred: int | None = None
    total_bytes: int | None = None


class LiveView(BaseModel):
    """What the poller knows since the last event; in memory only."""

    polled_at: datetime | None
    polls: int
    misses: int
    moved_at: datetime
    progress_percent: float | None = None
    phase: str | None = None
    bytes_transferred: int | None = None
    vma_status: str | None = None


class RecoveryView(BaseModel):
    """How the job last went through recovery. `method` is why it was recovered."""

    attempted: bool
    at: datetime | None
    method: str | None
    last_validated: datetime | None = Field(description="The VMA's last conclusive word.")
    polling_restarted_at: datetime | None


class JobView(BaseModel):
    """A job, as it is or as it was; `hindsight` if it was asked for what is known of that moment."""

    job_id: str
    state: str
    vm_name: str
    vm_context_id: str
    vma: str
    volume_ids: list[str]
    progress_percent: float
    phase: str | None
    bytes_transferred: int | None
    total_bytes: int | None
    disks: list[DiskView]
    vma_status: str | None
    error: str | None
    registered_at: datetime | None
    last_contact: datetime | None = Field(description="The VMA's last conclusive word about the job.")
    last_observed_at: datetime | None
    stalled: bool
    stalled_since: datetime | None
    basis: str | None = Field(description="Whether the outcome was observed or inferred.")
    ended_at: datetime | None
    needs_attention: bool
    attention: list[str]
    decision: DecisionView | None
    run_id: str | None
    recovery: RecoveryView
    retry_in: float | None = Field(default=None, description="Seconds until the next retry.")
    version: int
    live: LiveView | None = None
    as_of: datetime | None = Field(default=None, description="The moment asked for; null for the present.")
    hindsight: Hindsight | None = None


class VMContextView(BaseModel):
    """A VM, and the one job that is active for it."""

    vm_context_id: str
    vm_name: str
    active_job: str | None
    last_job: str | None
    jobs: int


class RunView(BaseModel):
    """One pass of recovery. Durations in seconds; `policy` is what it decided by."""

    run_id: str
    status: str
    dry_run: bool = False
    cause: str | None
    instance: str | None = None
    policy: dict[str, Any] | None = None
    policy_hash: str | None = None
    jobs: int
    settled: int
    started_at: datetime | None = None
    ended_at: datetime | None = None
    outcomes: dict[str, int] = Field(default_factory=dict)
    rules: dict[str, int] = Field(default_factory=dict)
    resumed: int = 0
    polled_again: int = 0
    left_replicating: int = 0
    settled_elsewhere: int = 0
    decided_in: float | None = None
    verified_in: float | None = None


class RunDecisionView(BaseModel):
    """What a run made of one job."""

    job_id: str
    state_before: str
    vma_status: str
    outcome: str
    rule: str
    basis: str | None
    reason: str
