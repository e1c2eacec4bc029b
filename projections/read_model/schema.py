"""The tables of the read model. A change of a table needs a new `VERSION`, which causes a rebuild."""

from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)
from sqlalchemy.schema import SchemaItem

VERSION = 7

metadata = MetaData()


def _required(name: str, kind: Any) -> Column[Any]:  # noqa: ANN401 - SQLAlchemy's types
    return Column(name, kind, nullable=False)


def _aggregates(name: str, id_length: int, *columns: SchemaItem) -> Table:
    """Return a table of folded aggregates."""
    own = (Column("id", String(id_length), primary_key=True), _required("version", Integer))
    return Table(name, metadata, *own, *columns, _required("folded", LargeBinary))


def _sparse_index(name: str, column: str) -> Index:
    """Return an index of the rows that have a value in a column."""
    present = text(f"{column} IS NOT NULL")
    return Index(name, column, "position", sqlite_where=present, postgresql_where=present)


position = Table(
    "position",
    metadata,
    Column("name", String(40), primary_key=True),
    _required("version", Integer),
    _required("notification_id", Integer),
    Column("event", String(300)),
)
"""The checkpoint: the position of the last applied event, and its identity."""

jobs = _aggregates(
    "jobs",
    200,
    _required("first_position", Integer),
    _required("state", String(20)),
    _required("vm_context_id", String(200)),
    _required("vma", String(200)),
    _required("progress_percent", Float),
    Column("basis", String(10)),
    _required("is_guess", Boolean),
    _required("needs_attention", Boolean),
    _required("registered_at", DateTime),
    Column("ended_at", DateTime),
    Index("jobs_by_state", "state", "id"),
    Index("jobs_by_context", "vm_context_id", "id"),
    Index("jobs_by_attention", "needs_attention", "id"),
    Index("jobs_by_guess", "is_guess", "ended_at"),
)
"""The jobs, with columns for filters."""

vm_contexts = _aggregates("vm_contexts", 220, Column("active_job", String(200)))

recovery_runs = _aggregates(
    "recovery_runs",
    200,
    Column("first_position", Integer, nullable=False, unique=True),
    _required("status", String(20)),
    Index("runs_by_status", "status"),
)

skipped_events = Table(
    "skipped_events",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=False),
    _required("event", String(240)),
    _required("why", Text),
    _required("is_unreadable", Boolean),
)
"""The events that could not be applied: the other tables are the fold of all others."""

audit_trail = Table(
    "audit_trail",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=False),
    _required("stream_id", String(220)),
    _required("version", Integer),
    _required("type", String(40)),
    _required("recorded_at", DateTime),
    _required("latest_until", DateTime),
    _required("earliest_from", DateTime),
    _required("correlation_id", String(220)),
    _required("causation_id", String(240)),
    Column("job_id", String(200)),
    Column("vm_context_id", String(200)),
    Column("run_id", String(200)),
    Column("rule", String(40)),
    Column("basis", String(10)),
    Column("outcome", String(10)),
    Column("actor", String(100)),
    Column("state", String(20)),
    _required("data", Text),
    Index("audit_by_stream", "stream_id", "position"),
    Index("audit_by_version", "stream_id", "version"),
    Index("audit_by_latest", "latest_until", "position"),
    Index("audit_by_earliest", "earliest_from", "position"),
    Index("audit_by_type", "type", "position"),
    Index("audit_by_run", "run_id", "position"),
    Index("audit_by_job", "job_id", "position"),
    Index("audit_by_context", "vm_context_id", "position"),
    Index("audit_by_correlation", "correlation_id", "position"),
    Index("audit_by_causation", "causation_id", "position"),
    *(_sparse_index("audit_by_" + name, name) for name in ("rule", "basis", "outcome", "actor", "state")),
)
"""Every event, one row each, as JSON, with columns for filters.

`latest_until` is the latest `recorded_at` of an event and all before it, `earliest_from` the earliest of an event and
all after it. Both grow with the position, whatever the clocks did. So one index finds the first event that was recorded
at a time or later, and the other the last one that was recorded by a time.

`state` is the job's state after the event. `actor` is null for actions of the service itself.
"""
