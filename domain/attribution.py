"""Attribution: whether a document is from this job's own worker. The only place where this is judged.

An export is named by its volume. The VMA retains an export's document until the next worker writes, and even then may
retain its figures and its start time. So a document counts as this job's only if it cannot be the previous worker's.
"""

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum

import msgspec

from domain.vma_status import ENDS, DiskReading, Observation, VMAStatus

SUSPECT_PERCENT = 100.0
"""A worker that was never seen below this progress may show the previous worker's figures."""

ANSWERED = frozenset({VMAStatus.RUNNING, VMAStatus.NOT_FOUND, *ENDS})
"""The answers of an export that tell whether it has a document, and which."""

NO_PREVIOUS_END = frozenset({VMAStatus.RUNNING, VMAStatus.NOT_FOUND})
"""The answers of an export that has no document in which a previous worker ended."""


FIGURES = ("status", "progress_percent", "bytes_transferred", "total_bytes")
"""What a worker does not change of its last end."""

PROGRESS = ("progress_percent", "bytes_transferred")
"""What only grows while the same worker writes."""

CIRCUMSTANCES = ("phase", "started", "sync_type")
"""What the same worker may change of it, when it writes its end again."""


class Attribution(StrEnum):
    """Which job's worker a document is from."""

    OWN = "own"
    PREVIOUS = "previous"
    UNCERTAIN = "uncertain"


class PreviousReading(DiskReading, frozen=True, kw_only=True):
    """What an export answered before this job's own worker wrote to it.

    `alive`: whether the previous worker may still write; None: it may, if its last status was running. A worker of
    an abandoned job may, if it shares the export among its disks, or if its VMA did not answer until the job was given
    up: a VMA that has just restarted has no document of it.
    A `running` that is not alive is superseded: this job's worker writes there now, but the figures may still be the
    previous worker's. A status that is neither running nor an end: an earlier job exists, but it was never observed.
    `one_disk`: the export was known to report one disk only, so its figures never decreased.
    """

    alive: bool | None = None
    one_disk: bool = False

    @property
    def may_still_write(self) -> bool:
        """Return whether the previous worker may still be active."""
        return self.status is VMAStatus.RUNNING if self.alive is None else self.alive

    def superseded(self) -> "PreviousReading":
        """Return this reading for when this job's worker has begun: only the figures may still be the previous ones."""
        return msgspec.structs.replace(self, status=VMAStatus.RUNNING, alive=False)


class InitialReadings(msgspec.Struct, frozen=True, kw_only=True):
    """What the VMA had of earlier jobs of the volumes, first at a job's registration, then until its own worker writes.

    `unasked` are the volumes whose exports could not be asked. `address` is where the VMA was asked.
    """

    previous_readings: tuple[PreviousReading, ...] = ()
    unasked: tuple[str, ...] = ()
    address: str | None = None

    def elsewhere(self, unseen: Iterable[str]) -> tuple[PreviousReading, ...]:
        """Return the previous readings that are possible at another address of the VMA.

        An absent document at one address tells nothing about another, so `unseen` volumes may have one there.
        """
        known = {reading.volume_id for reading in self.previous_readings}
        return (*self.previous_readings, *(unobserved(volume_id) for volume_id in unseen if volume_id not in known))


def unobserved(volume_id: str) -> PreviousReading:
    """Return the reading of a volume whose earlier job was never observed."""
    return PreviousReading(volume_id=volume_id, status=VMAStatus.UNANSWERED)


def attribute(reading: DiskReading, previous: PreviousReading | None, *, unasked: bool = False) -> Attribution:
    """Return whose worker an export's document is from.

    Args:
        reading: the document's reading; a conclusive one.
        previous: the export's known reading of an earlier job; None if there is none.
        unasked: whether the export could not be asked when the job was registered.

    """
    if previous is None:
        return _uncertain_or_previous(reading) if unasked and reading.status in ENDS else Attribution.OWN
    if previous.status in ENDS and not previous.alive:
        return _after_an_end(reading, previous, unasked=unasked)
    if previous.status is VMAStatus.RUNNING and not previous.may_still_write:
        return Attribution.OWN
    # Another start time proves nothing: a VMA that has restarted gives the same worker's document a new one.
    return Attribution.OWN if previous.one_disk and _decreased(reading, previous) else Attribution.PREVIOUS


