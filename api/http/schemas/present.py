"""Schemas of the HTTP API. Times are in UTC, progress is in percent, durations are in seconds."""

from dataclasses import dataclass
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
        raise ValueError("contains a token, which would be stored forever: revoke the token, and send another text")
    return text


def without_nul(text: str) -> str:
    """Return a text that every database can store and compare.

    Raises:
        ValueError: it has a NUL character.

    """
    if "\0" in text:
        raise ValueError("must not contain a NUL character")
    return text


def _not_reserved(text: str) -> str:
    if text.casefold() in RESERVED_ACTORS:
        raise ValueError("this name is reserved for the service itself: use another one")
    return text


def _id(text: str) -> str:
    if not is_valid_id(text):
        raise ValueError("an id has printable characters only, no `/`, no blank at its ends, and is not `.` or `..`")
    return _no_token(text)


def _id_field(max_length: int) -> Any:  # noqa: ANN401 - the type of pydantic's own Field
    """Return the constraints of an id."""
    return Field(min_length=1, max_length=max_length, json_schema_extra={"pattern": PATTERN})


Identifier = Annotated[str, _id_field(MAX_LENGTH), AfterValidator(_id)]
VolumeId = Annotated[str, _id_field(MAX_LENGTH - len(export_name(""))), AfterValidator(_id)]
"""Short enough that the name of its export is an id, too."""
OWN_CONTEXT = "ctx-"
"""The beginning of the VM context that a job gets if it names none; the job's id follows."""
NewJobId = Annotated[str, _id_field(MAX_LENGTH - len(OWN_CONTEXT)), AfterValidator(_id)]
"""Short enough that its own VM context has an id, too."""
Prose = AfterValidator(redacted)
"""Redacts secrets in a text before it is stored."""
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=r"\S"), Prose]

MAX_INT = 2**53
"""The largest integer that every JSON reader represents exactly. As bytes, nine petabytes."""

Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False, strict=True)]
"""Strict: refuses booleans and strings."""


@dataclass(kw_only=True, slots=True)
class AsOf:
    """The moment of an answer of the past: the state after the event at `position`, which is the exact form."""

    position: Annotated[int, Field(description="0: before the first event.")]
    time: Annotated[
        datetime | None,
        Field(
            description="The time `at`, to its last microsecond. "
            "Without `at`, when the event at `position` was recorded."
        ),
    ]
    is_future: Annotated[
        bool,
        Field(
            description="The moment is still to come: the answer is of now, and can change. "
            "All pages of a list say what its first one says."
        ),
    ]


class Page(BaseModel, Generic[T]):
    """One page of a list. `next_cursor` continues it, and is null on the last page."""

    items: list[T]
    next_cursor: str | None = None


class Problem(BaseModel):
    """An error, as RFC 9457 problem details."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str


class NewJob(BaseModel):
    """A replication job to register."""

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

    job_id: NewJobId
    vm_name: Text
    vm_context_id: Identifier | None = Field(
        default=None,
        description="The VM of the job. If omitted, the job gets a context of its own.",
    )
    volume_ids: Annotated[
        tuple[VolumeId, ...], Field(min_length=1, max_length=MAX_DISKS, json_schema_extra={"uniqueItems": True})
    ]
    progress_percent: Percent | None = Field(default=None, description="The last progress that the VMA reported.")
    vma: Identifier | None = Field(default=None, description="Name of the VMA in the settings; `default` if omitted.")

    @field_validator("volume_ids")
    @classmethod
    def _are_distinct(cls, volume_ids: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(volume_ids)) != len(volume_ids):
            raise ValueError("a volume is listed twice")
        return volume_ids


class OperatorOrder(BaseModel):
    """An operator's decision on a job. The audit trail records `who` and `why`."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"outcome": "fail", "who": "mara", "why": "VM was deleted at the source"}]},
    )

    outcome: Literal["complete", "fail"]
    who: Annotated[
        Text,
        Field(json_schema_extra={"pattern": r"^[^\u0000]*[^\s\u0000][^\u0000]*$"}),
        AfterValidator(without_nul),
        AfterValidator(_not_reserved),
    ]
    why: Text


