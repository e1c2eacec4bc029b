"""Evidence: everything that a recovery decision is made from. It is stored whole in the decision's event."""

from datetime import datetime

import msgspec

from domain.vma_status import Observation, VMAStatus


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """For how long, and over how many probes, one same answer has held while this process asked without a break.

    `unheard_for`: for how long nothing conclusive was heard, whatever was answered instead. Seconds.
    """

    status: VMAStatus
    held_for: float
    probes: int
    unheard_for: float = 0.0


class Amnesia(msgspec.Struct, frozen=True, kw_only=True):
    """A VMA that did not know most of the jobs it was asked for: since when, and how many of how many."""

    since: datetime
    not_found: int
    asked: int


class Circumstances(msgspec.Struct, frozen=True, kw_only=True):
    """What is known beside an observation: of the silence, and of the VMA as a whole.

    `without_contact`: seconds since the VMA was last heard of this job, or at all, whichever is later. `replaced`:
    its address has changed since it knew the job, and it has not shown since then that it knows any of our jobs.
    `reached`: it has answered at its present address; if it never has, the address may be wrong.
    """

    silence: Silence
    without_contact: float
    amnesia: Amnesia | None = None
    replaced: bool = False
    reached: bool = True


class DiskProgress(msgspec.Struct, frozen=True, kw_only=True):
    """The last progress that one disk itself was seen with, in percent; None if it never was."""

    volume_id: str
    progress_percent: float | None


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a decision is made from."""

    state_before: str
    observation: Observation
    decided_at: datetime
    registered_at: datetime
    last_contact_at: datetime
    seen_on_vma: bool
    progress_percent: float
    progress_speaks_for: int
    disks: tuple[DiskProgress, ...]
    silence: Silence
    contact_age: float | None = None
    amnesia: Amnesia | None = None
    replaced: bool = False
    reached: bool = True

    @property
    def without_contact(self) -> float:
        """Seconds since the last contact. Events of earlier versions hold only the times."""
        age = (self.decided_at - self.last_contact_at).total_seconds()
        return age if self.contact_age is None else self.contact_age

    @property
    def least_progress(self) -> float:
        """The last progress of the least favourable disk, in percent.

        A disk that never had a document of its own counts as 0 % beside disks that had. Where none ever had
        (the worker reports under the job's id), the job's own progress speaks for as many disks as it was of:
        a worker that shares one id for several disks counts each from 0 to 100 %.
        """
        own = [disk.progress_percent for disk in self.disks]
        if any(percent is not None for percent in own):
            # The job's own id may have told of a disk that was not registered.
            return min(self.progress_percent, *(percent or 0.0 for percent in own))
        return self.progress_percent if self.progress_speaks_for >= len(own) else 0.0
