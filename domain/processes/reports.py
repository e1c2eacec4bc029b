"""Reports that a worker sends by itself: taken as observations, like polled ones.

A report that the worker sent before one that was taken already changes nothing. Only the worker's own times are
compared, with each other: its clock may be set to anything. A report that comes twice is harmless.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from domain.application import JobRecovery
from domain.events import Cause, Event, Trace
from domain.lifecycle import JobState
from domain.processes.polling import Poller
from domain.processes.recovery_requests import RecoveryRequests
from domain.replication_job import ReplicationJob
from domain.vma_status import Observation, VMAStatus


class Reports:
    """Takes workers' own reports."""

    def __init__(self, app: JobRecovery, poller: Poller, requests: RecoveryRequests) -> None:
        """What a report says of a job that waits is for recovery to look into."""
        self._app = app
        self._poller = poller
        self._requests = requests
        self._last_sent: dict[str, datetime] = {}
        app.subscribe(self._forget_ended)

    async def take(self, job_id: str, observation: Observation, trace: Trace, sent_at: datetime | None) -> str | None:
        """Take a report; return why it changes nothing, or None if it was applied.

        Args:
            job_id: the job that was reported about.
            observation: what the report says, at the time of our clock at which it came.
            trace: who sent it.
            sent_at: when it was sent by the worker's clock; a report without a time is never late.

        Raises:
            NotFound: there is no such job.

        """
        job = await self._app.job(job_id)
        if sent_at is not None:
            if sent_at < self._last_sent.get(job_id, sent_at):
                return "it was sent before a report that was taken already"
            self._remember(job, sent_at)
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
        live = self._poller.live.get(job.id)
        observation = _with_last_figures(observation, job, live.observation if live else None)
        self._poller.note(job, observation)
        await self._app.observe(job.id, observation, trace)

    def _remember(self, job: ReplicationJob, sent_at: datetime) -> None:
        if _can_change(job):
            self._last_sent[job.id] = sent_at

    def _forget_ended(self, job: ReplicationJob, events: Sequence[Event]) -> None:  # noqa: ARG002 - as listeners are
        if not _can_change(job):
            self._last_sent.pop(job.id, None)


def _can_change(job: ReplicationJob) -> bool:
    return job.is_open or job.is_guess


def _with_last_figures(observation: Observation, job: ReplicationJob, polled: Observation | None) -> Observation:
    """Return a report of a status alone with the figures that were known before; they stand until others come.

    A `completed` has none of its own: those of a copy that was under way would contradict it.
    """
    figures = (observation.progress_percent, observation.bytes_transferred, observation.total_bytes)
    if observation.status is VMAStatus.COMPLETED or any(figure is not None for figure in figures):
        return observation
    last = polled or job
    return msgspec.structs.replace(
        observation,
        phase=observation.phase or last.phase,
        progress_percent=last.progress_percent,
        least_percent=last.least_percent,
        bytes_transferred=last.bytes_transferred,
        total_bytes=last.total_bytes,
        speaks_for=polled.speaks_for if polled else job.progress_speaks_for,
    )
