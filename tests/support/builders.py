"""Builders of jobs, answers, observations and evidence."""

from datetime import UTC, datetime, timedelta

import msgspec

from domain.attribution import PreviousReading
from domain.evidence import Amnesia, Circumstances, DiskProgress, Evidence, Silence
from domain.observing import observe
from domain.ports import Instance, ProbeTarget
from domain.replication_job import Registration
from domain.vma_status import Answer, DiskReport, Document, Observation, VMAStatus, export_name

NOON = datetime(2025, 10, 3, 12, 0, tzinfo=UTC)
JOB = "job-20251003-140000-abc123"


def at(seconds: float) -> datetime:
    """Return the time some seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def instance(name: str = "test", *vmas: str, owns: frozenset[str] = frozenset()) -> Instance:
    """Return an instance of the service that has these VMAs in its settings."""
    return Instance(id=name, address=f"http://{name}", version="1", started_at=NOON, vmas=frozenset(vmas), owns=owns)


def registration(
    job_id: str = JOB,
    vm_name: str = "vm",
    vm_context_id: str = "ctx",
    volume_ids: tuple[str, ...] = ("v1",),
    vma: str = "default",
    progress_percent: float = 0.0,
) -> Registration:
    """Return the registration of a job of one disk."""
    return Registration(
        job_id=job_id,
        vm_name=vm_name,
        vm_context_id=vm_context_id,
        volume_ids=volume_ids,
        vma=vma,
        progress_percent=progress_percent,
    )


def listing(*percents: float) -> tuple[DiskReport, ...]:
    """Return a list of disks with this progress, in percent."""
    return tuple(
        DiskReport(
            disk_id=f"disk-{n}",
            status=VMAStatus.COMPLETED if percent >= 100 else VMAStatus.RUNNING,
            progress_percent=percent,
        )
        for n, percent in enumerate(percents)
    )


def document(
    status: VMAStatus = VMAStatus.RUNNING,
    percent: float | None = 50.0,
    *,
    phase: str | None = "Transfer",
    total: int | None = 1000,
    error: str | None = None,
    started: str | None = None,
    sync_type: str | None = None,
    disks: tuple[DiskReport, ...] = (),
    stated: VMAStatus | None = None,
) -> Document:
    """Return a document as the parser does; `stated` is its own status, where its list of disks gives it another."""
    transferred = int(total * percent / 100) if total is not None and percent is not None else None
    return Document(
        status=status,
        stated=stated or status,
        phase=phase,
        progress_percent=percent,
        bytes_transferred=transferred,
        total_bytes=total,
        error=error,
        started=started,
        sync_type=sync_type,
        disks=disks,
    )


def answer(asked_id: str, content: Document | VMAStatus) -> Answer:
    """Return an answer with a document, or without one."""
    if isinstance(content, Document):
        return Answer(asked_id=asked_id, status=content.status, document=content, http_status=200)
    return Answer(asked_id=asked_id, status=content, detail=content.value)


def observed(
    *exports: Document | VMAStatus,
    own: Document | VMAStatus | None = None,
    seconds: float = 0.0,
    job_id: str = JOB,
    previous_readings: tuple[PreviousReading, ...] = (),
    unasked: frozenset[str] = frozenset(),
    seen_volumes: frozenset[str] = frozenset(),
    reused: frozenset[str] = frozenset(),
    address: str | None = None,
) -> Observation:
    """Return the observation of a job whose exports v1, v2, … answered like this, and its own id like `own`."""
    answers = {f"v{n}": answer(export_name(f"v{n}"), one) for n, one in enumerate(exports, start=1)}
    own_answers = (answer(job_id, own),) if own is not None else ()
    target = ProbeTarget(job_id, "default", tuple(answers), None, previous_readings, unasked, seen_volumes, reused)
    seen = observe(target, answers, own_answers, observed_at=at(seconds))
    return msgspec.structs.replace(seen, address=address)


def evidence(
    observation: Observation,
    *,
    now: float = 0.0,
    registered: float = -3600.0,
    last_contact: float = -10.0,
    seen: bool = True,
    progress: float = 50.0,
    progress_covers: int | None = None,
    disks: tuple[float | None, ...] | None = None,
    duration: float = 0.0,
    probes: int = 1,
    silence_of: VMAStatus | None = None,
    amnesia: Amnesia | None = None,
    replaced: bool = False,
) -> Evidence:
    """Return the evidence of a decision, `now` seconds after noon, about a job registered an hour before noon."""
    count = len(observation.disks)
    return Evidence(
        state_before="replicating",
        observation=observation,
        decided_at=at(now),
        registered_at=at(registered),
        last_contact_at=at(last_contact),
        seen_on_vma=seen,
        progress_percent=progress,
        progress_covers=count if progress_covers is None else progress_covers,
        disks=tuple(
            DiskProgress(volume_id=f"v{n}", progress_percent=percent)
            for n, percent in enumerate(disks or (None,) * count, start=1)
        ),
        silence=Silence(status=silence_of or observation.status, duration=duration, probes=probes),
        contact_age=now - last_contact,
        amnesia=amnesia,
        replaced=replaced,
    )


def circumstances(
    observation: Observation, *, duration: float = 600.0, probes: int = 9, without_contact: float = 10.0
) -> Circumstances:
    """Return circumstances in which this answer has lasted for some seconds."""
    silence = Silence(status=observation.status, duration=duration, probes=probes, inconclusive_for=duration)
    return Circumstances(silence=silence, without_contact=without_contact)
