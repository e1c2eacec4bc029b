"""Queries of the audit trail: every event, in the order of the log.

The order of the log is the position; times are what a clock said, and clocks differ and step. A time is the position of
the last event that was recorded by it, so an event is part of the state at its own time.
Lists are ordered by position, and their next page begins after one, so new events do not change them.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, false, func, or_, select, tuple_

from domain.events import SERVICE, RecoveryDecided
from projections.queries.audit_conditions import by_value, first_of
from projections.queries.audit_entry import AuditEntry, AuditFilter
from projections.queries.present import JobFilter
from projections.queries.reader import Reader
from projections.read_model import schema
from projections.read_model.audit_rows import naive
from projections.read_model.errors import decode

TRAIL = schema.audit_trail

CHUNK = 1000
"""Entries of an export in memory at once."""

MAX_CAUSES = 100
"""Limit of a causation chain, which normally has five or six events."""


class AuditTrail(Reader):
    """Returns events, and the position or version at a time."""

    async def entries(
        self,
        wanted: AuditFilter,
        limit: int,
        after: int | None = None,
        *,
        newest_first: bool = False,
        end: int | None = None,
    ) -> list[AuditEntry]:
        """List events before (newest first) or after a position, which is excluded, and up to `end`, which is not."""
        cases, others = by_value(wanted)
        conditions = [*others, *await self._of_period(wanted, end)]
        if after is not None:
            conditions.append(TRAIL.c.position < after if newest_first else TRAIL.c.position > after)
        order = TRAIL.c.position.desc() if newest_first else TRAIL.c.position
        return await self._entries(first_of(cases, conditions, order, limit).order_by(order).limit(limit))

    async def total(self, wanted: AuditFilter, end: int) -> int:
        """Return the number of events of a filter up to a position."""
        cases, others = by_value(wanted)
        conditions = [or_(*cases), *others, *await self._of_period(wanted, end)]
        return int(await self.first(select(func.count()).select_from(TRAIL).where(*conditions)))

    async def export(
        self, wanted: AuditFilter, *, newest_first: bool = False, end: int | None = None
    ) -> AsyncIterator[AuditEntry]:
        """Yield all events of a filter up to a position, by default all present ones, read in chunks."""
        end = await self.head() if end is None else end
        async for found in self.chunks(wanted, newest_first=newest_first, end=end):
            for entry in found:
                yield entry

    async def chunks(
        self, wanted: AuditFilter, *, newest_first: bool = False, end: int
    ) -> AsyncIterator[list[AuditEntry]]:
        """Yield the chunks of all events of a filter up to a position."""
        after: int | None = None
        while found := await self.entries(wanted, CHUNK, after, newest_first=newest_first, end=end):
            yield found
            after = found[-1].position

    async def events(self, stream_id: str, limit: int, after: int = 0) -> list[AuditEntry]:
        """Return the events of one stream, oldest first, after a position."""
        query = select(TRAIL).where(TRAIL.c.stream_id == stream_id, TRAIL.c.position > after)
        return await self._entries(query.order_by(TRAIL.c.position).limit(limit))

    async def decisions(self) -> dict[tuple[str, str], int]:
        """Return the number of decisions of all recovery runs by rule and outcome."""
        query = select(TRAIL.c.rule, TRAIL.c.outcome, func.count()).group_by(TRAIL.c.rule, TRAIL.c.outcome)
        found = await self.rows(query.where(TRAIL.c.type == RecoveryDecided.topic))
        return {(rule, outcome): count for rule, outcome, count in found}

    async def entry(self, position: int) -> AuditEntry | None:
        """Return one event."""
        return await self._first_entry(select(TRAIL).where(TRAIL.c.position == position))

    async def chain(self, entry: AuditEntry) -> list[AuditEntry]:
        """Return the causation chain of an event: decision, observation, recovery of the job, run."""
        found = [entry]
        while len(found) < MAX_CAUSES:
            stream_id, _, version = found[-1].causation_id.rpartition("#")
            cause = await self._of_version(stream_id, int(version)) if version.isdecimal() else None
            if cause is None:
                break
            found.append(cause)
        return found

    async def head(self) -> int:
        """Return the position of the last applied event; 0 if there is none."""
        return await self.first(select(TRAIL.c.position).order_by(TRAIL.c.position.desc())) or 0

    async def position_at(self, time: datetime, end: int | None = None) -> int:
        """Return the position of the last event that was recorded by a time, up to `end`; 0 if there was none."""
        query = select(TRAIL.c.position).where(TRAIL.c.earliest_from <= _stored(time))
        if end is not None:
            # An event after the end may be earlier by its clock, and `earliest_from` counts it.
            query = query.where(TRAIL.c.position <= end, TRAIL.c.recorded_at <= _stored(time))
        return await self.first(query.order_by(TRAIL.c.earliest_from.desc(), TRAIL.c.position.desc())) or 0

    async def time_at(self, position: int) -> datetime | None:
        """Return when the last event up to a position was recorded; None before the first event."""
        query = select(TRAIL.c.recorded_at).where(TRAIL.c.position <= position)
        found = await self.first(query.order_by(TRAIL.c.position.desc()))
        return found.replace(tzinfo=UTC) if found else None

    async def position_of(self, stream_id: str, version: int) -> int:
        """Return the position of a version of a stream; 0 if it does not exist."""
        query = select(TRAIL.c.position).where(TRAIL.c.stream_id == stream_id, TRAIL.c.version <= version)
        return await self.first(query.order_by(TRAIL.c.version.desc())) or 0

    async def positions(self, versions: Sequence[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """Return the positions of events, each given by its stream and its version there."""
        if not versions:
            return {}
        key = (TRAIL.c.stream_id, TRAIL.c.version)
        found = await self.rows(select(*key, TRAIL.c.position).where(tuple_(*key).in_(versions)))
        return {(stream_id, version): position for stream_id, version, position in found}

    async def version_at(self, stream_id: str, position: int) -> int:
        """Return the version that a stream had at a position; 0 if it did not exist."""
        query = select(TRAIL.c.version).where(TRAIL.c.stream_id == stream_id, TRAIL.c.position <= position)
        return await self.first(query.order_by(TRAIL.c.position.desc())) or 0

    async def jobs_at(self, position: int, wanted: JobFilter, limit: int, after: str = "") -> list[tuple[str, int]]:
        """Return the jobs that existed at a position, with their versions, in the order of their ids.

        No column has whether a job needed attention then: the caller filters the jobs by that.
        """
        jobs = schema.jobs
        last = (
            select(TRAIL.c.position)
            .where(TRAIL.c.stream_id == jobs.c.id, TRAIL.c.position <= position)
            .order_by(TRAIL.c.position.desc())
            .limit(1)
            .correlate(jobs)
            .scalar_subquery()
        )
        query = (
            select(jobs.c.id, TRAIL.c.version)
            .join(TRAIL, TRAIL.c.position == last)
            .where(jobs.c.id > after, jobs.c.first_position <= position)
        )
        if wanted.state:
            query = query.where(TRAIL.c.state.in_(wanted.state))
        if wanted.vm_context_id:
            query = query.where(jobs.c.vm_context_id.in_(wanted.vm_context_id))
        return [(job_id, version) for job_id, version in await self.rows(query.order_by(jobs.c.id).limit(limit))]

    async def _of_period(self, wanted: AuditFilter, end: int | None) -> list[ColumnElement[bool]]:
        """Return the conditions of the events of a period, up to a position."""
        conditions = [] if end is None else [TRAIL.c.position <= end]
        if wanted.since is not None:
            conditions += await self._since(wanted.since)
        if wanted.until is not None:
            last = await self.position_at(wanted.until)
            conditions += [TRAIL.c.position <= last, TRAIL.c.recorded_at <= _stored(wanted.until)]
        return conditions

    async def _since(self, time: datetime) -> list[ColumnElement[bool]]:
        """Return the conditions of the events since a time: after the first of them, others may be between them."""
        query = select(TRAIL.c.position).where(TRAIL.c.latest_until >= _stored(time))
        first = await self.first(query.order_by(TRAIL.c.latest_until, TRAIL.c.position))
        if first is None:
            return [false()]
        return [TRAIL.c.position >= first, TRAIL.c.recorded_at >= _stored(time)]

    async def _of_version(self, stream_id: str, version: int) -> AuditEntry | None:
        query = select(TRAIL).where(TRAIL.c.stream_id == stream_id, TRAIL.c.version == version)
        return await self._first_entry(query)

    async def _first_entry(self, query: Select[Any]) -> AuditEntry | None:
        return next(iter(await self._entries(query.limit(1))), None)

    async def _entries(self, query: Select[Any]) -> list[AuditEntry]:
        return [_entry(row._mapping) for row in await self.rows(query)]  # noqa: SLF001 - its public name for a row's mapping


def _stored(time: datetime) -> datetime | None:
    """Return a time as the columns have it."""
    return naive(time.astimezone(UTC))


def _entry(row: Any) -> AuditEntry:  # noqa: ANN401 - a row mapping
    read = {
        "recorded_at": row["recorded_at"].replace(tzinfo=UTC),
        "actor": row["actor"] or SERVICE,
        "data": decode(row["data"], dict[str, Any]),
    }
    return AuditEntry(**{one.name: row[one.name] for one in fields(AuditEntry)} | read)
