"""The tables of the read model. A change of their shape is a new `VERSION`, and a new version is a rebuild."""

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

VERSION = 6

metadata = MetaData()


def _of_few(name: str, column: str) -> Index:
    """Index a column that few events have, without paying for the others."""
    present = text(f"{column} IS NOT NULL")
    return Index(name, column, "position", sqlite_where=present, postgresql_where=present)


position = Table(
    "position",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("notification_id", Integer, nullable=False),
    Column("event", String(300)),
)
"""How far the log is folded in, and the event there; moved in one transaction with the rows, by compare-and-set."""

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("first_position", Integer, nullable=False),
    Column("state", String(20), nullable=False),
    Column("vm_context_id", String(200), nullable=False),
    Column("vma", String(200), nullable=False),
    Column("progress_percent", Float, nullable=False),
    Column("basis", String(10)),
    Column("is_guess", Boolean, nullable=False),
    Column("needs_attention", Boolean, nullable=False),
    Column("registered_at", DateTime, nullable=False),
    Column("ended_at", DateTime),
    Column("folded", LargeBinary, nullable=False),
    Index("jobs_by_state", "state", "id"),
    Index("jobs_by_context", "vm_context_id", "id"),
    Index("jobs_by_attention", "needs_attention", "id"),
    Index("jobs_by_guess", "is_guess", "ended_at"),
)
"""The job table: the folded aggregate, with the columns that people filter by."""

vm_contexts = Table(
    "vm_contexts",
    metadata,
    Column("id", String(220), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("folded", LargeBinary, nullable=False),
)

recovery_runs = Table(
    "recovery_runs",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("first_position", Integer, nullable=False, unique=True),
    Column("status", String(20), nullable=False),
    Column("folded", LargeBinary, nullable=False),
    Index("runs_by_status", "status"),
)

skipped_events = Table(
    "skipped_events",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("event", String(240), nullable=False),
    Column("why", Text, nullable=False),
    Column("is_unreadable", Boolean, nullable=False),
)
"""The events that could not be applied: the other tables are a fold of all others."""

audit_trail = Table(
    "audit_trail",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("stream_id", String(220), nullable=False),
    Column("version", Integer, nullable=False),
    Column("type", String(40), nullable=False),
    Column("recorded_at", DateTime, nullable=False),
    Column("logged_at", DateTime, nullable=False),
    Column("correlation_id", String(220), nullable=False),
    Column("causation_id", String(240), nullable=False),
    Column("job_id", String(200)),
    Column("vm_context_id", String(200)),
    Column("run_id", String(200)),
    Column("rule", String(40)),
    Column("basis", String(10)),
    Column("outcome", String(10)),
    Column("actor", String(100)),
    Column("state", String(20)),
    Column("data", Text, nullable=False),
    Index("audit_by_stream", "stream_id", "position"),
    Index("audit_by_version", "stream_id", "version"),
    Index("audit_by_time", "logged_at", "position"),
    Index("audit_by_type", "type", "position"),
    Index("audit_by_run", "run_id", "position"),
    Index("audit_by_job", "job_id", "position"),
    Index("audit_by_context", "vm_context_id", "position"),
    *(_of_few("audit_by_" + name, name) for name in ("rule", "basis", "outcome", "actor")),
)
"""Every event, one row each, as JSON, with what people filter by.

`logged_at` is `recorded_at` made monotonic in the order of the log, so that a moment is a position; `state` is the
job's state after the event; `actor` is null for what the service does by itself.
"""
