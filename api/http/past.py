"""Past states of jobs, folded from their events up to a moment."""

from datetime import datetime
from typing import Any

import msgspec

from api.http.dependencies import FEW_EVENTS, check_read_model
from api.http.event_ids import digest_at
from api.http.moments import LogMoment, Moment, Position, Version
from api.http.schemas.history import DiffView
from api.http.schemas.present import MAX_INT, AsOf
from api.http.views import job_view
from api.runtime.bootstrap import Service
from domain.errors import NotFound, Refused
from domain.replication_job import ReplicationJob
from projections.queries.hindsight import Hindsight, known_at

MAX_EVENTS = 100_000
"""Maximum events of one job that are read; a job has hundreds."""

NOT_SHOWN = {"version", "as_of", "as_known", "hindsight", "live", "retry_in", "needs_attention"}
"""Fields of a job's view that a diff omits."""


async def as_of(service: Service, *moments: LogMoment) -> list[AsOf]:
    """Return the position and the time of each moment, all of the same state of the log.

    An event that is stored while they are looked up belongs to none of them, and makes none past that was to come.
    """
    known = service.projector.position
    are_known = all(isinstance(one, Position) and one.number <= known for one in moments)
    has_all = are_known or await check_read_model(service, may_lack=FEW_EVENTS)
    end = service.projector.position
    return [await _as_of(service, one, end, has_all=has_all) for one in moments]


async def _as_of(service: Service, moment: LogMoment, end: int, *, has_all: bool) -> AsOf:
    if isinstance(moment, datetime):
        is_future = moment > service.clock.now() or not has_all
        return AsOf(position=await service.trail.position_at(moment, end), time=moment, is_future=is_future)
    position = min(moment.number, end)
    return AsOf(position=position, time=await service.trail.time_at(position), is_future=moment.number > end)


async def as_of_job(service: Service, job_id: str, *moments: Moment) -> list[AsOf]:
    """Return the position and the time of each moment of a job, all of the same state of the log.

    Raises:
        NotFound: there is no such job, or it has no such version.

    """
    # Versions first: their events are then in the state of the log that the other moments are of.
    found: dict[Moment, AsOf] = {
        one: await _as_of_version(service, job_id, one) for one in moments if isinstance(one, Version)
    }
    of_log = [one for one in moments if not isinstance(one, Version)]
    found.update(zip(of_log, await as_of(service, *of_log), strict=True))
    return [found[one] for one in moments]


async def _as_of_version(service: Service, job_id: str, version: Version) -> AsOf:
    position = await _position_of(service, job_id, version.number)
    return AsOf(position=position, time=await service.trail.time_at(position), is_future=False)


async def as_begun(service: Service, first: AsOf, seen: str | None) -> AsOf:
    """Return the moment of a further page of a list of the past: that of its first one, whatever it is by now.

    Raises:
        Refused: the log has another event at the position. What is there now is not what the first page showed.
        ReadModelAway: the read model does not have the events up to it, as while it is derived anew.

    """
    if await digest_at(service.event_log, first.position) not in {seen, None}:
        raise Refused(
            f"the event log has another event at position {first.position} than when this list was begun: it was "
            "probably restored from a backup. Begin again with the first page"
        )
    if first.position > service.projector.position:
        await check_read_model(service)
    return first


async def job_at(service: Service, job_id: str, moment: Moment, then: AsOf) -> ReplicationJob:
    """Return a job at a moment, of which `then` is the position.

    Raises:
        NotFound: the job did not exist yet.

    """
    version = await service.trail.version_at(job_id, then.position)
    found = await service.event_log.load_versions(ReplicationJob, [(job_id, version)]) if version else []
    if not found:
        when = moment.isoformat() if isinstance(moment, datetime) else f"position {then.position}"
        raise NotFound(f"there was no job {job_id} at {when}")
    return found[0]


async def _position_of(service: Service, job_id: str, version: int) -> int:
    present = await service.trail.version_at(job_id, MAX_INT)
    if present == 0:
        raise NotFound(f"there is no job {job_id}")
    if not 1 <= version <= present:
        raise NotFound(f"job {job_id} has no version {version}: its versions are 1 to {present}")
    return await service.trail.position_of(job_id, version)


async def hindsight(service: Service, job: ReplicationJob, then: AsOf, known: AsOf) -> Hindsight | None:
    """Return what is known of a job at a moment, by the events up to another one; None before the first event."""
    if then.time is None:
        return None
    entries = await service.trail.events(job.id, MAX_EVENTS)
    return known_at(job.state, [entry.event() for entry in entries if entry.position <= known.position], then.time)


async def diff(service: Service, job_id: str, begin: Moment, end: Moment) -> DiffView:
    """Return the changes of a job between two moments, and the events that made them."""
    from_as_of, to_as_of = await as_of_job(service, job_id, begin, end)
    one = await job_at(service, job_id, begin, from_as_of)
    other = await job_at(service, job_id, end, to_as_of)
    before, after = _shown(one), _shown(other)
    low, high = sorted((one.version, other.version))
    entries = await service.trail.events(job_id, MAX_EVENTS)
    found = {
        "job_id": job_id,
        "from_version": one.version,
        "from_as_of": from_as_of,
        "to_version": other.version,
        "to_as_of": to_as_of,
        "changes": [{"field": n, "before": before[n], "after": after[n]} for n in before if before[n] != after[n]],
        "events": [entry for entry in entries if low < entry.version <= high],
    }
    return DiffView.model_validate(found, from_attributes=True)


def _shown(job: ReplicationJob) -> dict[str, Any]:
    shown = {name: value for name, value in msgspec.to_builtins(job_view(job)).items() if name not in NOT_SHOWN}
    if shown["ended"] is not None:
        del shown["ended"]["position"]
    return shown
