"""Observing: the only place where the answers of a job's ids become an observation of the job.

In doubt, nothing is known: a job is `completed` only if a `completed` covers every disk.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from domain.attribution import Attribution, PreviousReading, attribute, own_figures
from domain.ports import VMA, Clock, ProbeTarget
from domain.vma_status import CONCLUSIVE, Answer, DiskReading, Document, Figures, Observation, VMAStatus

SEPARATOR = "; "
"""Between the messages of an error, also between those of one document."""


class _ExportAnswer(msgspec.Struct, frozen=True):
    """The answer of an export, and whose worker it is from. `previous` is what the export had of earlier jobs."""

    volume_id: str
    answer: Answer
    attribution: Attribution
    previous: PreviousReading | None

    @property
    def status(self) -> VMAStatus:
        return VMAStatus.NOT_FOUND if self.attribution is Attribution.PREVIOUS else self.answer.status

    @property
    def document(self) -> Document | None:
        return self.answer.document if self.attribution is Attribution.OWN else None

    @property
    def reading(self) -> DiskReading:
        """Return the disk's reading by this job's own worker; `unanswered` if the document may be another's."""
        if self.attribution is not Attribution.OWN:
            return DiskReading(volume_id=self.volume_id, status=VMAStatus.UNANSWERED)
        return own_figures(_reading(self.volume_id, self.answer), self.previous)

    @property
    def evidence(self) -> Answer:
        """Return the answer as it is recorded; its detail tells if it is, or may be, the previous worker's."""
        if self.attribution is Attribution.OWN:
            return self.answer
        is_previous = self.attribution is Attribution.PREVIOUS
        certainty, status = ("is", VMAStatus.UNANSWERED) if is_previous else ("may be", self.status)
        detail = f"{self.answer.status.value}, which {certainty} the state that the volume's previous worker left"
        return msgspec.structs.replace(self.answer, status=status, detail=detail, document=None)


def observe(
    target: ProbeTarget,
    exports: Mapping[str, Answer],
    job_answers: Sequence[Answer] = (),
    *,
    observed_at: datetime,
    took_ms: float = 0.0,
) -> Observation:
    """Return the observation of a job from the answers of its ids.

    Args:
        target: the job that was asked about.
        exports: the answer of each disk's export, by volume id, in the job's order of disks.
        job_answers: the answers under the job's own id, if the exports were not sufficient; without those that tell
            nothing about the job because the VMA has no such endpoint.
        observed_at: when the probe ended (UTC).
        took_ms: how long the whole probe took, in milliseconds.

    """
    answers = _attributed(target, exports)
    disks = tuple(answer.reading for answer in answers)
    others = [_reading(a.volume_id, a.answer) for a in answers if a.attribution is Attribution.PREVIOUS]
    own = next((a.document for a in job_answers if a.document is not None), None)
    documents = [d for d in (*(answer.document for answer in answers), own) if d is not None]
    status = _job_status(target, answers, job_answers, own)
    if status is VMAStatus.NOT_FOUND and others:
        status = VMAStatus.UNANSWERED
    is_completed = status is VMAStatus.COMPLETED
    leading = own if own is not None else _leading(documents, status)
    return Observation(
        job_id=target.job_id,
        vma=target.vma,
        status=status,
        observed_at=observed_at,
        took_ms=took_ms,
        phase=leading.phase if leading else None,
        progress_percent=own.credible_progress if own else _mean_progress(disks),
        least_percent=_least_progress(documents) if own or any(d.disks for d in documents) else None,
        bytes_transferred=own.credible_bytes if own else _total(d.credible_bytes for d in disks),
        total_bytes=own.total_bytes if own else _total(d.total_bytes for d in disks),
        error=_error(documents) if status is VMAStatus.FAILED else None,
        disks=disks,
        # A document that contradicts itself cannot be compared with later ones.
        previous=tuple(reading for reading in others if reading.is_statement),
        covered=_covered(answers, own) if is_completed else 0,
        contradicting_progress=_contradicting_progress(answers, documents) if is_completed else None,
        address=target.address,
        progress_covers=max(1, len(own.disks)) if own else sum(d.status in CONCLUSIVE for d in disks),
        answers=(*(answer.evidence for answer in answers), *job_answers),
    )


