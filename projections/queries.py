"""The questions people ask of the read model. Each returns plain rows or folded aggregates; nothing is decided.

Lists are read in the order of a key and continued after it, so that a page never repeats or skips because
something was written in between.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Engine, Select, select
from sqlalchemy.exc import SQLAlchemyError

from domain.errors import StorageUnavailable
from domain.recovery_run import RUNNING, RecoveryRun
from domain.replication_job import ReplicationJob
from domain.vm_context import VMContext
from projections import schema
from projections.tables import naive

T = TypeVar("T")

OPEN = ("replicating", "recovering", "pending-retry")


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One event as the audit trail shows it."""

    position: int
    stream_id: str
    version: int
    type: str
    recorded_at: datetime
    correlation_id: str
    causation_id: str
    data: dict[str, Any]


class JobFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which jobs to list; None does not filter."""

    state: str | None = None
    vm_context_id: str | None = None
    needs_attention: bool | None = None


class Queries:
    """Reads the read model, in threads."""

    def __init__(self, engine: Engine) -> None:
        """Read from `engine`."""
        self._engine = engine

    async def job(self, job_id: str) -> ReplicationJob | None:
        """Return one job as the read model has it."""
        return await self._one(schema.jobs, job_id, ReplicationJob)

    async def jobs(self, wanted: JobFilter, limit: int, after: str = "") -> list[ReplicationJob]:
        """List jobs in the order of their ids."""
        table = schema.jobs
        query = select(table.c.folded).where(table.c.id > after).order_by(table.c.id).limit(limit)
        for name, value in msgspec.structs.asdict(wanted).items():
            if value is not None:
                query = query.where(table.c[name] == value)
        return await self._folded(query, ReplicationJob)

    async def vm_context(self, vm_context_id: str) -> VMContext | None:
        """Return one VM context."""
        return await self._one(schema.vm_contexts, VMContext.stream_id(vm_context_id), VMContext)

    async def run(self, run_id: str) -> RecoveryRun | None:
        """Return one recovery run."""
        return await self._one(schema.recovery_runs, run_id, RecoveryRun)

    async def runs(self, limit: int, before: int | None = None) -> list[tuple[int, RecoveryRun]]:
        """List recovery runs with their log positions, newest first."""
        table = schema.recovery_runs
        query = select(table.c.first_position, table.c.folded).order_by(table.c.first_position.desc())
        if before is not None:
            query = query.where(table.c.first_position < before)
        rows = await self._rows(query.limit(limit))
        return [(row[0], msgspec.json.decode(row[1], type=RecoveryRun)) for row in rows]

    async def events(self, stream_id: str, limit: int, after: int = 0) -> list[AuditEntry]:
        """Return the events of one stream, oldest first."""
        table = schema.audit_trail
        query = select(table).where(table.c.stream_id == stream_id, table.c.version > after)
        return await self._entries(query.order_by(table.c.version).limit(limit))

    async def decisions(self, run_id: str, limit: int, after: int = 0) -> list[AuditEntry]:
        """Return the decisions of one run, in the order in which they were made."""
        table = schema.audit_trail
        query = select(table).where(
            table.c.run_id == run_id, table.c.type == "RecoveryDecided", table.c.position > after
        )
        return await self._entries(query.order_by(table.c.position).limit(limit))

    async def open_jobs(self) -> Sequence[str]:
        """Return the ids of all jobs in an open state."""
        table = schema.jobs
        return await self._ids(select(table.c.id).where(table.c.state.in_(OPEN)))

    async def guesses(self, ended_after: datetime) -> Sequence[str]:
        """Return the ids of jobs whose outcome was inferred since then."""
        table = schema.jobs
        query = select(table.c.id).where(table.c.is_guess, table.c.ended_at > naive(ended_after))
        return await self._ids(query)

    async def unfinished_runs(self) -> Sequence[str]:
        """Return the ids of recovery runs that were begun and not finished."""
        table = schema.recovery_runs
        return await self._ids(select(table.c.id).where(table.c.status == RUNNING))

    async def _one(self, table: Any, key: str, kind: type[T]) -> T | None:  # noqa: ANN401 - a table
        found = await self._folded(select(table.c.folded).where(table.c.id == key), kind)
        return found[0] if found else None

    async def _folded(self, query: Select[Any], kind: type[T]) -> list[T]:
        return [msgspec.json.decode(row[0], type=kind) for row in await self._rows(query)]

    async def _ids(self, query: Select[Any]) -> list[str]:
        return [row[0] for row in await self._rows(query)]

    async def _entries(self, query: Select[Any]) -> list[AuditEntry]:
        return [_entry(row._mapping) for row in await self._rows(query)]  # noqa: SLF001

    async def _rows(self, query: Select[Any]) -> Sequence[Any]:
        return await self._read(lambda connection: connection.execute(query).all())

    async def _read(self, question: Callable[[Connection], T]) -> T:
        def ask() -> T:
            with self._engine.connect() as connection:
                return question(connection)

        try:
            return await asyncio.to_thread(ask)
        except SQLAlchemyError as error:
            raise StorageUnavailable(f"the read model cannot be read: {error}") from error


def _entry(row: Any) -> AuditEntry:  # noqa: ANN401 - a row mapping
    return AuditEntry(
        position=row["position"],
        stream_id=row["stream_id"],
        version=row["version"],
        type=row["type"],
        recorded_at=row["recorded_at"],
        correlation_id=row["correlation_id"],
        causation_id=row["causation_id"],
        data=msgspec.json.decode(row["data"]),
    )