class NewRun(BaseModel):
    """A recovery run over all open jobs. A dry run decides, but records and changes nothing."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"dry_run": True}]})

    dry_run: StrictBool = False


@dataclass(kw_only=True, slots=True)
class DecisionView:
    """The last decision on a job. A decision with the basis `inferred` can be revised."""

    rule: str
    outcome: str
    basis: str | None
    reason: str
    decided_at: datetime
    run_id: str | None = None
    policy_hash: str | None = None
    attempt: int = 0
    who: str | None = None


@dataclass(kw_only=True, slots=True)
class EndedView:
    """How a job ended: by a rule, by an operator (`who`) or, without both, by what the VMA or a worker reported."""

    outcome: str
    basis: Annotated[
        str | None,
        Field(
            description="How the outcome is known now: `observed` or `inferred`; null for an operator's decision. "
            "After the VMA or the worker has confirmed an inferred one it is `observed`, and `rule` and `why` remain."
        ),
    ]
    rule: str | None
    who: str | None
    why: str
    at: Annotated[datetime, Field(description="The time of the event that ended it.")]
    version: Annotated[int, Field(description="The job's version with the event that ended it.")]
    position: Annotated[
        int | None, Field(description="Its position in the log; null until the read model has applied it.")
    ] = None


@dataclass(kw_only=True, slots=True)
class DiskView:
    """One disk, as last reported by its export."""

    volume_id: str
    status: str | None = None
    phase: str | None = None
    progress_percent: float | None = None
    bytes_transferred: int | None = None
    total_bytes: int | None = None


@dataclass(kw_only=True, slots=True)
class LiveView:
    """A job's live state in the poller, which is in memory only."""

    polled_at: datetime | None
    polls: int
    misses: int
    moved_at: datetime
    progress_percent: float | None = None
    phase: str | None = None
    bytes_transferred: int | None = None
    bytes_per_second: Annotated[
        int | None, Field(description="The mean of the last one to two minutes of polls; null before the second poll.")
    ] = None
    estimated_seconds_left: Annotated[
        int | None,
        Field(
            description="An estimate: what is left by the mean growth of the percentage in the same time; null without."
        ),
    ] = None
    vma_status: str | None = None


@dataclass(kw_only=True, slots=True)
class RecoveryView:
    """The job's last recovery. `method` is its cause."""

    attempted: bool
    at: datetime | None
    method: str | None
    last_validated: Annotated[datetime | None, Field(description="Time of the last conclusive observation.")]
    polling_restarted_at: datetime | None


@dataclass(kw_only=True, slots=True)
class JobView:
    """A job, present or past. `as_known` and `hindsight` are set if the parameter `as_known` was given."""

    job_id: str
    state: str
    vm_name: str
    vm_context_id: str
    vma: str
    volume_ids: tuple[str, ...]
    progress_percent: float
    phase: str | None
    bytes_transferred: int | None
    total_bytes: int | None
    disks: list[DiskView]
    vma_status: str | None
    error: str | None
    registered_at: datetime | None
    last_contact: Annotated[datetime | None, Field(description="Time of the last conclusive observation.")]
    last_observed_at: datetime | None
    stalled: bool
    stalled_since: datetime | None
    basis: Annotated[str | None, Field(description="`observed` or `inferred`; null without an outcome.")]
    ended_at: datetime | None
    ended: Annotated[EndedView | None, Field(description="null while the job is open")]
    needs_attention: bool
    attention: list[str]
    decision: DecisionView | None
    run_id: str | None
    recovery: RecoveryView
    retry_in: Annotated[
        float | None, Field(description="Seconds until the next retry, while the job waits by its decision.")
    ] = None
    version: int
    live: Annotated[LiveView | None, Field(description="null unless the poller asks about the job now.")] = None
    as_of: Annotated[AsOf | None, Field(description="Null for the present.")] = None
    as_known: Annotated[AsOf | None, Field(description="Up to what `hindsight` knows; null without it.")] = None
    hindsight: Hindsight | None = None


@dataclass(kw_only=True, slots=True)
class JobPage:
    """One page of jobs. All pages of a list of the past are of the moment of its first page."""

    items: list[JobView]
    next_cursor: str | None = None
    as_of: Annotated[AsOf | None, Field(description="Null for the present.")] = None


class VMContextView(BaseModel):
    """A VM and its active job. `jobs` counts its jobs."""

    model_config = ConfigDict(from_attributes=True)

    vm_context_id: str
    vm_name: str
    active_job: str | None
    last_job: str | None
    jobs: int


@dataclass(kw_only=True, slots=True)
class RunView:
    """A recovery run, with the policy that it used. `outcomes` and `rules` count its decisions so far."""

    run_id: str
    status: str
    dry_run: bool
    cause: str | None
    instance: str
    policy: dict[str, Any] | None
    policy_hash: str
    jobs: int
    settled: Annotated[int, Field(description="Jobs that are decided, or were settled elsewhere.")]
    started_at: datetime | None
    ended_at: Annotated[datetime | None, Field(description="null while it runs")]
    outcomes: dict[str, int]
    rules: dict[str, int]
    resumed: int
    polled_again: Annotated[int | None, Field(description="Resumed jobs that were polled; null unless it is finished.")]
    left_replicating: Annotated[int | None, Field(description="The other resumed jobs; null unless it is finished.")]
    settled_elsewhere: Annotated[
        int | None,
        Field(description="Jobs that had ended before; null for an interrupted run, which could not store it."),
    ]
    decided_in: Annotated[float | None, Field(description="Seconds until every job was decided; null before.")]
    verified_in: Annotated[
        float | None, Field(description="Seconds until polling was verified; null before, and for a dry run.")
    ]


@dataclass(kw_only=True, slots=True)
class RunDecisionView:
    """A run's decision on one job."""

    job_id: str
    state_before: str
    vma_status: str
    outcome: str
    rule: str
    basis: str | None
    reason: str