async def probe(vma: VMA, clock: Clock, target: ProbeTarget) -> Observation:
    """Ask a job's VMA for all disks at once and, if these are not sufficient, for the job's own id."""
    began = clock.monotonic()
    exports = await vma.ask_exports(target)
    own = await vma.ask_job_id(target) if needs_own_id(target, exports) else ()
    took_ms = round((clock.monotonic() - began) * 1000, 1)
    return observe(target, exports, own, observed_at=clock.now(), took_ms=took_ms)


def needs_own_id(target: ProbeTarget, exports: Mapping[str, Answer]) -> bool:
    """Return whether the job's own id has to be asked, too.

    Only an export that runs or has failed is sufficient. Before the `completed` of all exports counts, the own id is
    asked: the VM may have a disk that was not registered.
    """
    statuses = {answer.status for answer in _attributed(target, exports)}
    if statuses & {VMAStatus.FAILED, VMAStatus.RUNNING, VMAStatus.NOT_ASKED}:
        return False
    return statuses != {VMAStatus.UNREACHABLE}


def disks_covered(document: Document, job_disks: int) -> int:
    """Return how many disks of the job a `completed` document covers.

    A list of disks covers those in it, if all are finished. A document without a list covers one disk, or none if its
    own figures contradict it.
    """
    if document.disks:
        return min(len(document.disks), job_disks) if all(disk.is_finished for disk in document.disks) else 0
    return 1 if document.contradicting_progress is None else 0


def _attributed(target: ProbeTarget, exports: Mapping[str, Answer]) -> list[_ExportAnswer]:
    known = {reading.volume_id: reading for reading in target.previous_readings}
    read = {v: _without_old_list(answer) if v in target.reused else answer for v, answer in exports.items()}
    return [_attribute(v, answer, known.get(v), unasked=v in target.unasked) for v, answer in read.items()]


def _without_old_list(answer: Answer) -> Answer:
    """Return the answer of an export whose list of disks may be of an earlier worker: the VMA may keep it."""
    if answer.document is None or not answer.document.disks:
        return answer
    document = answer.document.with_old_list()
    if document is None:
        detail = "it says completed, and lists a failed disk, which may be of an earlier job"
        return msgspec.structs.replace(answer, status=VMAStatus.UNINTELLIGIBLE, detail=detail, document=None)
    return msgspec.structs.replace(answer, status=document.status, document=document)


def _attribute(volume_id: str, answer: Answer, previous: PreviousReading | None, *, unasked: bool) -> _ExportAnswer:
    attribution = Attribution.OWN
    if answer.document is not None:
        attribution = attribute(_reading(volume_id, answer), previous, unasked=unasked)
    if previous is None and unasked:
        previous = PreviousReading(volume_id=volume_id, status=VMAStatus.RUNNING)
    return _ExportAnswer(volume_id, answer, attribution, previous)


def _reading(volume_id: str, answer: Answer) -> DiskReading:
    document = answer.document
    if document is None:
        return DiskReading(volume_id=volume_id, status=answer.status)
    shared = {name: getattr(document, name) for name in DiskReading.__struct_fields__ if name != "volume_id"}
    if document.is_unsupported:
        shared |= {"progress_percent": None, "bytes_transferred": None}
    return DiskReading(volume_id=volume_id, **shared)


def _job_status(
    target: ProbeTarget, answers: Sequence[_ExportAnswer], job_answers: Sequence[Answer], own: Document | None
) -> VMAStatus:
    """Return failed if any disk failed; else running if any runs; completed only if all completed.

    An id that did not answer, or that was not asked, may be the one that the worker reports under: a job is not found
    only if every id that was asked is unknown.
    """
    statuses = {answer.status for answer in answers} | {answer.status for answer in job_answers}
    for first in (VMAStatus.FAILED, VMAStatus.RUNNING):
        if first in statuses:
            return first
    if unknown := statuses - {VMAStatus.COMPLETED, VMAStatus.NOT_FOUND}:
        return _not_known(statuses, unknown)
    if own is not None or _one_covers_all(answers) or _all_known_completed(target, answers):
        return VMAStatus.COMPLETED
    return VMAStatus.NOT_FOUND


