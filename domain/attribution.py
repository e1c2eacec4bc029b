"""Attribution: whether a document is a statement of this job's own worker. The one place where that is judged.

An export is named by its volume. The VMA keeps its document until the next worker writes, and even then may keep the
figures and the start time. So a document counts as this job's only if it cannot be the previous worker's.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum

import msgspec

from domain.vma_status import ENDS, DiskReading, Observation, VMAStatus

SUSPICIOUS = 100.0
"""Percent. A worker that was never seen below it may show the previous worker's figures."""


ANSWERED = frozenset({VMAStatus.RUNNING, VMAStatus.NOT_FOUND, *ENDS})
"""What an export must answer for it to be known what stands there."""


class Whose(StrEnum):
    """Whose statement a document is."""

    OWN = "own"
    PREVIOUS = "previous"
    UNSURE = "unsure"


class Former(DiskReading, frozen=True, kw_only=True):
    """What an export said before this job's own worker wrote there.

    `alive`: the previous worker may still write; by default, if it was last seen running. One that was given up, and
    shares the export among its disks, may go on after an end. A `running` that is not
    alive is overtaken: this job's worker writes there now, beside figures that may still be the previous one's.
    One that is neither running nor ended is of an earlier job of which nothing was heard.
    `one_disk`: the export was known to speak for one disk only, so that its figures never went down.
    """

    alive: bool | None = None
    one_disk: bool = False

    @property
    def may_still_write(self) -> bool:
        """Whether the previous worker may still be at work."""
        return self.status is VMAStatus.RUNNING if self.alive is None else self.alive

    def overtaken(self) -> "Former":
        """Return this with only its figures standing: this job's worker has begun."""
        return msgspec.structs.replace(self, status=VMAStatus.RUNNING, alive=False)


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What stood on the VMA when a job was registered: of its volumes' exports, and where the VMA was asked."""

    left_over: tuple[Former, ...] = ()
    unasked: tuple[str, ...] = ()
    address: str | None = None


def attribute(said: DiskReading, former: Former | None, *, unasked: bool = False) -> Whose:
    """Return whose statement an export's document is.

    Args:
        said: the document's reading; a conclusive one.
        former: what is known to have stood there before; None if nothing did.
        unasked: whether the VMA could not be asked what stood there when the job was registered.

    """
    if former is None:
        return _possibly_previous(said) if unasked and said.status in ENDS else Whose.OWN
    if former.status in ENDS and not former.alive:
        return _after_an_end(said, former)
    if former.status is VMAStatus.RUNNING and not former.may_still_write:
        return Whose.OWN
    # Another start time proves nothing: a VMA that has restarted gives the same worker's document a new one.
    return Whose.OWN if former.one_disk and _went_down(said, former) else Whose.PREVIOUS


def own_figures(said: DiskReading, former: Former | None) -> DiskReading:
    """Return a running worker's reading without the figures that the previous worker left there."""
    if former is None or said.status is not VMAStatus.RUNNING:
        return said
    percent, done = said.progress_percent, said.bytes_transferred
    return msgspec.structs.replace(
        said,
        progress_percent=None if _may_be_left(percent, former.progress_percent, SUSPICIOUS) else percent,
        bytes_transferred=None if _may_be_left(done, former.bytes_transferred, said.total_bytes) else done,
    )


def standing_at_registration(found: DiskReading | None, last: Former | None) -> Former | None:
    """Return what a new job's export holds of others.

    Args:
        found: what the VMA answered for the export; None if it could not be asked.
        last: what the export last said of the volume's previous job here; None if there was none.

    """
    if found is None:
        return last
    if found.status in ENDS:
        return as_former(found, last)
    if found.status is not VMAStatus.RUNNING:
        return last if last is not None and last.may_still_write else None
    # A worker that shares an export goes on to its next disk after one has failed.
    goes_on = last is not None and last.status is VMAStatus.FAILED and not last.one_disk
    if last is not None and not goes_on and attribute(found, last) is Whose.OWN:
        return last.overtaken()
    if last is not None:
        return as_former(found, last)
    stated = found.stated_progress
    return as_former(found, None).overtaken() if stated is not None and stated >= SUSPICIOUS else None


def as_former(found: DiskReading, last: Former | None) -> Former:
    """Return what a document of others says; what was known of its export stays known."""
    known = {name: getattr(found, name) for name in DiskReading.__struct_fields__}
    goes_on = True if last is not None and last.alive else None
    return Former(**known, alive=goes_on, one_disk=last is not None and last.one_disk)


def standing(found: Observation | None, last: Mapping[str, Former | None], elsewhere: Collection[str] = ()) -> Standing:
    """Return what stands of others when a job is registered.

    Args:
        found: what the VMA answered at that moment; None if it did not answer in time.
        last: what the export of each of the job's volumes last said of earlier jobs here; None if there were none.
        elsewhere: the volumes whose last job was known at another address. That nothing stands here says nothing of it.

    """
    said = found.disks if found is not None else ()
    disks = {d.volume_id: d for d in said if d.status in ANSWERED and d.belied_at is None}
    for volume_id in elsewhere:
        if volume_id in disks and disks[volume_id].status is VMAStatus.NOT_FOUND:
            del disks[volume_id]
    stands = [standing_at_registration(disks.get(volume_id), former) for volume_id, former in last.items()]
    return Standing(
        left_over=tuple(one for one in stands if one is not None),
        unasked=tuple(v for v, former in last.items() if v not in disks and former is None),
        address=found.address if found is not None and disks else None,
    )


def after(former: Former, said: DiskReading) -> Former | None:
    """Return what still stands of the previous worker, after this job's own worker was heard."""
    if said.status is VMAStatus.RUNNING and said.stated_progress is None:
        return former.overtaken()
    return None


def _after_an_end(said: DiskReading, former: Former) -> Whose:
    """Judge a document where the previous worker had ended: whatever is written after that is this job's."""
    if said.status is VMAStatus.RUNNING or _compared(said, former):
        return Whose.OWN
    # A whole sync without changes may have run unseen: it changes nothing but its type.
    return _possibly_previous(said) if _differ(said.sync_type, former.sync_type) else Whose.PREVIOUS


def _possibly_previous(said: DiskReading) -> Whose:
    """Return `unsure` for a completion, which may count once it has held; a failure is never concluded from doubt."""
    return Whose.UNSURE if said.status is VMAStatus.COMPLETED else Whose.PREVIOUS


def _compared(said: DiskReading, former: Former) -> bool:
    """Return whether anything but the sync type differs, of what both tell."""
    names = ("status", "progress_percent", "bytes_transferred", "total_bytes", "phase", "started")
    return any(_differ(getattr(said, name), getattr(former, name)) for name in names)


def _may_be_left(now: float | None, before: float | None, whole: float | None) -> bool:
    """Return whether a figure is the previous worker's; where that one's is not known, any that is the whole may be."""
    if before is not None:
        return now == before
    return now is not None and whole is not None and now >= whole


def _differ(said: object, before: object) -> bool:
    return said is not None and before is not None and said != before


def _went_down(said: DiskReading, former: Former) -> bool:
    now, before = said.stated_progress, former.stated_progress
    return said.status is VMAStatus.RUNNING and now is not None and before is not None and now < before
