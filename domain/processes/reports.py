"""Reports that a worker sends by itself: applied as observations, like polled ones.

A report that was sent before an applied one changes nothing. Only the worker's own times are compared with each other,
because its clock may be wrong. A late report is contact all the same: that clock may have been set back. It is safe to
repeat a report. One that could not be stored leaves no trace, and the worker gets an error.

The report of an end is different: it is the worker's last one, no other follows, and a worker need not repeat it. So it
is never too old, it is stored in every state of the job, and where it cannot be stored, that is tried again until it
can. While a recovery run is deciding the job, or it waits for a retry, other reports are only known for a while: the
next one comes within seconds (ADR 21).
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from weakref import WeakValueDictionary

import msgspec

from domain.errors import ConcurrentWrite, IllegalTransition, NotOwner, StorageUnavailable
from domain.events import Cause, Event, Trace
from domain.lifecycle import JobState
from domain.processes.dependencies import Dependencies
from domain.processes.polling import Poller
from domain.processes.recovery import RETRY_AFTER, Recovery
from domain.replication_job import ReplicationJob
from domain.vma_status import WORKER, Observation


class Reports:
    """Applies workers' own reports."""

    def __init__(
        self, shared: Dependencies, poller: Poller, recovery: Recovery, request: Callable[[str, Cause], None]
    ) -> None:
        """`request` requests the recovery of the waiting jobs of which a report came."""
        self._app, self._contact = shared.app, shared.contact
        self._clock, self._log = shared.clock, shared.log
        self._poller = poller
        self._recovery = recovery
        self._request = request
        self._last_sent: dict[str, datetime] = {}
        self._unstored: set[str] = set()
        """The jobs of which an end is tried again to be stored."""
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._app.subscribe(self._forget_ended)

    async def apply(self, job_id: str, observation: Observation, trace: Trace, sent_at: datetime | None) -> str | None:
        """Apply a report; return why it changes nothing, or None if it was applied.

        Args:
            job_id: the reported job.
            observation: the content of the report, with the time of its arrival by this machine's clock.
            trace: the request.
            sent_at: when it was sent by the worker's clock; a report without a time is never too old.

        Raises:
            NotFound: there is no such job.
            StorageUnavailable: it could not be stored.

        """
        if job_id in self._unstored:
            raise StorageUnavailable(
                f"the end that was reported of job {job_id} is tried again to be stored each second"
            )
        # Two reports at once: the later one counts as applied only when it is stored.
        async with self._locks.setdefault(job_id, asyncio.Lock()):
            if sent_at is not None and not observation.is_end and sent_at < self._last_sent.get(job_id, sent_at):
                self._contact.record_late_report(job_id)
                return "a report that was sent later is already applied"
            job = await self._app.last_known(job_id)
            if not job.is_watched:
                return _ended_already(job)
            job, why = await self._apply(job, msgspec.structs.replace(observation, source=WORKER), trace)
            if sent_at is not None and job.is_watched:
                self._last_sent[job_id] = max(sent_at, self._last_sent.get(job_id, sent_at))
            return why

    async def _apply(
        self, job: ReplicationJob, observation: Observation, trace: Trace
    ) -> tuple[ReplicationJob, str | None]:
        """Apply the report by the job's state; return the job after it, and why it changes nothing."""
        with self._contact.reporting(job.id, observation):
            store = self._store_until_stored if observation.is_end else self._store
            job, why = await store(job.id, observation, trace)
        self._contact.record_report(job, observation)
        return job, why

    async def _store_until_stored(
        self, job_id: str, observation: Observation, trace: Trace
    ) -> tuple[ReplicationJob, str | None]:
        try:
            while True:
                try:
                    return await self._store(job_id, observation, trace)
                except (StorageUnavailable, ConcurrentWrite) as error:
                    self._unstored.add(job_id)
                    self._log.error("report_not_recorded", job_id=job_id, error=str(error))
                    await self._clock.sleep(RETRY_AFTER)
        finally:
            self._unstored.discard(job_id)

    async def _store(self, job_id: str, observation: Observation, trace: Trace) -> tuple[ReplicationJob, str | None]:
        """Store the report in whatever state the job is, after the commands on it that are under way."""
        while True:
            job = await self._app.job_after_commands(job_id)
            if not job.is_watched:
                return job, _ended_already(job)
            try:
                return await self._store_in(job, observation, trace)
            except (IllegalTransition, NotOwner):
                # The job's state has changed in the meantime, or its owner.
                continue

    async def _store_in(
        self, job: ReplicationJob, observation: Observation, trace: Trace
    ) -> tuple[ReplicationJob, str | None]:
        if job.state in {JobState.RECOVERING, JobState.PENDING_RETRY} and not observation.is_end:
            return job, self._leave_to_recovery(job)
        if job.state is JobState.RECOVERING:
            job = await self._recovery.decide_by_report(job, observation, trace)
        elif job.is_open:
            job = await self._app.observe(job.id, observation, trace)
            self._poller.record(job, observation)
        else:
            return await self._revise(job, observation, trace)
        return job, None

    async def _revise(
        self, job: ReplicationJob, observation: Observation, trace: Trace
    ) -> tuple[ReplicationJob, str | None]:
        """Compare the report with the guess how the job has ended."""
        guess = f"the job is taken for {job.state.value}"
        if not observation.conclusive:
            return job, f"{guess}, of which the report says nothing certain"
        before = job.version
        job = await self._app.revise(job.id, observation, trace)
        if job.version > before:
            return job, None
        return job, f"{guess}, and the report that says so may be of the newer job of its VM or of a disk"

    def _leave_to_recovery(self, job: ReplicationJob) -> str:
        """Have a waiting job asked about now, and return how the report is taken into account."""
        if job.state is JobState.RECOVERING:
            return "a recovery run is asking the VMA about this job, and takes the report into account"
        self._request(job.id, Cause.RETRY_DUE)
        return "the job waits for its VMA, which is asked now; the report is taken into account"

    def _forget_ended(self, job: ReplicationJob, _events: Sequence[Event]) -> None:
        if not job.is_watched:
            self._last_sent.pop(job.id, None)


def _ended_already(job: ReplicationJob) -> str:
    return f"the job has {job.state.value} already"
