"""Queries of the audit trail: every event, in the order of the log.

Each time is a position: `logged_at` never decreases along the log, so the events recorded by a time are a prefix of it.
Lists are ordered by position, and their next page begins after one, so new events do not change them.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, select, tuple_

from domain.events import SERVICE
from projections.queries.audit_entry import AuditEntry, AuditFilter
from projections.queries.present import JobFilter
from projections.queries.reader import Reader
from projections.read_model import schema
from projections.read_model.audit_rows import naive
from projections.read_model.errors import decode

TRAIL = schema.audit_trail

CHUNK = 1000
"""Entries of an export in memory at once."""

OUT_OF_ORDER = timedelta(seconds=60)
"""How much later than its own time an event is searched in the log, at the end of a period."""

MAX_CAUSES = 100
"""Limit of a causation chain, which normally has five or six events."""


class AuditTrail(Reader):
    """Returns events, and the position or version at a time."""

    async def entries(
        self, wanted: AuditFilter, limit: int, after: int | None = None, *, newest_first: bool = False
    ) -> list[AuditEntry]:
        """List events before (newest first) or after a position, which is excluded."""
        query = _filtered(select(TRAIL), wanted)
        lower, upper = await self._bounds(wanted)
        if lower is not None:
            query = query.where(TRAIL.c.position >= lower)
        if upper is not None:
            query = query.where(TRAIL.c.position <= upper)
        if after is not None:
            query = query.where(TRAIL.c.position < after if newest_first else TRAIL.c.position > after)
        order = TRAIL.c.position.desc() if newest_first else TRAIL.c.position
        return await self._entries(query.order_by(order).limit(limit))

    async def export(self, wanted: AuditFilter, *, newest_first: bool = False) -> AsyncIterator[AuditEntry]:
        """Yield all present events of a filter, read in chunks."""
        end = await self.head()
        after: int | None = None
        while found := await self.entries(wanted, CHUNK, after, newest_first=newest_first):
            for entry in found:
                if entry.position <= end:
                    yield entry
            after = found[-1].position
            if after >= end and not newest_first:
                break

    async def events(self, stream_id: str, limit: int, after: int = 0) -> list[AuditEntry]:
        """Return the events of one stream, oldest first, after a position."""
        query = select(TRAIL).where(TRAIL.c.stream_id == stream_id, TRAIL.c.position > after)
        return await self._entries(query.order_by(TRAIL.c.position).limit(limit))

    async def count(self, column: str, kind: str | None = None) -> dict[str, int]:
        """Return the number of events by the value of a column, without those that have none."""
        query = select(TRAIL.c[column], func.count()).where(TRAIL.c[column].is_not(None)).group_by(TRAIL.c[column])
        if kind is not None:
            query = query.where(TRAIL.c.type == kind)
        return {row[0]: row[1] for row in await self.rows(query)}

    async def entry(self, position: int) -> AuditEntry | None:
        """Return one event."""
        return await self._first_entry(select(TRAIL).where(TRAIL.c.position == position))

    async def chain(self, entry: AuditEntry) -> list[AuditEntry]:
        """Return the causation chain of an event: decision, observation, recovery of the job, run."""
        found = [entry]
        while len(found) < MAX_CAUSES:
            stream_id, _, version = found[-1].causation_id.rpartition("#")
            cause = await self._of_version(stream_id, int(version)) if version.isdigit() else None
            if cause is None:
                break
            found.append(cause)
        return found

    async def head(self) -> int:
        """Return the position of the last applied event; 0 if there is none."""
        return await self.first(select(TRAIL.c.position).order_by(TRAIL.c.position.desc())) or 0

    async def position_at(self, time: datetime) -> int:
        """Return the position of the last event that was recorded by a time; 0 if there was none."""
        query = select(TRAIL.c.position).where(TRAIL.c.logged_at <= naive(time.astimezone(UTC)))
        return await self.first(query.order_by(TRAIL.c.logged_at.desc(), TRAIL.c.position.desc())) or 0

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
        if wanted.state is not None:
            query = query.where(TRAIL.c.state == wanted.state)
        if wanted.vm_context_id is not None:
            query = query.where(jobs.c.vm_context_id == wanted.vm_context_id)
        return [(row[0], row[1]) for row in await self.rows(query.order_by(jobs.c.id).limit(limit))]

    async def _bounds(self, wanted: AuditFilter) -> tuple[int | None, int | None]:
        """Return the first and the last position of the events of a period, by the index of `logged_at`."""
        lower = upper = None
        if wanted.since is not None:
            query = select(TRAIL.c.position).where(TRAIL.c.logged_at >= naive(wanted.since.astimezone(UTC)))
            lower = await self.first(query.order_by(TRAIL.c.logged_at, TRAIL.c.position))
            # Without such an event, a position after all.
            lower = lower if lower is not None else 2**62
        if wanted.until is not None:
            upper = await self.position_at(wanted.until + OUT_OF_ORDER)
        return lower, upper

    async def _of_version(self, stream_id: str, version: int) -> AuditEntry | None:
        query = select(TRAIL).where(TRAIL.c.stream_id == stream_id, TRAIL.c.version == version)
        return await self._first_entry(query)

    async def _first_entry(self, query: Select[Any]) -> AuditEntry | None:
        return next(iter(await self._entries(query.limit(1))), None)

    async def _entries(self, query: Select[Any]) -> list[AuditEntry]:
        return [_entry(row._mapping) for row in await self.rows(query)]  # noqa: SLF001 - its public name for a row's mapping


def _filtered(query: Select[Any], wanted: AuditFilter) -> Select[Any]:
    for name in ("job_id", "vm_context_id", "run_id", "type", "rule", "basis", "outcome"):
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(TRAIL.c[name] == value)
    if wanted.actor is not None:
        query = query.where(TRAIL.c.actor.is_(None) if wanted.actor == SERVICE else TRAIL.c.actor == wanted.actor)
    if wanted.since is not None:
        query = query.where(TRAIL.c.recorded_at >= naive(wanted.since.astimezone(UTC)))
    if wanted.until is not None:
        query = query.where(TRAIL.c.recorded_at <= naive(wanted.until.astimezone(UTC)))
    return query


def _entry(row: Any) -> AuditEntry:  # noqa: ANN401 - a row mapping
    read = {
        "recorded_at": row["recorded_at"].replace(tzinfo=UTC),
        "actor": row["actor"] or SERVICE,
        "data": decode(row["data"], dict[str, Any]),
    }
    return AuditEntry(**{one.name: row[one.name] for one in fields(AuditEntry)} | read)
