"""An entry of the audit trail, and the filter of a list of entries."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from domain.events import EVENTS, Event


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditEntry:
    """One event. `state` is the job's state after it; `data` has the fields of its type."""

    position: int = field(
        metadata={"description": "Place in the log; grows with every event, and is the cursor's order."}
    )
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
    actor: str = field(
        metadata={"description": "Who asked for it; `job-recovery` for what the service does by itself."}
    )
    state: str | None
    correlation_id: str
    causation_id: str
    data: dict[str, Any]

    def event(self) -> Event:
        """Return the event of the log."""
        return msgspec.convert(
            {
                **self.data,
                "originator_id": self.stream_id,
                "originator_version": self.version,
                "recorded_at": self.recorded_at,
                "correlation_id": self.correlation_id,
                "causation_id": self.causation_id,
                "actor": self.actor,
            },
            EVENTS[self.type],
        )


@dataclass(frozen=True, kw_only=True)
class AuditFilter:
    """The filter of a list of events; None does not filter. `since` and `until` are inclusive, by `recorded_at`."""

    job_id: str | None = None
    vm_context_id: str | None = None
    run_id: str | None = None
    type: str | None = None
    rule: str | None = None
    basis: str | None = None
    outcome: str | None = None
    actor: str | None = None
    since: datetime | None = None
    until: datetime | None = None
