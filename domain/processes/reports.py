"""Reports that a worker sends by itself: taken as observations, checked and ordered like polled ones.

A report that is not newer than what is known changes nothing, so one that comes late or twice is harmless.
"""

from domain.application import JobRecovery
from domain.events import Cause, Trace
from domain.lifecycle import JobState
from domain.processes.contact import Contact
from domain.processes.polling import Poller
from domain.processes.recovery_requests import RecoveryRequests
from domain.replication_job import ReplicationJob
from domain.vma_status import Observation


class Reports:
    """Takes workers' own reports."""

    def __init__(self, app: JobRecovery, contact: Contact, poller: Poller, requests: RecoveryRequests) -> None:
        """What a report says of a job that waits is for recovery to look into."""
        self._app = app
        self._contact = contact
        self._poller = poller
        self._requests = requests

    async def take(self, job_id: str, observation: Observation, trace: Trace) -> str | None:
        """Take a report; return why it changes nothing, or None if it was applied.

        Raises:
            NotFound: there is no such job.

        """
        job = await self._app.job(job_id)
        if self._is_late(job, observation):
            return "it is not newer than what is known already"
        if job.state is JobState.REPLICATING:
            await self._apply(job, observation, trace)
            return None
        if job.state is JobState.RECOVERING:
            return "a recovery run is asking the VMA about this job"
        if job.state is JobState.PENDING_RETRY:
            self._requests.request(job_id, Cause.RETRY_DUE)
            return "the job waits for its VMA, which is asked about it now"
        if job.is_guess and observation.conclusive:
            await self._app.revise(job_id, observation)
            return None
        return f"the job has {job.state.value} already"

    async def _apply(self, job: ReplicationJob, observation: Observation, trace: Trace) -> None:
        self._poller.note(job, observation)
        await self._app.observe(job.id, observation, trace)

    def _is_late(self, job: ReplicationJob, observation: Observation) -> bool:
        live = self._poller.live.get(job.id)
        known = [job.last_observed_at, live.polled_at if live else None]
        return any(moment is not None and observation.observed_at <= moment for moment in known)
