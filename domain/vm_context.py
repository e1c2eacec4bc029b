"""The VM context: admits one active job at a time.

Its events are stored in the same transaction as those of the job that it admits or releases, so that no crash can
leave a VM with two active jobs, or blocked by one that ended.
"""

from datetime import datetime
from typing import ClassVar

from domain.aggregate import Aggregate
from domain.errors import ContextBusy
from domain.events import Event, JobAdmitted, JobReleased, Trace


class VMContext(Aggregate, kw_only=True):
    """One VM, and the job that is active for it."""

    kind: ClassVar[str] = "vm-context"
    begins_with: ClassVar[type[Event]] = Event
    """Earlier versions may have stored a job's events in a context's stream; its versions continue after them."""

    PREFIX: ClassVar[str] = "vm-context:"

    vm_name: str = ""
    active_job: str | None = None
    last_job: str | None = None
    jobs: int = 0

    @staticmethod
    def stream_id(vm_context_id: str) -> str:
        """Return the id of the context's event stream, which no job can have."""
        return f"{VMContext.PREFIX}{vm_context_id}"

    @property
    def vm_context_id(self) -> str:
        """Return the id of this context in the API."""
        return self.id.removeprefix(self.PREFIX)

    def check_free(self, job_id: str) -> None:
        """Check that no other job is active.

        Raises:
            ContextBusy: another job is active.

        """
        if self.active_job not in {None, job_id}:
            raise ContextBusy(
                f"VM context {self.vm_context_id} already has the active job {self.active_job}: "
                f"{job_id} can be registered when that one has ended"
            )

    def admit(self, job_id: str, vm_name: str, at: datetime, trace: Trace) -> None:
        """Make the job the active one. Safe to repeat.

        Raises:
            ContextBusy: another job is active.

        """
        self.check_free(job_id)
        if self.active_job is None:
            self.record(JobAdmitted, at, trace, job_id=job_id, vm_name=vm_name)

    def release(self, job_id: str, at: datetime, trace: Trace) -> None:
        """Release the job. Safe to repeat: a job that is not the active one changes nothing."""
        if self.active_job == job_id:
            self.record(JobReleased, at, trace, job_id=job_id)

    def newer_job_than(self, job_id: str) -> str | None:
        """Return the job that was admitted after this one; None if there is none."""
        return self.last_job if self.last_job != job_id else None

    def evolve(self, event: Event) -> None:
        """Assign what the event states."""
        match event:
            case JobAdmitted():
                # Only the last job can be admitted again: a revised outcome with a newer job stays.
                self.jobs += event.job_id != self.last_job
                self.active_job = self.last_job = event.job_id
                self.vm_name = event.vm_name
            case JobReleased():
                self.active_job = None
            case _:
                pass