def own_figures(reading: DiskReading, previous: PreviousReading | None) -> DiskReading:
    """Return a running worker's reading without figures that may be the previous worker's."""
    if previous is None or reading.status is not VMAStatus.RUNNING:
        return reading
    percent, done = reading.progress_percent, reading.bytes_transferred
    return msgspec.structs.replace(
        reading,
        progress_percent=None if _may_be_previous(percent, previous.progress_percent, SUSPECT_PERCENT) else percent,
        bytes_transferred=None if _may_be_previous(done, previous.bytes_transferred, reading.total_bytes) else done,
    )


def initial_reading(found: DiskReading | None, last: PreviousReading | None) -> PreviousReading | None:
    """Return an export's reading of earlier jobs at the registration of a new job; None if it has none.

    Args:
        found: what the export answered; None if it could not be asked.
        last: the last known reading of the volume's previous job at this VMA; None if there was no such job.

    """
    if found is None:
        return last
    if found.status in ENDS:
        return as_previous(found, last)
    if found.status is not VMAStatus.RUNNING:
        # A worker may write its end again after its VMA has restarted.
        return last if last is not None and (last.may_still_write or last.status in ENDS) else None
    if last is None:
        percent = found.stated_progress
        return as_previous(found, None).superseded() if percent is not None and percent >= SUSPECT_PERCENT else None
    # A worker that shares an export continues with its next disk after one has failed.
    continues = last.status is VMAStatus.FAILED and not last.one_disk
    is_own = not continues and attribute(found, last) is Attribution.OWN
    return last.superseded() if is_own else as_previous(found, last)


def as_previous(found: DiskReading, last: PreviousReading | None) -> PreviousReading:
    """Return an earlier job's document as a previous reading; what was known about its export still applies."""
    known = {name: getattr(found, name) for name in DiskReading.__struct_fields__}
    continues = True if last is not None and last.alive and last.is_statement else None
    return PreviousReading(**known, alive=continues, one_disk=last is not None and last.one_disk)


def initial_readings(
    found: Observation | None, last: Mapping[str, PreviousReading | None], elsewhere: Collection[str] = ()
) -> InitialReadings:
    """Return what the VMA has of earlier jobs when a job is registered.

    Args:
        found: the VMA's answers at that moment; None if it did not answer in time.
        last: the last known reading of each volume's previous job at this VMA; None if there was no such job.
        elsewhere: the volumes whose last job was known at another address. Their absence here tells nothing about it.

    """
    disks = {
        disk.volume_id: disk
        for disk in (found.disks if found is not None else ())
        if disk.status in ANSWERED and disk.contradicting_progress is None
        if disk.status is not VMAStatus.NOT_FOUND or disk.volume_id not in elsewhere
    }
    readings = [initial_reading(disks.get(volume_id), previous) for volume_id, previous in last.items()]
    return InitialReadings(
        previous_readings=tuple(reading for reading in readings if reading is not None),
        unasked=tuple(v for v, previous in last.items() if v not in disks and _may_be_rewritten(previous)),
        address=found.address if found is not None and disks else None,
    )


def _may_be_rewritten(last: PreviousReading | None) -> bool:
    """Return whether an export may have another end of an earlier job than the known one, if there is one."""
    return last is None or (last.status in ENDS and not last.alive)


def updated_readings(
    known: InitialReadings, seen: Observation, volume_ids: tuple[str, ...], unseen: tuple[str, ...], *, may_move: bool
) -> InitialReadings:
    """Return the previous readings after an observation by the VMA.

    Args:
        known: the previous readings before it.
        seen: the observation.
        volume_ids: the volumes of the job.
        unseen: those with an earlier job that was not observed at registration.
        may_move: whether another address of the VMA replaces the known one; it does until the VMA knows the job.

    """
    if seen.address in {None, known.address} and not (known.previous_readings or known.unasked or seen.previous):
        return known
    # An export that has no document has no previous one, and where this job's worker runs the document is its own.
    answered = {disk.volume_id for disk in seen.disks if disk.status in NO_PREVIOUS_END}
    after = InitialReadings(
        previous_readings=tuple(_readings_after(known, seen)), unasked=known.unasked, address=known.address
    )
    if may_move and seen.address not in {None, known.address} and (answered or seen.is_contact):
        after = InitialReadings(previous_readings=after.elsewhere(unseen), unasked=volume_ids, address=seen.address)
    if seen.address != after.address:
        return after
    return msgspec.structs.replace(after, unasked=tuple(v for v in after.unasked if v not in answered))


