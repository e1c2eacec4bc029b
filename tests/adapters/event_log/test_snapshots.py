"""A snapshot replaces events only if it is unchanged, and every job can be loaded without it."""

from collections.abc import Callable

import msgspec
import pytest

from adapters.event_log import snapshots
from domain.aggregate import Snapshot
from domain.events import Cause, Trace
from domain.replication_job import ReplicationJob
from tests.adapters.event_log.places import Place, change_state, check_streams, verify
from tests.support.builders import NOON, registration
from tests.support.harness import RecordingLog


@pytest.fixture
def job() -> ReplicationJob:
    job = ReplicationJob(id="job-1")
    job.register(registration(job.id, vm_context_id="ctx-1", progress_percent=41.0), NOON, Trace("r", "r"))
    return job


def stored(job: ReplicationJob) -> ReplicationJob:
    return msgspec.structs.replace(job, pending=[])


def marked(job: ReplicationJob) -> Snapshot:
    """Return a snapshot that differs from the fold of its events."""
    return msgspec.structs.replace(job, vm_name="from the snapshot").snapshot()


Change = Callable[[Place, str], int]


def with_more_progress(place: Place, where: str) -> int:
    return change_state(place, "stored_snapshots", lambda state: state.replace(b":41.0", b":95.0"), where)


def with_text(place: Place, where: str) -> int:
    return change_state(place, "stored_snapshots", lambda _: b"text", where)


def updated(assignment: str) -> Change:
    def change(place: Place, where: str) -> int:
        query = f"UPDATE stored_snapshots SET {assignment} WHERE {where} RETURNING topic"  # noqa: S608 - of this test
        return len(place.execute(query))

    return change


CHANGES = (
    with_more_progress,
    with_text,
    updated("originator_version = 0"),
    updated("topic = 'snapshot:job'"),
    updated("topic = replace(topic, 'job', 'run')"),
)


async def test_a_snapshot_replaces_the_events_before_it(place: Place, job: ReplicationJob) -> None:
    log = place.open()
    await log.append(job.pending, [marked(job)])
    job.pending.clear()
    job.begin_recovery("run-1", Cause.RESTART, NOON, "instance")
    await log.append(job.pending)

    (as_registered,) = await log.load_versions(ReplicationJob, [("job-1", 1)])
    present = await log.load(ReplicationJob, "job-1")

    assert present == msgspec.structs.replace(job, vm_name="from the snapshot", pending=[])
    assert (as_registered.version, as_registered.vm_name) == (1, "from the snapshot")
    log.close()


@pytest.mark.parametrize("change", CHANGES, ids=range(len(CHANGES)))
async def test_a_changed_snapshot_is_not_used_and_the_log_is_verified(
    place: Place, job: ReplicationJob, change: Change
) -> None:
    log = place.open()
    await log.append(job.pending, [marked(job)])
    assert change(place, "1 = 1") == 1

    assert await log.load(ReplicationJob, "job-1") == stored(job)
    log.close()
    again = place.open()
    assert await again.load(ReplicationJob, "job-1") == stored(job)
    again.close()
    assert verify(place).broken_at is None


async def test_a_snapshot_that_other_code_folded_is_not_used(
    place: Place, job: ReplicationJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = place.open()
    with monkeypatch.context() as before:
        before.setattr(snapshots, "_code", lambda: b"an older version")
        await log.append(job.pending, [marked(job)])

    assert await log.load(ReplicationJob, "job-1") == stored(job)
    log.close()


async def test_a_snapshot_that_cannot_be_written_fails_no_command(place: Place, job: ReplicationJob) -> None:
    logger = RecordingLog()
    log = place.open(logger)
    place.execute("ALTER TABLE stored_snapshots RENAME TO elsewhere")

    position = await log.append(job.pending, [marked(job)])

    assert position == 1
    assert logger.events == ["snapshots_not_stored"]
    place.execute("ALTER TABLE elsewhere RENAME TO stored_snapshots")
    assert await log.load(ReplicationJob, "job-1") == stored(job)
    log.close()


async def with_snapshots(place: Place, job: ReplicationJob, forged_at: int | None) -> None:
    """Store a job of three events with a snapshot of each version, one of them forged."""
    log = place.open()
    for version in (1, 2, 3):
        if version > 1:
            job.mark_stalled(NOON, NOON) if version == 2 else job.begin_recovery("run-1", Cause.STALE, NOON, "x")
        events = list(job.pending)
        job.pending.clear()
        await log.append(events, [marked(job) if version == forged_at else job.snapshot()])
    log.close()


@pytest.mark.parametrize("forged_at", [None, 1, 2, 3])
async def test_a_forged_snapshot_of_any_version_is_found(
    place: Place, job: ReplicationJob, forged_at: int | None
) -> None:
    await with_snapshots(place, job, forged_at)

    found = check_streams(place).forged

    assert (found and found.originator_version) == forged_at
    assert verify(place).broken_at is None


@pytest.mark.parametrize("change", [{"id": "job-2"}, {"version": 9}])
async def test_a_snapshot_of_a_stream_or_version_that_does_not_exist_is_forged(
    place: Place, job: ReplicationJob, change: dict[str, object]
) -> None:
    log = place.open()
    other = msgspec.structs.replace(job, **change).snapshot()
    await log.append(job.pending, [job.snapshot(), other])
    log.close()

    assert check_streams(place).forged == other


@pytest.mark.parametrize("change", CHANGES, ids=range(len(CHANGES)))
async def test_a_snapshot_that_would_not_be_used_is_not_reported_as_forged(
    place: Place, job: ReplicationJob, change: Change
) -> None:
    await with_snapshots(place, job, None)
    change(place, "originator_version = 2")

    assert check_streams(place).forged is None


async def test_a_version_before_a_snapshot_is_folded_from_its_events_and_one_after_it_from_the_snapshot(
    place: Place, job: ReplicationJob
) -> None:
    log = place.open()
    for n in range(3):
        job.begin_recovery(f"run-{n}", Cause.RESTART, NOON, "instance")
        await log.append(job.pending, [marked(job)] if n == 1 else ())
        job.pending.clear()

    then = await log.load_versions(ReplicationJob, [("job-1", version) for version in range(1, 5)])

    assert [(found.version, found.run_id) for found in then] == [(1, None), (2, "run-0"), (3, "run-1"), (4, "run-2")]
    assert [found.vm_name for found in then] == ["vm", "vm", *["from the snapshot"] * 2]
    log.close()
