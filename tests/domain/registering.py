"""Jobs that are registered after others on their volumes."""

from domain.attribution import InitialReadings, PreviousReading
from domain.events import Trace
from domain.replication_job import ReplicationJob
from domain.vma_status import Document, Observation, VMAStatus
from tests.support.builders import JOB, NOON, at, document, observed, registration

TRACE = Trace("request-1", "request-1")


def running(percent: float, seconds: float) -> Observation:
    return observed(document(VMAStatus.RUNNING, percent, started="10:00"), seconds=seconds)


def registered() -> ReplicationJob:
    job = ReplicationJob(id=JOB)
    job.register(registration(job.id, vm_name="pgtest1", vm_context_id="ctx-1"), NOON, TRACE)
    return job


def former(job: ReplicationJob) -> list[tuple[str, VMAStatus]]:
    return [(one.volume_id, one.status) for one in job.previous_readings]


class JobUnder:
    """A job, and what its exports say one after the other."""

    def __init__(self, job: ReplicationJob) -> None:
        self.job = job

    def hears(self, *exports: Document | VMAStatus, own: Document | VMAStatus | None = None) -> ReplicationJob:
        """Have it observed as polling does, with what it knows of others."""
        target = self.job.target_at(None)
        seen = observed(
            *exports,
            own=own,
            previous_readings=target.previous_readings,
            unasked=target.unasked,
            seen_volumes=target.seen_volumes,
            reused=target.reused,
        )
        self.job.observe(seen, at(10))
        return self.job


def registered_after(
    *left: PreviousReading, volumes: tuple[str, ...] = ("v1", "v2"), unasked: tuple[str, ...] = ()
) -> JobUnder:
    """Register a job on volumes where others have left this."""
    job = ReplicationJob(id=JOB)
    job.register(
        registration(job.id, vm_name="pgtest1", vm_context_id="ctx-1", volume_ids=volumes),
        NOON,
        TRACE,
        InitialReadings(previous_readings=left, unasked=unasked),
    )
    return JobUnder(job)