def remaining(previous: PreviousReading, own: DiskReading) -> PreviousReading | None:
    """Return what of a previous reading still applies after this job's own worker was observed; None if nothing.

    A worker may keep the previous percentage also when it writes bytes of its own: until it writes another one.
    """
    return previous.superseded() if own.status is VMAStatus.RUNNING and own.progress_percent is None else None


def _readings_after(known: InitialReadings, seen: Observation) -> Iterable[PreviousReading]:
    own = {disk.volume_id: disk for disk in seen.disks if disk.is_statement}
    absent = {disk.volume_id for disk in seen.disks if disk.status is VMAStatus.NOT_FOUND}
    readings = {reading.volume_id: reading for reading in known.previous_readings}
    never_seen = {v for v, r in readings.items() if r.status is VMAStatus.UNANSWERED and not r.alive}
    for disk in seen.previous:
        readings[disk.volume_id] = as_previous(disk, readings.get(disk.volume_id))
    for volume_id in (v for v in known.unasked if v in own):
        # The first document of this job's worker may show previous figures that were never observed.
        first = PreviousReading(volume_id=volume_id, status=own[volume_id].status, alive=False)
        readings.setdefault(volume_id, first)
    for volume_id, reading in readings.items():
        left = remaining(reading, own[volume_id]) if volume_id in own else reading
        if left is not None and volume_id not in absent & never_seen:
            yield left


def _after_an_end(reading: DiskReading, previous: PreviousReading, *, unasked: bool) -> Attribution:
    """Judge a document of an export whose previous worker had ended: a new worker writes other figures.

    A worker may write its end more than once, in another phase or, after a restart of the VMA, with another start time;
    and with its last percent, because a completion counts from 99 % on. Where the export could not be asked at the
    registration, also an end with other figures may be its last one. And a whole sync without changes may have run
    unobserved, with the same figures.
    """
    if reading.status is VMAStatus.RUNNING:
        return Attribution.OWN
    if _is_other(reading, previous, FIGURES):
        return _uncertain_or_previous(reading) if unasked or _continues(reading, previous) else Attribution.OWN
    return _uncertain_or_previous(reading) if _is_other(reading, previous, CIRCUMSTANCES) else Attribution.PREVIOUS


def _uncertain_or_previous(reading: DiskReading) -> Attribution:
    """Return `uncertain` for a completion, which may count after a time; a failure is never concluded from doubt."""
    return Attribution.UNCERTAIN if reading.status is VMAStatus.COMPLETED else Attribution.PREVIOUS


def _is_other(reading: DiskReading, previous: PreviousReading, names: Iterable[str]) -> bool:
    """Return whether one of these differs, of what both state."""
    return any(_differ(getattr(reading, name), getattr(previous, name)) for name in names)


def _may_be_previous(now: float | None, before: float | None, whole: float | None) -> bool:
    """Return whether a figure may be the previous worker's; if that one's is unknown, any that is the whole may be."""
    if before is not None:
        return now == before
    return now is not None and whole is not None and now >= whole


def _differ(now: object, before: object) -> bool:
    return now is not None and before is not None and now != before


def _continues(reading: DiskReading, previous: PreviousReading) -> bool:
    """Return whether a completion may be that of the same worker, with more progress."""
    is_less = any(_less(getattr(reading, name), getattr(previous, name)) for name in PROGRESS)
    is_other = is_less or _is_other(reading, previous, ("status", "total_bytes", "started"))
    return reading.status is VMAStatus.COMPLETED and not is_other


def _decreased(reading: DiskReading, previous: PreviousReading) -> bool:
    return reading.status is VMAStatus.RUNNING and _less(reading.stated_progress, previous.stated_progress)


def _less(now: float | None, before: float | None) -> bool:
    return now is not None and before is not None and now < before
