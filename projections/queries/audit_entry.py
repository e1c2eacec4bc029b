"""An entry of the audit trail, and the filter of a list of entries."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from domain.events import EVENTS, Event


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditEntry:
    """One event. `state` is the job's state after it; `data` has the fields of its type.

    `rule`, `basis` and `outcome` are those of the decision that it is. A confirmation or contradiction of an outcome
    has the basis and the outcome that the job has after it.
    """

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
    """The filter of a list of events: an event must have one of the values of each field that has values.

    `since` and `until` are inclusive, by `recorded_at`.
    """

    job_id: tuple[str, ...] = ()
    stream_id: tuple[str, ...] = ()
    run_id: tuple[str, ...] = ()
    correlation_id: tuple[str, ...] = ()
    causation_id: tuple[str, ...] = ()
    vm_context_id: tuple[str, ...] = ()
    rule: tuple[str, ...] = ()
    actor: tuple[str, ...] = ()
    outcome: tuple[str, ...] = ()
    basis: tuple[str, ...] = ()
    type: tuple[str, ...] = ()
    state: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
