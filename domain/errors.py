"""The errors of the domain, all in one place.

JobRecoveryError
├── InvalidInput           the request is malformed: nothing was changed
├── NotFound               there is no such job, run or VM context
├── Refused                well-formed, but not allowed now
│   ├── IllegalTransition  the job's state does not allow it
│   ├── JobExists          another job with other content has the id
│   ├── ContextBusy        the VM context already has an active job
│   ├── VolumeBusy         a volume belongs to an open job
│   └── VersionMismatch    the job is not at the version that the command was made for
├── ConcurrentWrite        another writer stored to the stream first: reload and decide again
├── NotOwner               another instance watches the jobs of this VMA: nothing was stored
└── StorageUnavailable     the log cannot be written or read now: nothing was acknowledged
    └── LogChanged         the log has gone back, or another process wrote to it: read everything anew
"""


class JobRecoveryError(Exception):
    """Base of the errors that this service raises."""


class InvalidInput(JobRecoveryError):
    """The request is malformed; nothing was changed."""


class NotFound(JobRecoveryError):
    """There is no such job, run or VM context."""


class Refused(JobRecoveryError):
    """Well-formed, but not allowed in the present state."""


class IllegalTransition(Refused):
    """The lifecycle has no such transition from the job's state, or the job's outcome is final, which `why` tells."""

    def __init__(self, job_id: str, state: str, event: str, why: str | None = None) -> None:
        why = why or f": '{event}' is not possible in this state"
        super().__init__(f"job {job_id} is {state}{why}")
        self.job_id = job_id
        self.state = state
        self.event = event


class JobExists(Refused):
    """Another job with other content has the id."""


class ContextBusy(Refused):
    """The VM context already has an active job."""


class VolumeBusy(Refused):
    """A volume belongs to an open job: one export cannot serve two workers."""


class VersionMismatch(Refused):
    """The job is not at the version that the command was made for."""


class ConcurrentWrite(JobRecoveryError):
    """Another writer stored these versions first; the instance must be dropped and reloaded."""


class NotOwner(JobRecoveryError):
    """Another instance watches the jobs of this VMA, or may do so; nothing was stored."""


class StorageUnavailable(JobRecoveryError):
    """The event log cannot be used now; nothing was acknowledged."""


class LogChanged(StorageUnavailable):
    """The log is not as this process left it: what the process remembers of it is not true any more."""
