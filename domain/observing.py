"""Observing: the one place where answers about ids become a statement about a job.

It errs on the side of not knowing: `completed` is only said when every disk is spoken for.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from domain.ports import ProbeTarget
from domain.vma_status import (
    CONCLUSIVE,
    Answer,
    DiskReading,
    Document,
    Figures,
    Observation,
    VMAStatus,
)


def vouched_disks(document: Document, job_disks: int) -> int:
    """How many disks of the job a `completed` document vouches for.

    A list of disks vouches for those in it, if all are finished. Without one the document vouches for a single disk,
    and for none if its own figures belie it.
    """
    if document.disks:
        return min(len(document.disks), job_disks) if all(disk.is_finished for disk in document.disks) else 0
    return 1 if document.belied_at is None else 0


def observe(
    target: ProbeTarget,
    exports: Mapping[str, Answer],
    job_answers: Sequence[Answer] = (),
    *,
    observed_at: datetime,
    took_ms: float = 0.0,
) -> Observation:
    """Make one statement about a job from what its ids answered.

    Args:
        target: the job that was asked about.
        exports: the answer of each disk's export, by volume id, in the job's order of disks.
        job_answers: answers under the job's own id, asked where the exports did not settle it; those that say
            nothing of the job because the VMA has no such endpoint are left out.
        observed_at: when the probe ended (UTC).
        took_ms: how long the whole probe took, in milliseconds.

    """
    disks = tuple(_reading(volume_id, answer) for volume_id, answer in exports.items())
    documents = [a.document for a in (*exports.values(), *job_answers) if a.document is not None]
    own = next((a.document for a in job_answers if a.document is not None), None)
    status = _job_status(exports, job_answers, own)
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
        bytes_transferred=own.bytes_transferred if own else _total(d.bytes_transferred for d in disks),
        total_bytes=own.total_bytes if own else _total(d.total_bytes for d in disks),
        error=_error(documents) if status is VMAStatus.FAILED else None,
        disks=disks,
        covered=_covered(exports, own) if status is VMAStatus.COMPLETED else 0,
        belied_at=_least_belied_at(documents) if status is VMAStatus.COMPLETED else None,
        speaks_for=max(1, len(own.disks)) if own else sum(d.status in CONCLUSIVE for d in disks),
        answers=(*exports.values(), *job_answers),
    )


def without_left_over(answer: Answer, left: DiskReading | None) -> Answer:
    """Return an export's answer, unless it is how the job before has ended.

    Exports are named by their volumes, and the VMA keeps a document until the next worker writes its own, which may
    take minutes: until then it says of a new job how the one before ended.
    """
    if left is None or not _reading(left.volume_id, answer).is_end_of(left):
        return answer
    said = f"left over from the job before, which has {answer.status.value}: no word about this one yet"
    return msgspec.structs.replace(answer, status=VMAStatus.NOT_FOUND, detail=said, document=None)


def needs_own_id(target: ProbeTarget, exports: Mapping[str, Answer]) -> bool:  # noqa: ARG001 - for what comes next
    """Whether the job's own id has to be asked, too: its exports alone do not tell how it stands."""
    statuses = {answer.status for answer in exports.values()}
    if statuses & {VMAStatus.FAILED, VMAStatus.RUNNING, VMAStatus.UNREACHABLE}:
        return False
    return statuses != {VMAStatus.COMPLETED}


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
    )


def _job_status(exports: Mapping[str, Answer], job_answers: Sequence[Answer], own: Document | None) -> VMAStatus:
    """Several disks: failed if any failed; completed only if all completed; else running if any runs.

    An id that was asked and stayed silent, or spoke nonsense, may be the one that the worker reports under: a job is
    not found only if every id that was asked is unknown.
    """
    statuses = {answer.status for answer in exports.values()}
    said = statuses | {answer.status for answer in job_answers}
    for loudest in (
        VMAStatus.FAILED,
        VMAStatus.RUNNING,
        VMAStatus.UNREACHABLE,
        VMAStatus.UNINTELLIGIBLE,
    ):
        if loudest in said:
            return loudest
    if statuses == {VMAStatus.COMPLETED} or own is not None or _one_speaks_for_all(exports):
        return VMAStatus.COMPLETED
    return VMAStatus.NOT_FOUND


def _one_speaks_for_all(exports: Mapping[str, Answer]) -> bool:
    """Whether a worker that shares one export id for all disks listed every one of them as finished."""
    return any(
        answer.document.status is VMAStatus.COMPLETED
        and bool(answer.document.disks)
        and vouched_disks(answer.document, len(exports)) >= len(exports)
        for answer in exports.values()
        if answer.document is not None
    )


def _covered(exports: Mapping[str, Answer], own: Document | None) -> int:
    if _one_speaks_for_all(exports):
        return len(exports)
    by_export = sum(
        min(vouched_disks(answer.document, len(exports)), 1)
        for answer in exports.values()
        if answer.document is not None
    )
    by_job = vouched_disks(own, len(exports)) if own else 0
    return max(by_export, by_job)


def _least_belied_at(documents: Sequence[Document]) -> float | None:
    said: list[Figures] = [*documents, *(disk for document in documents for disk in document.disks)]
    return min((percent for one in said if (percent := one.belied_at) is not None), default=None)


def _leading(documents: Sequence[Document], status: VMAStatus) -> Document | None:
    return next((d for d in documents if d.status is status), next(iter(documents), None))


def _mean_progress(disks: Sequence[DiskReading]) -> float | None:
    """The job's progress by bytes where the sizes are known, otherwise the mean of its disks' percentages."""
    if disks and all(d.total_bytes and d.bytes_transferred is not None for d in disks):
        total = sum(d.total_bytes or 0 for d in disks)
        return min(100.0, 100.0 * sum(d.bytes_transferred or 0 for d in disks) / total)
    known = [d.progress_percent for d in disks if d.progress_percent is not None]
    if not known or len(known) < len(disks):
        return None
    return sum(known) / len(known)


def _total(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _error(documents: Sequence[Document]) -> str:
    """The VMA's own words; a failed job often has none, because the message is dropped on the way."""
    said = [d.error for d in documents if d.status is VMAStatus.FAILED and d.error]
    return "; ".join(said) if said else "the VMA gave no reason"
