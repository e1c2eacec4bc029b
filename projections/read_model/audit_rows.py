"""How each event becomes a row of the audit trail: as it is, with what people filter by in columns of their own."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select

from domain.events import SERVICE, Event, JobAdmitted, JobReleased, RecoveryDecided
from domain.vm_context import VMContext
from projections.read_model import schema

Entry = tuple[int, Event]
"""An event and its position in the log."""

CARRIED = ("originator_id", "originator_version", "recorded_at", "correlation_id", "causation_id", "actor")
"""What every event has, and is in columns."""


class Moment(msgspec.Struct, frozen=True):
    """What an event made of its job."""

    state: str
    vm_context_id: str


def write_down(connection: Connection, entries: Sequence[Entry], moments: dict[int, Moment]) -> None:
    """Add a batch to the audit trail."""
    table = schema.audit_trail
    last = connection.scalar(select(table.c.logged_at).order_by(table.c.position.desc()).limit(1))
    rows = []
    for position, event in entries:
        row = audit_row(position, event, moments.get(position))
        # Wall clocks are set back, and commands that run side by side finish in another order than they began.
        last = row["logged_at"] = max(row["recorded_at"], last) if last else row["recorded_at"]
        rows.append(row)
    if rows:
        connection.execute(insert(table), rows)


def audit_row(position: int, event: Event, moment: Moment | None) -> dict[str, Any]:
    """Return one event as a row, without the time that depends on those before it."""
    fields = msgspec.to_builtins(event)
    for carried in CARRIED:
        del fields[carried]
    decided = event if isinstance(event, RecoveryDecided) else None
    return {
        "position": position,
        "stream_id": event.originator_id,
        "version": event.originator_version,
        "type": event.topic,
        "recorded_at": naive(event.recorded_at),
        "correlation_id": event.correlation_id,
        "causation_id": event.causation_id,
        **_subject(event, moment),
        "run_id": fields.get("run_id") or (event.originator_id if event.topic.startswith("RecoveryRun") else None),
        "rule": decided.rule.value if decided else None,
        "basis": decided.basis.value if decided and decided.basis else None,
        "outcome": fields.get("outcome"),
        "actor": event.actor if event.actor != SERVICE else None,
        "state": moment.state if moment else None,
        "data": msgspec.json.encode(fields).decode(),
    }


def _subject(event: Event, moment: Moment | None) -> dict[str, str | None]:
    """Say which job and which VM context an event is about."""
    if isinstance(event, JobAdmitted | JobReleased):
        return {"job_id": event.job_id, "vm_context_id": VMContext(id=event.originator_id).vm_context_id}
    if moment is not None:
        return {"job_id": event.originator_id, "vm_context_id": moment.vm_context_id}
    return {"job_id": None, "vm_context_id": None}


def naive(moment: datetime | None) -> datetime | None:
    """Return a UTC time as databases without time zones keep it."""
    return moment.replace(tzinfo=None) if moment else None
