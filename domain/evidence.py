"""Evidence: everything that a recovery decision is made from. The decision's event stores it."""

from datetime import datetime

import msgspec

from domain.vma_status import Observation, VMAStatus


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """For how long, and over how many probes, the answer was the same while this process asked without a break.

    `inconclusive_for`: for how long no answer was conclusive, whichever they were. Seconds.
    """

    status: VMAStatus
    duration: float = msgspec.field(name="held_for")
    probes: int
    inconclusive_for: float = msgspec.field(default=0.0, name="unheard_for")


class Amnesia(msgspec.Struct, frozen=True, kw_only=True):
    """A VMA that has forgotten most of its jobs: since when, and how many of how many, with those it knows again."""

    since: datetime
    not_found: int
    asked: int


class Circumstances(msgspec.Struct, frozen=True, kw_only=True):
    """What is known besides an observation: the silence, and the state of the VMA as a whole.

    `without_contact`: seconds since the last contact with the job, or with its VMA, whichever is later. `replaced`:
    the VMA's address has changed since it knew the job, and it has not known any of our jobs at the new one.
    `reached`: it has answered at its present address; if it never has, the address may be wrong.
    """

    silence: Silence
    without_contact: float
    amnesia: Amnesia | None = None
    replaced: bool = False
    reached: bool = True


class DiskProgress(msgspec.Struct, frozen=True, kw_only=True):
    """The last observed progress of one disk, in percent; None if there is none."""

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
    progress_covers: int = msgspec.field(name="progress_speaks_for")
    disks: tuple[DiskProgress, ...]
    silence: Silence
    contact_age: float | None = None
    amnesia: Amnesia | None = None
    replaced: bool = False
    reached: bool = True

    @property
    def without_contact(self) -> float:
        """Return the seconds since the last contact. Events of earlier versions have only the times."""
        age = (self.decided_at - self.last_contact_at).total_seconds()
        return age if self.contact_age is None else self.contact_age

    @property
    def least_progress(self) -> float:
        """Return the last progress of the least favourable disk, in percent.

        A disk that never had a document of its own counts as 0 %, if other disks had one. If none ever had
        (the worker reports under the job's id), the job's own progress counts if it covers every disk:
        a worker that shares one id for several disks counts each from 0 to 100 %.
        """
        own = [disk.progress_percent for disk in self.disks]
        if any(percent is not None for percent in own):
            # The job's own id may have reported a disk that was not registered.
            return min(self.progress_percent, *(percent or 0.0 for percent in own))
        return self.progress_percent if self.progress_covers >= len(own) else 0.0
