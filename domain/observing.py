"""Observing: the one place where answers about ids become an observation of a job.

It errs on the side of not knowing: `completed` is only said when every disk is spoken for.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from domain.attribution import Former, Whose, attribute, own_figures
from domain.ports import VMA, Clock, ProbeTarget
from domain.vma_status import CONCLUSIVE, Answer, DiskReading, Document, Figures, Observation, VMAStatus


class _Heard(msgspec.Struct, frozen=True):
    """What an export answered, and whose statement that is."""

    volume_id: str
    answer: Answer
    whose: Whose = Whose.OWN

    @property
    def status(self) -> VMAStatus:
        return VMAStatus.NOT_FOUND if self.whose is Whose.PREVIOUS else self.answer.status

    @property
    def document(self) -> Document | None:
        return self.answer.document if self.whose is Whose.OWN else None


def observe(
    target: ProbeTarget,
    exports: Mapping[str, Answer],
    job_answers: Sequence[Answer] = (),
    *,
    observed_at: datetime,
    took_ms: float = 0.0,
) -> Observation:
    """Make one observation of a job from what its ids answered.

    Args:
        target: the job that was asked about.
        exports: the answer of each disk's export, by volume id, in the job's order of disks.
        job_answers: answers under the job's own id, asked where the exports did not settle it; those that say
            nothing of the job because the VMA has no such endpoint are left out.
        observed_at: when the probe ended (UTC).
        took_ms: how long the whole probe took, in milliseconds.

    """
    heard = [_heard(target, volume_id, answer) for volume_id, answer in exports.items()]
    disks = tuple(_own_reading(target, one) for one in heard)
    others = [_reading(one.volume_id, one.answer) for one in heard if one.whose is Whose.PREVIOUS]
    # A document that contradicts itself is nothing to compare later ones with.
    previous = tuple(one for one in others if one.is_statement)
    own = next((a.document for a in job_answers if a.document is not None), None)
    documents = [d for d in (*(one.document for one in heard), own) if d is not None]
    claimed = [one.answer.document for one in heard if one.whose is Whose.UNSURE and one.answer.document is not None]
    status = _job_status(target, heard, job_answers, own)
    if status is VMAStatus.NOT_FOUND and others:
        status = VMAStatus.UNANSWERED
    leading = own if own is not None else _leading(documents, status)
    return Observation(
        job_id=target.job_id,
        vma=target.vma,
        status=status,
        observed_at=observed_at,
        took_ms=took_ms,
        phase=leading.phase if leading else None,
        progress_percent=own.progress_percent if own else _mean_progress(disks),
        least_percent=own.least_progress if own else None,
        bytes_transferred=own.credible_bytes if own else _total(d.credible_bytes for d in disks),
        total_bytes=own.total_bytes if own else _total(d.total_bytes for d in disks),
        error=_error(documents) if status is VMAStatus.FAILED else None,
        disks=disks,
        previous=previous,
        covered=_covered(heard, own) if status is VMAStatus.COMPLETED else 0,
        belied_at=_least_belied_at([*claimed, *documents]) if status is VMAStatus.COMPLETED else None,
        address=target.address,
        speaks_for=max(1, len(own.disks)) if own else sum(d.status in CONCLUSIVE for d in disks),
        answers=(*(_as_attributed(one) for one in heard), *job_answers),
    )


async def probe(vma: VMA, clock: Clock, target: ProbeTarget) -> Observation:
    """Ask a job's VMA for it: for all its disks at once and, where these do not settle it, for the job's own id."""
    began = clock.monotonic()
    exports = await vma.ask_exports(target)
    own = await vma.ask_job_id(target) if needs_own_id(target, exports) else ()
    took_ms = round((clock.monotonic() - began) * 1000, 1)
    return observe(target, exports, own, observed_at=clock.now(), took_ms=took_ms)


def needs_own_id(target: ProbeTarget, exports: Mapping[str, Answer]) -> bool:
    """Return whether the job's own id has to be asked, too.

    Only an export that runs or has failed settles it. Before all exports' `completed` counts, the own id is asked
    once more: the VM may have got a disk that was not registered.
    """
    statuses = {_heard(target, volume_id, answer).status for volume_id, answer in exports.items()}
    if statuses & {VMAStatus.FAILED, VMAStatus.RUNNING, VMAStatus.NOT_ASKED}:
        return False
    return statuses != {VMAStatus.UNREACHABLE}


def vouched_disks(document: Document, job_disks: int) -> int:
    """Return how many disks of the job a `completed` document vouches for.

    A list of disks vouches for those in it, if all are finished. Without one the document vouches for a single disk,
    and for none if its own figures contradict it.
    """
    if document.disks:
        return min(len(document.disks), job_disks) if all(disk.is_finished for disk in document.disks) else 0
    return 1 if document.belied_at is None else 0


def _heard(target: ProbeTarget, volume_id: str, answer: Answer) -> _Heard:
    if answer.document is None:
        return _Heard(volume_id, answer)
    former = next((one for one in target.left_over if one.volume_id == volume_id), None)
    reading = _reading(volume_id, answer)
    return _Heard(volume_id, answer, attribute(reading, former, unasked=volume_id in target.unasked))


def _reading(volume_id: str, answer: Answer) -> DiskReading:
    document = answer.document
    if document is None:
        return DiskReading(volume_id=volume_id, status=answer.status)
    return DiskReading(
        volume_id=volume_id,
        status=document.status,
        phase=document.phase,
        progress_percent=document.progress_percent,
        bytes_transferred=document.bytes_transferred,
        total_bytes=document.total_bytes,
        started=document.started,
        sync_type=document.sync_type,
    )


def _own_reading(target: ProbeTarget, heard: _Heard) -> DiskReading:
    """Return what the job's own worker says of the disk; `unanswered` where another's document stands."""
    if heard.whose is not Whose.OWN:
        return DiskReading(volume_id=heard.volume_id, status=VMAStatus.UNANSWERED)
    former = next((one for one in target.left_over if one.volume_id == heard.volume_id), None)
    if former is None and heard.volume_id in target.unasked:
        former = Former(volume_id=heard.volume_id, status=VMAStatus.RUNNING)
    return own_figures(_reading(heard.volume_id, heard.answer), former)


def _as_attributed(heard: _Heard) -> Answer:
    """Return the answer as evidence; a document of others says so."""
    if heard.whose is Whose.OWN:
        return heard.answer
    certainly, status = ("is", VMAStatus.UNANSWERED) if heard.whose is Whose.PREVIOUS else ("may be", heard.status)
    said = f"{heard.answer.status.value}, which {certainly} the state that the volume's previous worker left"
    return msgspec.structs.replace(heard.answer, status=status, detail=said, document=None)


def _job_status(
    target: ProbeTarget, heard: Sequence[_Heard], job_answers: Sequence[Answer], own: Document | None
) -> VMAStatus:
    """Several disks: failed if any failed; else running if any runs; completed only if all completed.

    An id that did not answer, or that nobody could ask, may be the one that the worker reports under: a job is not
    found only if every id that was asked is unknown.
    """
    statuses = {one.status for one in heard}
    said = statuses | {answer.status for answer in job_answers}
    for loudest in (VMAStatus.FAILED, VMAStatus.RUNNING):
        if loudest in said:
            return loudest
    unknown = said - {VMAStatus.COMPLETED, VMAStatus.NOT_FOUND}
    if unknown:
        return _not_known(said, unknown)
    if own is not None or _one_speaks_for_all(heard) or _all_that_spoke_completed(target, heard):
        return VMAStatus.COMPLETED
    return VMAStatus.NOT_FOUND


def _not_known(said: set[VMAStatus], unknown: set[VMAStatus]) -> VMAStatus:
    """Name why the job's status is not known. The VMA as a whole is unreachable only if no id was answered."""
    if said == {VMAStatus.UNREACHABLE}:
        return VMAStatus.UNREACHABLE
    if VMAStatus.NOT_ASKED in unknown:
        return VMAStatus.NOT_ASKED
    return VMAStatus.UNINTELLIGIBLE if unknown == {VMAStatus.UNINTELLIGIBLE} else VMAStatus.UNANSWERED


