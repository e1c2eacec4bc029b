"""Past states of jobs, folded from their events up to a version or a time."""

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
"""Maximum events of one job that are read; a job has hundreds."""

NOT_SHOWN = {"version", "as_of", "hindsight", "live", "retry_in", "needs_attention"}
"""Fields of a job's view that a diff omits."""


async def version_of(service: Service, job_id: str, point: int | datetime) -> int:
    """Return the version that a job had at a point, which is a version or a time.

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
        raise NotFound(f"job {job_id} has no version {point}: its versions are 1 to {present}")
    return point


async def job_then(service: Service, job_id: str, version: int) -> ReplicationJob:
    """Return a job at one of its versions."""
    found = await service.event_log.load_versions(ReplicationJob, [(job_id, version)])
    if not found:
        raise NotFound(f"there is no job {job_id}")
    return found[0]


async def hindsight(service: Service, job: ReplicationJob, at: datetime, as_known: datetime) -> Hindsight:
    """Return what is known of a job at a time, by the events recorded until `as_known`."""
    known = await service.trail.position_at(as_known)
    entries = await service.trail.events(job.id, MAX_EVENTS)
    return known_at(job.state, [entry.event() for entry in entries if entry.position <= known], at)


async def diff(service: Service, job_id: str, begin: int | datetime, end: int | datetime) -> DiffView:
    """Return the changes of a job between two points, and the events that made them."""
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
    return job_view(job).model_dump(mode="json", exclude={**dict.fromkeys(NOT_SHOWN, True), "ended": {"position"}})
