"""Time travel: jobs as they were, folded from their events up to a version or a moment."""

from datetime import datetime
from typing import Any

from api.http.schemas.history import DiffView
from api.http.schemas.present import MAX_INT
from api.http.views import job_view
from api.runtime.bootstrap import Service
from domain.errors import NotFound
from domain.replication_job import ReplicationJob
from projections.queries.hindsight import Hindsight, known_at

MAX_EVENTS = 100_000
"""Events of one job that hindsight looks through; a job has hundreds."""

NOT_SHOWN = {"version", "as_of", "hindsight", "live", "retry_in", "needs_attention"}
"""Fields of a job's view that say nothing about what became of it."""


async def version_of(service: Service, job_id: str, point: int | datetime) -> int:
    """Return the version that a job had at a point: a version, or a moment.

    Raises:
        NotFound: the job had no such version, or did not exist yet.

    """
    if isinstance(point, datetime):
        position = await service.trail.position_at(point)
        version = await service.trail.version_at(job_id, position)
        if version == 0:
            raise NotFound(f"there was no job {job_id} at {point.isoformat()}")
        return version
    present = await service.trail.version_at(job_id, MAX_INT)
    if present == 0:
        raise NotFound(f"there is no job {job_id}")
    if not 1 <= point <= present:
        raise NotFound(f"job {job_id} has the versions 1 to {present}, and no version {point}")
    return point


async def job_then(service: Service, job_id: str, version: int) -> ReplicationJob:
    """Return a job as it was at a version that it had."""
    found = await service.event_log.load_versions(ReplicationJob, [(job_id, version)])
    if not found:
        raise NotFound(f"there is no job {job_id}")
    return found[0]


async def hindsight(service: Service, job: ReplicationJob, moment: datetime, as_known: datetime) -> Hindsight:
    """Say what was so at a moment, by all that was recorded up to another one, before or after it."""
    known = await service.trail.position_at(as_known)
    entries = await service.trail.events(job.id, MAX_EVENTS)
    return known_at(job.state, [entry.event() for entry in entries if entry.position <= known], moment)


async def diff(service: Service, job_id: str, begin: int | datetime, end: int | datetime) -> DiffView:
    """Say what became of a job between two points."""
    versions = [await version_of(service, job_id, point) for point in (begin, end)]
    before, after = [_shown(await job_then(service, job_id, version)) for version in versions]
    low, high = sorted(versions)
    entries = await service.trail.events(job_id, MAX_EVENTS)
    found = {
        "job_id": job_id,
        "from_version": versions[0],
        "to_version": versions[1],
        "changes": [{"field": n, "before": before[n], "after": after[n]} for n in before if before[n] != after[n]],
        "events": [entry for entry in entries if low < entry.version <= high],
    }
    return DiffView.model_validate(found, from_attributes=True)


def _shown(job: ReplicationJob) -> dict[str, Any]:
    return job_view(job).model_dump(mode="json", exclude=NOT_SHOWN)