def _all_that_spoke_completed(target: ProbeTarget, heard: Sequence[_Heard]) -> bool:
    """Return whether every disk that was ever heard of is completed.

    An older generation reports all disks under the first export; the other exports never exist.
    """
    completed = any(one.status is VMAStatus.COMPLETED for one in heard)
    missing = {one.volume_id for one in heard if one.status is VMAStatus.NOT_FOUND}
    of_others = any(one.whose is Whose.PREVIOUS for one in heard)
    return completed and not of_others and not missing & target.heard


def _one_speaks_for_all(heard: Sequence[_Heard]) -> bool:
    """Return whether a worker that shares one export for all disks listed every one of them as finished."""
    return any(
        one.document.status is VMAStatus.COMPLETED
        and bool(one.document.disks)
        and vouched_disks(one.document, len(heard)) >= len(heard)
        for one in heard
        if one.document is not None
    )


def _covered(heard: Sequence[_Heard], own: Document | None) -> int:
    if _one_speaks_for_all(heard):
        return len(heard)
    by_export = sum(min(vouched_disks(one.document, len(heard)), 1) for one in heard if one.document is not None)
    by_job = vouched_disks(own, len(heard)) if own else 0
    return max(by_export, by_job)


def _least_belied_at(documents: Sequence[Document]) -> float | None:
    said: list[Figures] = [*documents, *(disk for document in documents for disk in document.disks)]
    return min((percent for one in said if (percent := one.belied_at) is not None), default=None)


def _leading(documents: Sequence[Document], status: VMAStatus) -> Document | None:
    return next((d for d in documents if d.status is status), next(iter(documents), None))


def _mean_progress(disks: Sequence[DiskReading]) -> float | None:
    """Return the mean of the disks' progress, weighted by size where all sizes are known; None if one says none."""
    known = [(disk.stated_progress, disk.total_bytes) for disk in disks]
    percents = [percent for percent, _ in known if percent is not None]
    if not percents or len(percents) < len(disks):
        return None
    sizes = [float(size or 0) for _, size in known]
    weights = sizes if all(sizes) else [1.0 for _ in sizes]
    return min(100.0, sum(p * w for p, w in zip(percents, weights, strict=True)) / sum(weights))


def _total(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _error(documents: Sequence[Document]) -> str:
    """Return the VMA's own words; a failed job often has none, because the message is dropped on the way."""
    said = [d.error for d in documents if d.status is VMAStatus.FAILED and d.error]
    return "; ".join(said) if said else "the VMA gave no reason"
