"""The rows of the read model: each stream as the domain folds it, with columns for filters.

Only the domain folds events, so a row cannot differ from the aggregate.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Table, delete

from domain.aggregate import Aggregate
from domain.attention import attention
from domain.events import UnreadableEvent
from domain.recovery_run import RecoveryRun
from domain.replication_job import ReplicationJob
from domain.streams import Inapplicable, fold_event, kind_of
from domain.vm_context import VMContext
from projections.read_model import schema
from projections.read_model.audit_rows import Entry, JobAfterEvent, insert_rows, naive
from projections.read_model.bulk import Row, among, insert_all, select_all
from projections.read_model.errors import decode


class Batch(msgspec.Struct):
    """The results of applying a batch, by position: the job after its event, and why an event was skipped."""

    jobs: dict[int, JobAfterEvent] = msgspec.field(default_factory=dict)
    skipped: dict[int, str] = msgspec.field(default_factory=dict)


class FoldedTable:
    """A table of folded aggregates of one kind."""

    def __init__(self, table: Table, kind: type[Aggregate]) -> None:
        """Store aggregates of `kind` in `table`."""
        self._table = table
        self.kind = kind

    def apply(self, connection: Connection, entries: Sequence[Entry], batch: Batch) -> None:
        """Apply a batch of events, with one read and one write per stream."""
        streams: dict[str, list[Entry]] = {}
        for entry in entries:
            streams.setdefault(entry[1].originator_id, []).append(entry)
        known = self._load(connection, list(streams))
        rows = [self._fold(known.get(stream_id), events, batch) for stream_id, events in streams.items()]
        self._replace(connection, [row for row in rows if row is not None])

    def _load(self, connection: Connection, ids: Sequence[str]) -> dict[str, Row]:
        """Return what is needed of the rows of these streams."""
        if not ids:
            return {}
        columns = [column for column in self._table.c if column.name in {"id", "folded", "first_position"}]
        return {row["id"]: row for row in select_all(connection, columns, among(connection, self._table.c.id, ids))}

    def _fold(self, before: Row | None, entries: Sequence[Entry], batch: Batch) -> dict[str, Any] | None:
        """Return the stream's row after its events; None if none of them can be applied."""
        folded = decode(before["folded"], self.kind) if before else None
        for position, event in entries:
            try:
                folded = fold_event(self.kind, folded, event)
            except Inapplicable as why:
                batch.skipped[position] = str(why)
            else:
                if isinstance(folded, ReplicationJob):
                    batch.jobs[position] = JobAfterEvent(folded.state.value, folded.vm_context_id)
        if folded is None:
            return None
        first = before["first_position"] if before and "first_position" in before else entries[0][0]
        return {
            "id": folded.id,
            "version": folded.version,
            "folded": msgspec.json.encode(folded),
            **columns(folded, first),
        }

    def _replace(self, connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
        if not rows:
            return
        outdated = among(connection, self._table.c.id, [row["id"] for row in rows])
        connection.execute(delete(self._table).where(outdated))
        insert_all(connection, self._table, rows)


def columns(folded: Aggregate, first_position: int) -> dict[str, Any]:
    """Return the columns for filters of an aggregate."""
    match folded:
        case ReplicationJob() as job:
            return {
                "first_position": first_position,
                "state": job.state.value,
                "vm_context_id": job.vm_context_id,
                "vma": job.vma,
                "progress_percent": job.progress_percent,
                "basis": job.outcome_basis.value if job.outcome_basis else None,
                "is_guess": job.is_guess,
                "needs_attention": bool(attention(job)),
                "registered_at": naive(job.registered_at),
                "ended_at": naive(job.ended_at),
            }
        case RecoveryRun() as run:
            return {"status": run.status, "first_position": first_position}
        case VMContext() as context:
            return {"active_job": context.active_job}
        case _:
            return {}


TABLES = (
    FoldedTable(schema.jobs, ReplicationJob),
    FoldedTable(schema.vm_contexts, VMContext),
    FoldedTable(schema.recovery_runs, RecoveryRun),
)


def apply_batch(connection: Connection, entries: Sequence[Entry]) -> dict[int, str]:
    """Apply a batch to all tables; return why an event was skipped, by position."""
    batch = Batch(skipped={position: e.why for position, e in entries if isinstance(e, UnreadableEvent)})
    readable = [entry for entry in entries if entry[0] not in batch.skipped]
    of_kind = defaultdict[type[Aggregate], list[Entry]](list)
    for entry in readable:
        of_kind[kind_of(entry[1])].append(entry)
    for table in TABLES:
        table.apply(connection, of_kind[table.kind], batch)
    insert_rows(connection, readable, batch.jobs)
    _insert_skipped(connection, entries, batch.skipped)
    return batch.skipped


def _insert_skipped(connection: Connection, entries: Sequence[Entry], skipped: dict[int, str]) -> None:
    rows = [
        {"position": p, "event": e.ref, "why": skipped[p], "is_unreadable": isinstance(e, UnreadableEvent)}
        for p, e in entries
        if p in skipped
    ]
    insert_all(connection, schema.skipped_events, rows)
