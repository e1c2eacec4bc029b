"""The filters of the audit trail, for every list of events."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

from fastapi import Depends, Query
from pydantic import AfterValidator, Field, JsonValue

from api.http.schemas.present import Identifier, without_nul
from api.http.times import EndTime, UtcTime, check_period
from domain.events import EVENTS
from domain.last_decision import OPERATOR, REVISED
from domain.lifecycle import JobState
from domain.recovery_policy import Basis, Outcome, Rule
from projections.queries.audit_entry import AuditFilter

if TYPE_CHECKING:
    EventType = str
    DecidedBy = str
    State = str
else:
    EventType = Literal[tuple(EVENTS)]
    DecidedBy = Literal[(*(rule.value for rule in Rule), REVISED, OPERATOR)]
    State = Literal[tuple(state.value for state in JobState)]

T = TypeVar("T")

MAX_VALUES = 50
"""Maximum values of one filter, each of which costs a query of its own."""

Values = Annotated[tuple[T, ...], Query(max_length=MAX_VALUES)]
"""A parameter that may be repeated: any of its values."""

NO_NUL: dict[str, JsonValue] = {"pattern": r"^[^\u0000]*$"}

Reference = Annotated[str, Field(min_length=1, max_length=240, json_schema_extra=NO_NUL), AfterValidator(without_nul)]
"""A stream, a correlation or a causation: longer than the id of the job, run or VM context in it."""


@dataclass(frozen=True, kw_only=True)
class AuditQuery(AuditFilter):
    """The filters as query parameters."""

    job_id: Values[Identifier] = ()
    stream_id: Values[Reference] = ()
    run_id: Values[Identifier] = ()
    correlation_id: Values[Reference] = ()
    causation_id: Values[Reference] = ()
    vm_context_id: Values[Identifier] = ()
    rule: Values[DecidedBy] = ()
    actor: Values[
        Annotated[str, Field(min_length=1, max_length=100, json_schema_extra=NO_NUL), AfterValidator(without_nul)]
    ] = ()
    outcome: Values[Outcome] = ()
    basis: Values[Basis] = ()
    type: Values[EventType] = ()
    state: Values[State] = ()
    since: Annotated[UtcTime | None, Query(alias="from", description="Recorded at this time or later.")] = None
    until: Annotated[EndTime | None, Query(alias="to", description="Recorded by it; a date is the whole day.")] = None

    def __post_init__(self) -> None:
        """Check what no parameter shows by itself."""
        check_period(self.since, self.until)


Wanted = Annotated[AuditQuery, Depends()]
