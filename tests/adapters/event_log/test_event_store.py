"""The log has every acknowledged event once, in order, and none that was refused."""

import asyncio

import msgspec
import pytest

from adapters.event_log import aggregates
from adapters.event_log.database_log import DatabaseEventLog
from domain.errors import ConcurrentWrite, StorageUnavailable
from domain.events import EVENTS, Cause, Event, JobRegistered, JobStalled, Trace, UnreadableEvent
from domain.recovery_policy import Policy
from domain.recovery_run import RecoveryRun
from domain.replication_job import ReplicationJob
from tests.adapters.event_log.places import Place, change_state, opened
from tests.support.builders import NOON, registration
from tests.support.harness import RecordingLog


def begun(run_id: str) -> RecoveryRun:
    run = RecoveryRun(id=run_id)
    run.start(Cause.RESTART, "here", Policy(), ("job-1",), NOON, Trace(run_id, "here"))
    return run


def registered(job_id: str) -> ReplicationJob:
    job = ReplicationJob(id=job_id)
    job.register(registration(job.id, vm_context_id=f"ctx-{job_id}"), NOON, Trace("r", "r"))
    return job


async def positions(log: DatabaseEventLog) -> list[int]:
    return [position for position, _ in await log.read_from(0, 10_000)]


async def test_what_was_appended_is_loaded_again(log: DatabaseEventLog) -> None:
    job = registered("job-1")

    position = await log.append(job.collect_events())

    assert (position, await log.head()) == (1, 1)
    assert await log.load(ReplicationJob, "job-1") == job
    assert await log.load(ReplicationJob, "job-2") is None
    assert await log.load_many(ReplicationJob, ["job-1", "job-2"]) == {"job-1": job}


async def test_events_of_a_kind_are_found_among_all_events_in_their_order(log: DatabaseEventLog) -> None:
    for name in ("job-2", "job-1"):
        job = registered(name)
        job.begin_recovery("run-1", Cause.RESTART, NOON, "instance")
        await log.append(job.collect_events())

    assert [found.originator_id for found in await log.select(JobRegistered)] == ["job-2", "job-1"]


async def test_each_of_many_concurrent_writers_gets_its_own_position(log: DatabaseEventLog) -> None:
    positions = await asyncio.gather(*(log.append(registered(f"job-{n}").pending) for n in range(300)))

    assert sorted(positions) == list(range(1, 301))
    by_position = dict(await log.read_from(0, 1000))
    assert [by_position[position].originator_id for position in positions] == [f"job-{n}" for n in range(300)]


async def test_a_version_that_exists_is_refused_and_the_other_requests_of_the_group_are_stored(
    log: DatabaseEventLog,
) -> None:
    await log.append(registered("job-1").pending)

    group = [registered("job-0"), registered("job-1"), registered("job-2")]
    results = await asyncio.gather(*(log.append(job.pending) for job in group), return_exceptions=True)

    assert isinstance(results[1], ConcurrentWrite)
    assert "job-1 was written to by another process first" in str(results[1])
    assert [e.originator_id for _, e in await log.read_from(0, 9)] == ["job-1", "job-0", "job-2"]
    assert await positions(log) == sorted(set(await positions(log)))


async def test_events_of_one_request_are_stored_all_or_none(log: DatabaseEventLog) -> None:
    await log.append(registered("job-2").pending)

    with pytest.raises(ConcurrentWrite):
        await log.append([*registered("job-1").pending, *registered("job-2").pending])

    assert await log.load(ReplicationJob, "job-1") is None


async def test_an_event_that_cannot_be_encoded_fails_its_own_command_and_no_other(log: DatabaseEventLog) -> None:
    wrong = registered("job-1")
    wrong.pending = [msgspec.structs.replace(wrong.pending[0], vm_name=object())]
    group = [registered("job-0"), wrong, registered("job-2")]

    results = await asyncio.gather(*(log.append(job.pending) for job in group), return_exceptions=True)

    assert isinstance(results[1], StorageUnavailable)
    assert "cannot be written: TypeError" in str(results[1])
    assert [e.originator_id for _, e in await log.read_from(0, 9)] == ["job-0", "job-2"]
    await log.append(registered("job-1").pending)


