"""The rows of the audit trail: each event as JSON, with columns for filters."""

from collections.abc import Sequence
from datetime import datetime
from itertools import accumulate
from typing import Any

import msgspec
from sqlalchemy import Connection, select, update

from domain.events import (
    SERVICE,
    Event,
    JobAdmitted,
    JobReleased,
    OperatorDecided,
    OutcomeConfirmed,
    OutcomeContradicted,
    OutcomeRevised,
    RecoveryDecided,
)
from domain.last_decision import decision_after
from domain.lifecycle import JobState
from domain.recovery_policy import Basis
from domain.transitions import OUTCOME_BEFORE
from domain.vm_context import VMContext
from projections.read_model import schema
from projections.read_model.bulk import insert_all

Entry = tuple[int, Event]
"""An event and its position in the log."""

COLUMNS = ("originator_id", "originator_version", "recorded_at", "correlation_id", "causation_id", "actor")
"""The fields of every event. They are in columns, and not in the JSON."""


class JobAfterEvent(msgspec.Struct, frozen=True):
    """The state and the VM context of a job right after an event."""

    state: str
    vm_context_id: str


def insert_rows(connection: Connection, entries: Sequence[Entry], jobs: dict[int, JobAfterEvent]) -> None:
    """Add a batch to the audit trail, which ends before it."""
    if not entries:
        return
    table = schema.audit_trail
    rows = [audit_row(position, event, jobs.get(position)) for position, event in entries]
    times = [row["recorded_at"] for row in rows]
    before = connection.scalar(select(table.c.latest_until).order_by(table.c.position.desc()).limit(1))
    latest = accumulate([max(times[0], before or times[0]), *times[1:]], max)
    earliest = list(accumulate(reversed(times), min))[::-1]
    for row, until, onwards in zip(rows, latest, earliest, strict=True):
        row.update(latest_until=until, earliest_from=onwards)
    # Clocks step back, and concurrent commands finish in another order than they began: then earlier rows change.
    later = table.c.earliest_from > earliest[0]
    connection.execute(update(table).where(later).values(earliest_from=earliest[0]))
    insert_all(connection, table, rows)


def audit_row(position: int, event: Event, job: JobAfterEvent | None) -> dict[str, Any]:
    """Return one event as a row, without the two columns that depend on other events."""
    fields = msgspec.to_builtins(event)
    for name in COLUMNS:
        del fields[name]
    return {
        "position": position,
        "stream_id": event.originator_id,
        "version": event.originator_version,
        "type": event.topic,
        "recorded_at": naive(event.recorded_at),
        "correlation_id": event.correlation_id,
        "causation_id": event.causation_id,
        **_subject(event, job),
        "run_id": fields.get("run_id") or (event.originator_id if event.topic.startswith("RecoveryRun") else None),
        **_decision(event, job),
        "actor": event.actor if event.actor != SERVICE else None,
        "state": job.state if job else None,
        "data": msgspec.json.encode(fields).decode(),
    }


def _decision(event: Event, job: JobAfterEvent | None) -> dict[str, str | None]:
    """Return rule, basis and outcome of a decision; of a verdict on an outcome, the basis and outcome after it."""
    match event:
        case RecoveryDecided() | OutcomeRevised() | OperatorDecided():
            made = decision_after(event, None)
            return {"rule": made.rule, "basis": made.basis, "outcome": made.outcome}
        case OutcomeConfirmed() | OutcomeContradicted() if job is not None:
            basis = Basis.OBSERVED if isinstance(event, OutcomeConfirmed) else Basis.INFERRED
            return {"rule": None, "basis": basis.value, "outcome": OUTCOME_BEFORE[JobState(job.state)].value}
        case _:
            return {"rule": None, "basis": None, "outcome": None}


def _subject(event: Event, job: JobAfterEvent | None) -> dict[str, str | None]:
    """Return the job and the VM context of an event."""
    if isinstance(event, JobAdmitted | JobReleased):
        return {"job_id": event.job_id, "vm_context_id": VMContext(id=event.originator_id).vm_context_id}
    if job is not None:
        return {"job_id": event.originator_id, "vm_context_id": job.vm_context_id}
    return {"job_id": None, "vm_context_id": None}


def naive(time: datetime | None) -> datetime | None:
    """Return a UTC time without its zone, for databases without time zones."""
    return time.replace(tzinfo=None) if time else None
