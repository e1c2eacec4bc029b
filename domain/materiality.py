"""Materiality: which observations become events.

Material are: a change of status or phase, at least 1 % of progress, a change of a disk, or a minute since the last
event. So a long job has hundreds of events, not tens of thousands; the poller has the others in memory.
"""

from domain.job_state import JobFields
from domain.vma_status import CONCLUSIVE, DiskReading, Observation

MATERIAL_PERCENT = 1.0
MATERIAL_SECONDS = 60.0


def is_material(job: JobFields, observation: Observation) -> bool:
    """Return whether an observation of this job is to be recorded."""
    if (observation.status, observation.doubtful) != (job.vma_status, job.doubtful):
        return True
    if others_changed(job, observation) or _is_last_too_old(job, observation):
        return True
    if observation.status not in CONCLUSIVE:
        return False
    return observation.phase not in {None, job.phase} or _progress_changed(job, observation)


def _is_last_too_old(job: JobFields, observation: Observation) -> bool:
    last = job.last_observed_at
    # The machine's clock may have been set back meanwhile.
    return last is None or abs((observation.observed_at - last).total_seconds()) >= MATERIAL_SECONDS


def others_changed(job: JobFields, observation: Observation) -> bool:
    """Return whether a previous worker's document has another status: later, its end must not count as this job's."""
    known = {reading.volume_id: reading.status for reading in job.previous_readings}
    return any(known.get(disk.volume_id) is not disk.status for disk in observation.previous)


def _progress_changed(job: JobFields, observation: Observation) -> bool:
    if _moved(job.progress_percent, observation.progress_percent):
        return True
    if observation.least_percent is not None and _moved(job.least_percent, observation.least_percent):
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
