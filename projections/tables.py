"""How each stream becomes a row: the domain's own fold, stored, with columns to filter by.

The rules of folding stay in the domain; a row that could disagree with the aggregate cannot come about here.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Table, bindparam, delete, insert, select

from domain.aggregate import Aggregate
from domain.attention import attention
from domain.events import (
    Event,
    JobAdmitted,
    JobReleased,
    RecoveryRunFinished,
    RecoveryRunInterrupted,
    RecoveryRunStarted,
)
from domain.recovery_run import RecoveryRun
from domain.replication_job import ReplicationJob
from domain.vm_context import VMContext
from projections import schema
from projections.audit_rows import Entry, Moment, naive, write_down
from projections.folded import decode

RUN_EVENTS = (RecoveryRunStarted, RecoveryRunFinished, RecoveryRunInterrupted)
CONTEXT_EVENTS = (JobAdmitted, JobReleased)
CHUNK = 500


class FoldedTable:
    """A table of folded aggregates of one kind."""

    def __init__(self, table: Table, kind: type[Aggregate]) -> None:
        """Fold `kind` into `table`."""
        self._table = table
        self._kind = kind

    def apply(self, connection: Connection, entries: Sequence[Entry]) -> dict[int, Moment]:
        """Fold a batch of events in, one read and one write per stream however many events it has.

        Returns:
            What each event led to, by its position, where the stream is a job's.

        """
        moments: dict[int, Moment] = {}
        streams: dict[str, list[Entry]] = {}
        for entry in entries:
            streams.setdefault(entry[1].originator_id, []).append(entry)
        known = self._load(connection, list(streams))
        rows = [self._fold(known.get(stream_id), news, moments) for stream_id, news in streams.items()]
        self._replace(connection, rows)
        return moments

    def _load(self, connection: Connection, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        known: dict[str, dict[str, Any]] = {}
        for chunk in _chunks(ids):
            query = select(self._table).where(self._table.c.id.in_(chunk))
            known.update({row["id"]: dict(row) for row in connection.execute(query).mappings()})
        return known

    def _fold(self, before: dict[str, Any] | None, news: Sequence[Entry], moments: dict[int, Moment]) -> dict[str, Any]:
        folded = decode(before["folded"], self._kind) if before else None
        for position, event in news:
            folded = self._kind.fold(folded, (event,))
            if isinstance(folded, ReplicationJob):
                moments[position] = Moment(folded.state.value, folded.vm_context_id)
        assert folded is not None  # noqa: S101 - there is at least one event
        first = before["first_position"] if before and "first_position" in before else news[0][0]
        return {
            "id": folded.id,
            "version": folded.version,
            "folded": msgspec.json.encode(folded),
            **columns(folded, first),
        }

    def _replace(self, connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
        if rows:
            gone = delete(self._table).where(self._table.c.id == bindparam("gone"))
            connection.execute(gone, [{"gone": row["id"]} for row in rows])
            connection.execute(insert(self._table), list(rows))


def columns(folded: Aggregate, first_position: int) -> dict[str, Any]:
    """Return the columns that people filter an aggregate by."""
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
        case _:
            return {}


JOBS = FoldedTable(schema.jobs, ReplicationJob)
CONTEXTS = FoldedTable(schema.vm_contexts, VMContext)
RUNS = FoldedTable(schema.recovery_runs, RecoveryRun)


def table_of(event: Event) -> FoldedTable:
    """Return the table that the event's stream belongs to."""
    if isinstance(event, CONTEXT_EVENTS):
        return CONTEXTS
    return RUNS if isinstance(event, RUN_EVENTS) else JOBS


def apply_batch(connection: Connection, entries: Sequence[Entry]) -> None:
    """Fold a batch into all tables."""
    moments: dict[int, Moment] = {}
    for table in (JOBS, CONTEXTS, RUNS):
        moments |= table.apply(connection, [entry for entry in entries if table_of(entry[1]) is table])
    write_down(connection, entries, moments)


def _chunks(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))
