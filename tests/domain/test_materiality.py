"""Which observations become events: a long job has hundreds, not tens of thousands."""

from dataclasses import dataclass

import msgspec
import pytest

from domain.attribution import InitialReadings, PreviousReading
from domain.events import Trace
from domain.materiality import is_material
from domain.replication_job import ReplicationJob
from domain.vma_status import Document, Observation, VMAStatus
from tests.support.builders import JOB, NOON, at, document, observed, registration


def seen(*disks: Document | VMAStatus, seconds: float) -> Observation:
    return observed(*disks, seconds=seconds)


@pytest.fixture
def job() -> ReplicationJob:
    """Return a job of two disks, both at 40 %, that was last observed at noon."""
    made = ReplicationJob(id=JOB)
    made.register(registration(made.id, volume_ids=("v1", "v2")), at(-60), Trace("r", "r"))
    made.observe(seen(document(percent=40.0), document(percent=40.0), seconds=0), NOON)
    return made


@dataclass(frozen=True)
class Case:
    """What one of the two disks says, so many seconds later."""

    why: str
    first: Document | VMAStatus
    seconds: float
    material: bool


CASES = [
    Case("nothing new", document(percent=40.0), 5, material=False),
    Case("less than one percent", document(percent=40.9), 5, material=False),
    Case("one percent of one disk", document(percent=41.0), 5, material=True),
    Case("more than one percent of one disk", document(percent=45.0), 5, material=True),
    Case("a percentage that goes down by one", document(percent=39.0), 5, material=True),
    Case("another phase", document(percent=40.0, phase="Cleanup"), 5, material=True),
    Case("another phase, later in the alphabet", document(percent=40.0, phase="Zeroing"), 5, material=True),
    Case(
        "the same phase in other words of memory", document(percent=40.0, phase="".join("Transfer")), 5, material=False
    ),
    Case("another status", document(VMAStatus.FAILED, 40.0), 5, material=True),
    Case("a disk that is gone beside one that runs", VMAStatus.NOT_FOUND, 5, material=False),
    Case("almost a minute", document(percent=40.0), 59.9, material=False),
    Case("more than a minute", document(percent=40.0), 61, material=True),
    Case("by a clock that was set back for less than a minute", document(percent=40.0), -59.9, material=False),
    Case("by a clock that was set back for a minute", document(percent=40.0), -60, material=True),
    Case("a minute", document(percent=40.0), 60, material=True),
]


@pytest.mark.parametrize("case", CASES, ids=[case.why for case in CASES])
def test_only_material_observations_become_events(job: ReplicationJob, case: Case) -> None:
    observation = seen(case.first, document(percent=40.0), seconds=case.seconds)

    assert is_material(job, observation) is case.material


@pytest.mark.parametrize(("least", "material"), [(40.0, False), (39.1, False), (39.0, True), (0.0, True)])
def test_a_percent_of_the_least_favourable_disk_is_material_also_of_one_that_nobody_registered(
    job: ReplicationJob, least: float, *, material: bool
) -> None:
    """A job that is gone is judged by its least favourable disk."""
    running = document(percent=40.0)

    observation = msgspec.structs.replace(seen(running, running, seconds=5), least_percent=least)

    assert is_material(job, observation) is material


def test_a_silence_is_recorded_and_then_once_a_minute(job: ReplicationJob) -> None:
    silence = seen(VMAStatus.UNREACHABLE, VMAStatus.UNREACHABLE, seconds=5)
    assert is_material(job, silence)
    job.observe(silence, at(5))

    assert not is_material(job, seen(VMAStatus.UNREACHABLE, VMAStatus.UNREACHABLE, seconds=64))
    assert is_material(job, seen(VMAStatus.UNREACHABLE, VMAStatus.UNREACHABLE, seconds=65))


def test_the_end_of_a_silence_is_recorded_though_nothing_else_has_changed(job: ReplicationJob) -> None:
    job.observe(seen(VMAStatus.UNREACHABLE, VMAStatus.UNREACHABLE, seconds=5), at(5))

    assert is_material(job, seen(document(percent=40.0), document(percent=40.0), seconds=10))


def test_another_status_of_a_previous_workers_document_is_material_and_the_same_again_is_not() -> None:
    alive = PreviousReading(volume_id="v1", status=VMAStatus.RUNNING, progress_percent=41.0, started="10:00")
    job = ReplicationJob(id=JOB)
    job.register(registration(JOB), at(-60), Trace("r", "r"), InitialReadings(previous_readings=(alive,)))

    def left(status: VMAStatus, seconds: float) -> Observation:
        said = document(status, 95.0, started="10:00")
        return observed(said, seconds=seconds, previous_readings=job.previous_readings)

    job.observe(left(VMAStatus.RUNNING, 0), NOON)
    assert not is_material(job, left(VMAStatus.RUNNING, 5))
    ended = left(VMAStatus.FAILED, 5)
    assert (ended.status, len(ended.previous)) == (job.vma_status, 1)
    assert is_material(job, ended)

    job.observe(ended, at(5))
    assert not is_material(job, left(VMAStatus.FAILED, 10))


def test_a_job_that_takes_hours_has_hundreds_of_events(job: ReplicationJob) -> None:
    """Eight hours, polled every five seconds: 5,760 observations."""
    hours = 8 * 3600
    for second in range(5, hours, 5):
        percent = 40.0 + 60.0 * second / hours
        observation = seen(document(percent=percent), document(percent=percent), seconds=second)
        if is_material(job, observation):
            job.observe(observation, at(second))

    assert 100 < job.version < 600


@pytest.mark.parametrize("phase", ["Cleanup", "Zeroing"])
def test_another_phase_of_one_disk_is_material_though_the_job_as_a_whole_is_in_the_same(
    job: ReplicationJob, phase: str
) -> None:
    same, other = document(percent=40.0, phase="".join("Transfer")), document(percent=40.0, phase=phase)

    assert not is_material(job, seen(same, same, seconds=5))
    assert is_material(job, seen(same, other, seconds=5))


def test_a_progress_that_was_not_known_is_material_and_one_that_is_no_longer_is_not(job: ReplicationJob) -> None:
    unknown = document(percent=None, total=None)

    assert not is_material(job, seen(unknown, unknown, seconds=5))

    fresh = ReplicationJob(id=JOB)
    fresh.register(registration(fresh.id), at(-60), Trace("r", "r"))
    fresh.observe(seen(unknown, seconds=0), NOON)
    assert not is_material(fresh, seen(unknown, seconds=5))
    assert is_material(fresh, seen(document(percent=0.5, total=None), seconds=5))


def test_a_disk_that_reports_for_the_first_time_is_material() -> None:
    lost, own = VMAStatus.NOT_FOUND, document(percent=40.0)
    fresh = ReplicationJob(id=JOB)
    fresh.register(registration(fresh.id, volume_ids=("v1", "v2")), at(-60), Trace("r", "r"))
    fresh.observe(observed(lost, lost, own=own, seconds=10), at(10))

    assert is_material(fresh, observed(document(percent=None), lost, own=own, seconds=15))
    assert not is_material(fresh, observed(lost, lost, own=own, seconds=15))
