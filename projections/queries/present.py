"""Queries of the present state. Each returns plain rows or folded aggregates, and decides nothing.

A list is ordered by a key, and its next page begins after the last one. So no write between two pages makes a page
repeat or skip a row.
"""

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Select, bindparam, func, select

from domain.events import RecoveryDecided
from domain.lifecycle import JobState
from domain.recovery_run import FINISHED, RecoveryRun, totals_of
from domain.replication_job import ReplicationJob
from domain.vm_context import VMContext
from projections.queries.reader import Reader
from projections.read_model import schema
from projections.read_model.errors import decode

T = TypeVar("T")

BY_ID = {
    table: select(table.c.folded).where(table.c.id == bindparam("key"))
    for table in (schema.jobs, schema.vm_contexts, schema.recovery_runs)
}
"""The queries of one aggregate. To build a query takes longer than to execute it."""

MAX_SKIPPED = 10
"""Skipped events that are listed; `job-recovery verify` lists all."""


class JobFilter(msgspec.Struct, frozen=True, kw_only=True):
    """The filter of a list of jobs: one of the states, one of the VM contexts; without values, any."""

    state: tuple[str, ...] = ()
    vm_context_id: tuple[str, ...] = ()
    needs_attention: bool | None = None


class Queries(Reader):
    """Returns jobs, VM contexts and runs."""

    async def job(self, job_id: str) -> ReplicationJob | None:
        """Return one job."""
        return await self._one(schema.jobs, job_id, ReplicationJob)

    async def jobs(self, wanted: JobFilter, limit: int, after: str = "") -> list[ReplicationJob]:
        """List jobs in the order of their ids."""
        table = schema.jobs
        query = select(table.c.folded).where(table.c.id > after).order_by(table.c.id).limit(limit)
        for name in ("state", "vm_context_id"):
            if values := getattr(wanted, name):
                query = query.where(table.c[name].in_(values))
        if wanted.needs_attention is not None:
            query = query.where(table.c.needs_attention == wanted.needs_attention)
        return await self._folded(query, ReplicationJob)

    async def vm_context(self, vm_context_id: str) -> VMContext | None:
        """Return one VM context."""
        return await self._one(schema.vm_contexts, VMContext.stream_id(vm_context_id), VMContext)

    async def vm_contexts(self, limit: int, after: str = "", *, active: bool | None = None) -> list[VMContext]:
        """List VM contexts in the order of their ids; `active` filters by whether they have an active job."""
        table = schema.vm_contexts
        query = select(table.c.folded).where(table.c.id > VMContext.stream_id(after)).order_by(table.c.id).limit(limit)
        if active is not None:
            query = query.where(table.c.active_job.is_not(None) if active else table.c.active_job.is_(None))
        return await self._folded(query, VMContext)

    async def run(self, run_id: str) -> RecoveryRun | None:
        """Return one recovery run."""
        run = await self._one(schema.recovery_runs, run_id, RecoveryRun)
        await self._count_decisions([run] if run else [])
        return run

    async def runs(self, limit: int, before: int | None = None) -> list[tuple[int, RecoveryRun]]:
        """List recovery runs with their log positions, newest first."""
        table = schema.recovery_runs
        query = select(table.c.first_position, table.c.folded).order_by(table.c.first_position.desc())
        if before is not None:
            query = query.where(table.c.first_position < before)
        rows = await self.rows(query.limit(limit))
        runs = [(position, decode(folded, RecoveryRun)) for position, folded in rows]
        await self._count_decisions([run for _, run in runs])
        return runs

    async def jobs_by_state(self) -> dict[str, int]:
        """Return the number of jobs in each state, also of states without jobs."""
        return {state.value: 0 for state in JobState} | await self._counts(schema.jobs.c.state)

    async def jobs_needing_attention(self) -> int:
        """Return the number of jobs that an operator should look at."""
        jobs = schema.jobs.c
        return int(await self.first(select(func.count()).where(jobs.needs_attention.is_(True))))

    async def runs_by_status(self) -> dict[str, int]:
        """Return the number of recovery runs by status."""
        return await self._counts(schema.recovery_runs.c.status)

    async def skipped_events(self) -> list[str]:
        """Return messages about the first events that could not be applied."""
        table = schema.skipped_events
        found = await self.rows(select(table.c.position, table.c.event, table.c.why).limit(MAX_SKIPPED))
        return [f"the event {event} at position {position} is skipped: {why}" for position, event, why in found]

    async def guesses(self) -> Sequence[str]:
        """Return the ids of jobs whose outcome was inferred."""
        return await self._ids(select(schema.jobs.c.id).where(schema.jobs.c.is_guess))

    async def _count_decisions(self, runs: Sequence[RecoveryRun]) -> None:
        """Set the totals of the runs that are not finished, by their decisions in the log."""
        unfinished = {run.id: run for run in runs if run.status != FINISHED}
        if not unfinished:
            return
        trail = schema.audit_trail.c
        columns = (trail.run_id, trail.outcome, trail.rule)
        query = select(*columns, func.count()).where(trail.run_id.in_(unfinished), trail.type == RecoveryDecided.topic)
        decided: dict[str, dict[tuple[str, str], int]] = {}
        for run_id, outcome, rule, count in await self.rows(query.group_by(*columns)):
            decided.setdefault(run_id, {})[outcome, rule] = count
        for run_id, run in unfinished.items():
            run.totals = totals_of(decided.get(run_id, {}))

    async def _counts(self, column: Any) -> dict[str, int]:  # noqa: ANN401 - a column of text
        return dict(await self.rows(select(column, func.count()).group_by(column)))

    async def _one(self, table: Any, key: str, kind: type[T]) -> T | None:  # noqa: ANN401 - a table
        return next(iter(await self._folded(BY_ID[table], kind, key=key)), None)

    async def _folded(self, query: Select[Any], kind: type[T], **values: str) -> list[T]:
        return [decode(folded, kind) for (folded,) in await self.rows(query, values)]

    async def _ids(self, query: Select[Any]) -> list[str]:
        return [one for (one,) in await self.rows(query)]
