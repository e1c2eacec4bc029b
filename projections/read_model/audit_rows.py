"""The rows of the audit trail: each event as JSON, with columns for filters."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from itertools import accumulate
from typing import NamedTuple

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
from projections.read_model.bulk import insert_columns

Entry = tuple[int, Event]
"""An event and its position in the log."""

COLUMNS = ("originator_id", "originator_version", "recorded_at", "correlation_id", "causation_id", "actor")
"""The fields of every event. They are in columns, and not in the JSON."""


class JobAfterEvent(msgspec.Struct, frozen=True):
    """The state and the VM context of a job right after an event."""

    state: str
    vm_context_id: str


class AuditRow(NamedTuple):
    """One event as a row, without the two columns that depend on other events."""

    position: int
    stream_id: str
    version: int
    type: str
    recorded_at: datetime
    correlation_id: str
    causation_id: str
    job_id: str | None
    vm_context_id: str | None
    run_id: str | None
    rule: str | None
    basis: str | None
    outcome: str | None
    actor: str | None
    state: str | None
    data: str


def insert_rows(connection: Connection, entries: Sequence[Entry], jobs: dict[int, JobAfterEvent]) -> None:
    """Add a batch to the audit trail, which ends before it."""
    if not entries:
        return
    table = schema.audit_trail
    rows = [audit_row(position, event, jobs.get(position)) for position, event in entries]
    times = [row.recorded_at for row in rows]
    before = connection.scalar(select(table.c.latest_until).order_by(table.c.position.desc()).limit(1))
    latest = list(accumulate([max(times[0], before or times[0]), *times[1:]], max))
    earliest = list(accumulate(reversed(times), min))[::-1]
    # Clocks step back, and concurrent commands finish in another order than they began: then earlier rows change.
    later = table.c.earliest_from > earliest[0]
    connection.execute(update(table).where(later).values(earliest_from=earliest[0]))
    columns = dict(zip(AuditRow._fields, zip(*rows, strict=True), strict=True))
    insert_columns(connection, table, {**columns, "latest_until": latest, "earliest_from": earliest})


def audit_row(position: int, event: Event, job: JobAfterEvent | None) -> AuditRow:
    """Return one event as a row."""
    job_id, vm_context_id = _subject(event, job)
    rule, basis, outcome = _decision(event, job)
    is_of_run = event.topic.startswith("RecoveryRun")
    return AuditRow(
        position=position,
        stream_id=event.originator_id,
        version=event.originator_version,
        type=event.topic,
        recorded_at=event.recorded_at.replace(tzinfo=None),
        correlation_id=event.correlation_id,
        causation_id=event.causation_id,
        job_id=job_id,
        vm_context_id=vm_context_id,
        run_id=getattr(event, "run_id", None) or (event.originator_id if is_of_run else None),
        rule=rule,
        basis=basis,
        outcome=outcome,
        actor=event.actor if event.actor != SERVICE else None,
        state=job.state if job else None,
        data=_data(event),
    )


def _data(event: Event) -> str:
    """Return the fields of an event that are in no column, as JSON."""
    return msgspec.json.encode({name: getattr(event, field) for field, name in _own_fields(type(event))}).decode()


@cache
def _own_fields(kind: type[Event]) -> list[tuple[str, str]]:
    """Return the fields that only this kind of event has, each with its stored name."""
    fields = zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True)
    return [(field, name) for field, name in fields if field not in COLUMNS]


def _decision(event: Event, job: JobAfterEvent | None) -> tuple[str | None, str | None, str | None]:
    """Return rule, basis and outcome of a decision; of a verdict on an outcome, the basis and outcome after it."""
    match event:
        case RecoveryDecided() | OutcomeRevised() | OperatorDecided():
            made = decision_after(event, None)
            return made.rule, made.basis, made.outcome
        case OutcomeConfirmed() | OutcomeContradicted() if job is not None:
            basis = Basis.OBSERVED if isinstance(event, OutcomeConfirmed) else Basis.INFERRED
            return None, basis.value, OUTCOME_BEFORE[JobState(job.state)].value
        case _:
            return None, None, None


def _subject(event: Event, job: JobAfterEvent | None) -> tuple[str | None, str | None]:
    """Return the job and the VM context of an event."""
    if isinstance(event, JobAdmitted | JobReleased):
        return event.job_id, VMContext(id=event.originator_id).vm_context_id
    return (event.originator_id, job.vm_context_id) if job is not None else (None, None)


def naive(time: datetime | None) -> datetime | None:
    """Return a UTC time without its zone, for databases without time zones."""
    return time.replace(tzinfo=None) if time else None
