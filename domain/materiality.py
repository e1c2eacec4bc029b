"""Which observations are worth an event.

Only material ones: a change of status or phase, at least 1 % of progress, a change of a disk, or a minute since the
last. A long job so has hundreds of events, not tens of thousands; what lies between stays in the poller's memory.
"""

from domain.job_state import JobFields
from domain.vma_status import CONCLUSIVE, DiskReading, Observation

MATERIAL_PERCENT = 1.0
MATERIAL_SECONDS = 60.0


def is_material(job: JobFields, observation: Observation) -> bool:
    """Whether a polled observation of this job is to be recorded."""
    if (observation.status, observation.doubtful) != (job.vma_status, job.doubtful):
        return True
    if others_changed(job, observation):
        return True
    if job.last_observed_at is None or _seconds_since_last(job, observation) >= MATERIAL_SECONDS:
        return True
    if observation.status not in CONCLUSIVE:
        return False
    phase_changed = observation.phase not in {None, job.phase}
    return phase_changed or _progress_changed(job, observation)


def _seconds_since_last(job: JobFields, observation: Observation) -> float:
    last = job.last_observed_at or observation.observed_at
    # The machine's clock may have been set back meanwhile.
    return abs((observation.observed_at - last).total_seconds())


def others_changed(job: JobFields, observation: Observation) -> bool:
    """Return whether a previous worker's document says something new: it tells that worker's end from this job's."""
    known = {one.volume_id: one.status for one in job.left_over}
    return any(known.get(said.volume_id) is not said.status for said in observation.previous)


def _progress_changed(job: JobFields, observation: Observation) -> bool:
    if _moved(job.progress_percent, observation.progress_percent):
        return True
    return any(_disk_changed(job.disks.get(disk.volume_id), disk) for disk in observation.disks)


def _disk_changed(before: DiskReading | None, now: DiskReading) -> bool:
    if now.status not in CONCLUSIVE:
        return False
    if before is None or (before.status, before.phase) != (now.status, now.phase):
        return True
    return _moved(before.progress_percent, now.progress_percent)


def _moved(before: float | None, now: float | None) -> bool:
    if before is None or now is None:
        return before is None and now is not None
    return abs(now - before) >= MATERIAL_PERCENT
