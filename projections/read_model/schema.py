"""The tables of the read model.

Their names begin with the version and a fingerprint of this module and of the column types. So each release has tables
of its own, and several can use one database, in turn or at once. Other code that changes what a table contains needs a
new `VERSION`.
"""

import hashlib
from pathlib import Path
from typing import Any

from sqlalchemy import Boolean, Column, Connection, Index, MetaData, Table, event, text
from sqlalchemy.schema import SchemaItem

from projections.read_model import column_types
from projections.read_model.column_types import MARIADB_COLLATION, Blob, Fraction, LongText, Number, ShortText, Time

VERSION = 8

_SOURCES = b"".join(Path(source).read_bytes() for source in (__file__, column_types.__file__))

PREFIX = f"read_model_{VERSION}_{hashlib.sha256(_SOURCES).hexdigest()[:8]}_"
"""The beginning of the names of all tables and indexes: on SQLite and PostgreSQL, indexes share one namespace."""

metadata = MetaData()


def _table(name: str, *items: SchemaItem) -> Table:
    return Table(
        PREFIX + name, metadata, *items,
        mariadb_engine="InnoDB", mariadb_charset="utf8mb4", mariadb_collate=MARIADB_COLLATION,
    )  # fmt: skip


def _index(name: str, *columns: str) -> Index:
    return Index(PREFIX + name, *columns)


def _required(name: str, kind: Any) -> Column[Any]:  # noqa: ANN401 - SQLAlchemy's types
    return Column(name, kind, nullable=False)


def _aggregates(name: str, id_length: int, *columns: SchemaItem) -> Table:
    """Return a table of folded aggregates."""
    own: tuple[SchemaItem, ...] = (Column("id", ShortText(id_length), primary_key=True), _required("version", Number))
    return _table(name, *own, *columns, _required("folded", Blob))


def _sparse_index(name: str, column: str) -> Index:
    """Return an index of the rows that have a value in a column."""
    return Index(PREFIX + name, column, "position", sqlite_where=text(f"{column} IS NOT NULL"))


@event.listens_for(metadata, "before_create")
def _make_sparse_on_postgres(_metadata: MetaData, connection: Connection, **_details: object) -> None:
    """Limit indexes on PostgreSQL as on SQLite.

    Not where they are defined: naming an option of PostgreSQL imports its dialect, at every start on any engine.
    """
    if connection.dialect.name == "postgresql":
        for index in (index for table in metadata.tables.values() for index in table.indexes):
            index.dialect_options["postgresql"]["where"] = index.dialect_options["sqlite"]["where"]


position = _table(
    "position",
    Column("name", ShortText(40), primary_key=True),
    _required("is_valid", Boolean),
    _required("notification_id", Number),
    Column("event", ShortText(300)),
)
"""The checkpoint: the position of the last applied event, and its identity; not valid if all is to be derived again."""

jobs = _aggregates(
    "jobs",
    200,
    _required("first_position", Number),
    _required("state", ShortText(20)),
    _required("vm_context_id", ShortText(200)),
    _required("vma", ShortText(200)),
    _required("progress_percent", Fraction),
    Column("basis", ShortText(10)),
    _required("is_guess", Boolean),
    _required("needs_attention", Boolean),
    _required("registered_at", Time),
    Column("ended_at", Time),
    _index("jobs_by_state", "state", "id"),
    _index("jobs_by_context", "vm_context_id", "id"),
    _index("jobs_by_attention", "needs_attention", "id"),
    _index("jobs_by_guess", "is_guess", "ended_at"),
)
"""The jobs, with columns for filters."""

vm_contexts = _aggregates("vm_contexts", 220, Column("active_job", ShortText(200)))

recovery_runs = _aggregates(
    "recovery_runs",
    200,
    Column("first_position", Number, nullable=False, unique=True),
    _required("status", ShortText(20)),
    _index("runs_by_status", "status"),
)

skipped_events = _table(
    "skipped_events",
    Column("position", Number, primary_key=True, autoincrement=False),
    _required("event", ShortText(240)),
    _required("why", LongText),
    _required("is_unreadable", Boolean),
)
"""The events that could not be applied: the other tables are the fold of all others."""

audit_trail = _table(
    "audit_trail",
    Column("position", Number, primary_key=True, autoincrement=False),
    _required("stream_id", ShortText(220)),
    _required("version", Number),
    _required("type", ShortText(40)),
    _required("recorded_at", Time),
    _required("latest_until", Time),
    _required("earliest_from", Time),
    _required("correlation_id", ShortText(220)),
    _required("causation_id", ShortText(240)),
    Column("job_id", ShortText(200)),
    Column("vm_context_id", ShortText(200)),
    Column("run_id", ShortText(200)),
    Column("rule", ShortText(40)),
    Column("basis", ShortText(10)),
    Column("outcome", ShortText(10)),
    Column("actor", ShortText(200)),
    Column("state", ShortText(20)),
    _required("data", LongText),
    _index("audit_by_stream", "stream_id", "position"),
    _index("audit_by_version", "stream_id", "version"),
    _index("audit_by_latest", "latest_until", "position"),
    _index("audit_by_earliest", "earliest_from", "position"),
    _index("audit_by_type", "type", "position"),
    _index("audit_by_run", "run_id", "position"),
    _index("audit_by_job", "job_id", "position"),
    _index("audit_by_context", "vm_context_id", "position"),
    _index("audit_by_correlation", "correlation_id", "position"),
    _index("audit_by_causation", "causation_id", "position"),
    *(_sparse_index("audit_by_" + name, name) for name in ("rule", "basis", "outcome", "actor", "state")),
)
"""Every event, one row each, as JSON, with columns for filters.

`latest_until` is the latest `recorded_at` of an event and all before it, `earliest_from` the earliest of an event and
all after it. Both grow with the position, whatever the clocks did. So one index finds the first event that was recorded
at a time or later, and the other the last one that was recorded by a time.

`state` is the job's state after the event. `actor` is null for actions of the service itself.
"""