async def test_a_listener_that_raises_does_not_fail_a_command_whose_events_are_stored(place: Place) -> None:
    durations: list[float] = []
    logger = RecordingLog()
    log = place.open(logger)

    def broken(_: float) -> None:
        raise ValueError("a slip")

    for listen in (log.on_commit, log.on_append):
        listen(broken)
        listen(durations.append)

    assert await log.append(registered("job-1").pending) == 1
    log.close()
    assert (len(durations), logger.events) == (2, ["event_log_listener_failed"] * 2)


async def test_a_closed_log_refuses_every_call_at_once(place: Place) -> None:
    log = place.open()
    log.close()

    for call in (log.load(ReplicationJob, "job-1"), log.append(registered("job-1").pending), log.check_writable()):
        with pytest.raises(StorageUnavailable, match="the event log is closed"):
            await asyncio.wait_for(call, 10)


@pytest.mark.parametrize("at_once", [1, 2, 500])
async def test_many_jobs_are_loaded_as_each_alone_with_and_without_a_snapshot(
    log: DatabaseEventLog, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(aggregates, "STREAMS", at_once)
    names = [f"job-{n}" for n in range(5)]
    jobs = {name: registered(name) for name in names}
    for n, job in enumerate(jobs.values()):
        await log.append(job.collect_events())
        for turn in range(n):
            job.begin_recovery(f"run-{turn}", Cause.RESTART, NOON, "instance")
            # The second job has its snapshot at its end, the others two within.
            snapshots = [job.snapshot()] if turn < 2 else []
            await log.append(job.collect_events(), snapshots)
    asked = [*names, "job-unknown", "run-1"]
    await log.append(begun("run-1").pending)

    found = await log.load_many(ReplicationJob, asked)

    assert found == jobs
    assert list(found) == names
    assert [job.version for job in found.values()] == [1, 2, 3, 4, 5]
    assert found == {name: await log.load(ReplicationJob, name) for name in names}


async def test_events_before_a_snapshot_are_not_read_when_many_jobs_are_loaded(
    log: DatabaseEventLog, place: Place
) -> None:
    jobs = {name: registered(name) for name in ("job-1", "job-2")}
    for job in jobs.values():
        await log.append(job.collect_events(), [job.snapshot()] if job.id == "job-1" else [])
    place.execute("UPDATE stored_events SET state = ?", b"{")

    assert await log.load_many(ReplicationJob, list(jobs)) == {"job-1": jobs["job-1"]}


async def test_many_jobs_are_loaded_from_their_events_where_a_snapshot_cannot_be_used(
    log: DatabaseEventLog, place: Place
) -> None:
    jobs = {name: registered(name) for name in ("job-1", "job-2")}
    for job in jobs.values():
        other = msgspec.structs.replace(job, vm_name="another").snapshot()
        of_a_run = msgspec.structs.replace(other, topic=RecoveryRun.kind)
        await log.append(job.collect_events(), [other if job.id == "job-1" else of_a_run])
    place.execute("UPDATE stored_snapshots SET state = ? WHERE originator_id = 'job-1'", b"{}")
    assert await log.load_many(ReplicationJob, list(jobs)) == jobs

    for change in (
        "UPDATE stored_snapshots SET topic = 'JobTeleported'",
        "UPDATE stored_snapshots SET topic = 'JobStalled'",
    ):
        place.execute(change)
        assert await log.load_many(ReplicationJob, list(jobs)) == jobs
        assert await log.load(ReplicationJob, "job-1") == jobs["job-1"]
    assert await log.load_many(ReplicationJob, []) == {}


async def test_an_event_of_a_newer_version_is_named_and_other_events_and_jobs_can_be_read(
    log: DatabaseEventLog, place: Place
) -> None:
    for job_id in ("job-1", "job-2"):
        await log.append(registered(job_id).pending)
    place.execute("UPDATE stored_events SET topic = 'JobTeleported' WHERE originator_id = 'job-1'")

    (_, unreadable), (_, other) = await log.read_from(0, 10)

    assert isinstance(unreadable, UnreadableEvent)
    assert (unreadable.ref, other.ref) == ("job-1#1", "job-2#1")
    assert "'JobTeleported' (job-1 version 1) that this version does not know: use a newer one" in unreadable.why
    with pytest.raises(StorageUnavailable, match="'JobTeleported'"):
        await log.load(ReplicationJob, "job-1")
    assert list(await log.load_many(ReplicationJob, ["job-1", "job-2"])) == ["job-2"]
    assert [one.originator_id for one in await log.select(JobRegistered)] == ["job-2"]


async def test_a_stream_of_another_kind_is_not_loaded_as_a_job(log: DatabaseEventLog) -> None:
    await log.append(begun("run-1").pending)

    assert await log.load(ReplicationJob, "run-1") is None
    assert await log.load(RecoveryRun, "run-1") is not None


async def test_a_snapshot_of_another_kind_is_not_used(log: DatabaseEventLog) -> None:
    job = registered("job-1")
    snapshot = msgspec.structs.replace(job.snapshot(), topic=RecoveryRun.kind)
    await log.append(job.pending, [snapshot])

    found = await log.load(ReplicationJob, "job-1")

    assert found is not None
    assert found.vm_name == "vm"


def test_unknown_fields_are_ignored_and_missing_ones_have_defaults() -> None:
    event = JobStalled(
        originator_id="job-1",
        originator_version=2,
        recorded_at=NOON,
        correlation_id="r",
        causation_id="r",
        since=NOON,
        stalled_for=900.0,
        progress_percent=41.0,
    )
    stored = msgspec.json.decode(msgspec.json.encode(event))
    del stored["phase"]
    stored["added_in_version_9"] = {"a": 1}

    assert msgspec.json.decode(msgspec.json.encode(stored), type=JobStalled) == event


def test_topics_are_explicit_names_instead_of_module_paths() -> None:
    assert all(topic.isalpha() and kind.topic == topic for topic, kind in EVENTS.items())
    assert set(EVENTS.values()) == set(Event.__subclasses__()) - {UnreadableEvent}


@pytest.mark.parametrize("state", [b"{", b'{"vm_name":"\xff"}', b'{"vm_name":1}', b""])
async def test_an_event_that_cannot_be_decoded_is_named_with_a_remedy(
    log: DatabaseEventLog, place: Place, state: bytes
) -> None:
    await log.append(registered("job-1").pending)
    place.execute("UPDATE stored_events SET state = ?", state)

    with pytest.raises(
        StorageUnavailable, match=r"\(job-1 version 1\) that cannot be decoded: .*restore it from a backup"
    ):
        await log.load(ReplicationJob, "job-1")


async def test_of_events_that_are_read_at_once_one_that_is_no_text_is_unreadable_and_the_others_are_as_appended(
    log: DatabaseEventLog, place: Place
) -> None:
    appended = [registered(f"jöb-{n}") for n in range(3)]
    for job in appended:
        await log.append(job.pending)
    place.execute("UPDATE stored_events SET state = ? WHERE originator_id = 'jöb-1'", b"\xff")

    (_, first), (_, second), (_, third) = await log.read_from(0, 10)

    assert (isinstance(second, UnreadableEvent), second.ref) == (True, "jöb-1#1")
    assert [first, third] == [*appended[0].pending, *appended[2].pending]


async def test_a_changed_event_is_refused_at_the_start_with_its_position(place: Place) -> None:
    with opened(place) as log:
        for n in range(3):
            await log.append(registered(f"job-{n}").pending)
    change_state(place, "stored_events", lambda state: state.replace(b"default", b"another"), "position = 2")

    with pytest.raises(StorageUnavailable) as refused:
        place.open()

    message = str(refused.value)
    assert f"the event log {place.name} fails verification at position 2: the event (job-1 version 1)" in message
    assert "restore it from a backup" in message
