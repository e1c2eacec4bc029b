"""The filters of the audit trail, for every list of events."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import Depends, Query

from api.http.schemas.present import Identifier
from api.http.times import EndTime, UtcTime
from domain.events import EVENTS
from domain.recovery_policy import Basis, Outcome, Rule
from projections.queries.audit_entry import AuditFilter

if TYPE_CHECKING:
    EventType = str
else:
    EventType = Literal[tuple(EVENTS)]


@dataclass(frozen=True, kw_only=True)
class AuditQuery(AuditFilter):
    """The filters as query parameters."""

    job_id: Identifier | None = None
    vm_context_id: Identifier | None = None
    run_id: Identifier | None = None
    type: EventType | None = None
    rule: Rule | None = None
    basis: Basis | None = None
    outcome: Outcome | None = None
    actor: Annotated[str | None, Query(max_length=100)] = None
    since: Annotated[UtcTime | None, Query(alias="from", description="Recorded at this time or later.")] = None
    until: Annotated[EndTime | None, Query(alias="to", description="Recorded by it; a date is the whole day.")] = None


Wanted = Annotated[AuditQuery, Depends()]