def _not_known(statuses: set[VMAStatus], unknown: set[VMAStatus]) -> VMAStatus:
    """Return why the job's status is not known. The VMA as a whole is unreachable only if no id was answered."""
    if statuses == {VMAStatus.UNREACHABLE}:
        return VMAStatus.UNREACHABLE
    if VMAStatus.NOT_ASKED in unknown:
        return VMAStatus.NOT_ASKED
    return VMAStatus.UNINTELLIGIBLE if unknown == {VMAStatus.UNINTELLIGIBLE} else VMAStatus.UNANSWERED


def _all_known_completed(target: ProbeTarget, answers: Sequence[_ExportAnswer]) -> bool:
    """Return whether every disk that was ever observed is completed.

    An older generation reports all disks under the first export; the other exports never exist.
    """
    completed = any(answer.status is VMAStatus.COMPLETED for answer in answers)
    missing = {answer.volume_id for answer in answers if answer.status is VMAStatus.NOT_FOUND}
    any_previous = any(answer.attribution is Attribution.PREVIOUS for answer in answers)
    return completed and not any_previous and not missing & target.seen_volumes


def _one_covers_all(answers: Sequence[_ExportAnswer]) -> bool:
    """Return whether a worker that shares one export for all disks listed every one of them as finished."""
    documents = [answer.document for answer in answers if answer.document is not None]
    return any(
        document.status is VMAStatus.COMPLETED
        and bool(document.disks)
        and disks_covered(document, len(answers)) >= len(answers)
        for document in documents
    )


def _covered(answers: Sequence[_ExportAnswer], own: Document | None) -> int:
    count = len(answers)
    if _one_covers_all(answers):
        return count
    by_export = sum(min(disks_covered(a.document, count), 1) for a in answers if a.document is not None)
    return max(by_export, disks_covered(own, count) if own else 0)


def _contradicting_progress(answers: Sequence[_ExportAnswer], documents: Sequence[Document]) -> float | None:
    """Return the least progress that contradicts a `completed`, also of documents that may be this job's."""
    possible = [a.answer.document for a in answers if a.attribution is Attribution.UNCERTAIN and a.answer.document]
    all_figures: list[Figures] = [*possible, *documents]
    all_figures += [disk for document in (*possible, *documents) for disk in document.disks]
    return min((p for figures in all_figures if (p := figures.contradicting_progress) is not None), default=None)


def _leading(documents: Sequence[Document], status: VMAStatus) -> Document | None:
    return next((d for d in documents if d.status is status), next(iter(documents), None))


def _least_progress(documents: Sequence[Document]) -> float | None:
    return min((least for document in documents if (least := document.least_progress) is not None), default=None)


def _mean_progress(disks: Sequence[DiskReading]) -> float | None:
    """Return the mean progress, weighted by size where all sizes are known; None if a disk's progress is unknown."""
    percents = [percent for disk in disks if (percent := disk.stated_progress) is not None]
    if not percents or len(percents) < len(disks):
        return None
    sizes = [float(disk.total_bytes or 0) for disk in disks]
    weights = sizes if all(sizes) else [1.0 for _ in sizes]
    return min(100.0, sum(p * w for p, w in zip(percents, weights, strict=True)) / sum(weights))


def _total(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _error(documents: Sequence[Document]) -> str:
    """Return the VMA's own messages; a failed job often has none, because the message is dropped on the way.

    Each is returned once: the document under the job's own id has those of all disks, too.
    """
    texts = [d.error for d in documents if d.status is VMAStatus.FAILED and d.error]
    messages = dict.fromkeys(message for text in texts for message in text.split(SEPARATOR))
    return SEPARATOR.join(messages) or "the VMA gave no reason"
