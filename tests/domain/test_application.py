"""Commands against a real log: stored once, refused when they must be, decided again after a conflict."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from domain.application import JobRecovery
from domain.errors import (
    ContextBusy,
    IllegalTransition,
    JobExists,
    NotFound,
    StorageUnavailable,
    VersionMismatch,
    VolumeBusy,
)
from domain.events import Cause, Trace
from domain.lifecycle import JobState
from domain.processes.registration import Registrar
from domain.recovery_policy import Outcome
from domain.replication_job import Registration, ReplicationJob
from domain.vm_context import VMContext
from domain.vma_status import VMAStatus
from tests.support.builders import document
from tests.support.harness import COMPLETED, REQUEST, RUNNING, Harness, asked
from tests.support.logs import execute
from tests.support.memory_log import MemoryLog


async def context_of(harness: Harness, job_id: str) -> VMContext:
    found = await harness.event_log.load(VMContext, VMContext.stream_id(f"ctx-{job_id}"))
    assert found is not None
    return found


async def test_a_registration_is_stored_with_its_vm_context(harness: Harness) -> None:
    job, is_new = await harness.app.register(asked(), REQUEST)

    assert is_new
    assert [event.topic for event in await harness.events()] == ["JobRegistered", "JobAdmitted"]
    assert (await context_of(harness, "job-1")).active_job == job.id


async def test_a_job_that_changes_while_many_are_loaded_is_watched_as_it_is_now(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start loads the guesses while workers report already: one of them may be reopened meanwhile."""
    await harness.app.register(asked(), REQUEST)
    before = await harness.event_log.load_many(ReplicationJob, ["job-1"])
    await harness.app.begin_recovery("job-1", "run-1", Cause.RESTART, "test")

    async def loaded_before(*_: object) -> dict[str, ReplicationJob]:
        return before

    monkeypatch.setattr(harness.event_log, "load_many", loaded_before)
    (preloaded,) = await harness.app.preload(["job-1"])

    assert preloaded.state is (await harness.app.job("job-1")).state is JobState.RECOVERING


async def test_a_job_that_ends_while_many_are_loaded_is_not_open_again(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    for job_id in ("job-1", "job-2"):
        await harness.app.register(asked(job_id), REQUEST)
    loads = harness.event_log.load_many

    async def loaded_before(*asked_for: Any) -> dict[str, ReplicationJob]:
        before = await loads(*asked_for)
        await harness.app.operator_decide("job-1", Outcome.FAIL, "mara", "gone", REQUEST)
        return before

    monkeypatch.setattr(harness.event_log, "load_many", loaded_before)
    ended, running = await harness.app.preload(["job-1", "job-2"])
    monkeypatch.setattr(harness.event_log, "load_many", loads)
    again = await harness.app.preload(["job-1", "job-2"])

    assert [(job.state, job.id) for job in again] == [(ended.state, "job-1"), (running.state, "job-2")]
    assert (ended.state, running.state) == (JobState.FAILED, JobState.REPLICATING)
    assert [job.id for job in harness.app.watched] == ["job-2"]


async def test_the_identical_registration_again_changes_nothing(harness: Harness) -> None:
    await harness.app.register(asked(percent=12.0), REQUEST)
    await harness.contact.ask(await harness.app.job("job-1"))

    _, is_new = await harness.app.register(asked(percent=12.0), REQUEST)

    assert not is_new
    assert len(await harness.events()) == 2


async def test_the_identical_registration_of_a_job_that_has_ended_changes_nothing_either(harness: Harness) -> None:
    await harness.app.register(asked(), REQUEST)
    await harness.app.operator_decide("job-1", Outcome.FAIL, "mara", "gone", REQUEST)
    before = await harness.events()

    job, is_new = await harness.app.register(asked(), REQUEST)

    assert (job.state, is_new) == (JobState.FAILED, False)
    assert await harness.events() == before
    with pytest.raises(JobExists):
        await harness.app.register(asked(vm_name="another"), REQUEST)


async def test_the_same_id_with_other_content_is_refused(harness: Harness) -> None:
    await harness.app.register(asked(), REQUEST)

    with pytest.raises(JobExists, match="job-1 is registered already, with other content"):
        await harness.app.register(asked(vm_name="another"), REQUEST)


async def test_a_second_job_of_a_busy_vm_is_refused_until_the_first_has_ended(harness: Harness) -> None:
    await harness.app.register(asked("job-1", vm_context_id="ctx"), REQUEST)
    with pytest.raises(ContextBusy):
        await harness.app.register(asked("job-2", vm_context_id="ctx"), REQUEST)
    with pytest.raises(NotFound):
        await harness.app.job("job-2")

    await harness.app.operator_decide("job-1", Outcome.FAIL, "mara", "gone", REQUEST)
    await harness.app.register(asked("job-2", vm_context_id="ctx"), REQUEST)

    assert (await harness.app.job("job-2")).state is JobState.REPLICATING


async def test_of_many_registrations_for_one_vm_at_once_one_is_admitted(harness: Harness) -> None:
    many = [harness.app.register(asked(f"job-{n}", vm_context_id="ctx"), REQUEST) for n in range(20)]

    results = await asyncio.gather(*many, return_exceptions=True)

    refused = [result for result in results if isinstance(result, ContextBusy)]
    assert len(refused) == 19


async def test_an_observed_end_releases_the_vm_in_the_same_commit(harness: Harness) -> None:
    job = await harness.job()
    harness.vma.says[job.id] = COMPLETED

    await harness.app.observe(job.id, await harness.contact.ask(job))

    assert (await context_of(harness, job.id)).active_job is None
    assert [event.topic for event in (await harness.events())[-2:]] == ["VMAStatusObserved", "JobReleased"]


async def test_what_is_not_material_is_not_recorded_and_nothing_is_of_a_job_that_has_ended(harness: Harness) -> None:
    job = await harness.job()
    for said in (RUNNING, RUNNING, COMPLETED, RUNNING, document(VMAStatus.FAILED, 7.0)):
        harness.vma.says[job.id] = said
        await harness.app.observe(job.id, await harness.contact.ask(await harness.app.job(job.id)))

    assert await harness.kinds() == ["JobRegistered", "VMAStatusObserved", "VMAStatusObserved"]
    assert (await harness.app.job(job.id)).state is JobState.COMPLETED


async def test_after_somebody_else_wrote_first_the_command_is_decided_again(harness: Harness) -> None:
    job = await harness.job()
    elsewhere = await harness.event_log.load(ReplicationJob, job.id)
    assert elsewhere is not None
    elsewhere.operator_decide(Outcome.FAIL, "mara", "from another instance", harness.clock.now(), REQUEST)
    await harness.event_log.append(elsewhere.collect_events())

    with pytest.raises(IllegalTransition, match="job-1 is failed"):
        await harness.app.begin_recovery(job.id, "run-1", Cause.RESTART, "test")

    assert await harness.kinds() == ["JobRegistered", "OperatorDecided"]


async def test_a_write_that_fails_leaves_no_poisoned_job_behind(harness: Harness) -> None:
    job = await harness.job()
    harness.make_writable(writable=False)
    with pytest.raises(StorageUnavailable, match=r"the event log cannot be written: .*read-?only"):
        await harness.app.begin_recovery(job.id, "run-1", Cause.RESTART, "test")
    harness.make_writable(writable=True)

    await harness.app.begin_recovery(job.id, "run-2", Cause.RESTART, "test")

    stored = [event for event in await harness.events() if event.originator_id == job.id]
    assert [event.originator_version for event in stored] == [1, 2]
    assert (await harness.app.job(job.id)).run_id == "run-2"


async def test_a_job_whose_events_are_refused_is_known_although_the_log_cannot_be_read_either() -> None:
    log = MemoryLog()
    harness = Harness(log)
    await harness.job("job-1")
    await harness.app.begin_recovery("job-1", "run-1", Cause.RESTART, "test")
    log.writable = False
    log.unreadable.add("job-1")

    for _ in range(2):
        with pytest.raises(StorageUnavailable, match="cannot be written"):
            await harness.app.begin_recovery("job-1", "run-2", Cause.RESTART, "test")

    known = await harness.app.job("job-1")
    assert (known.run_id, known.version, known.pending) == ("run-1", 2, [])


async def test_a_job_that_another_process_has_changed_is_read_again(harness: Harness) -> None:
    job = await harness.job()
    await JobRecovery(harness.event_log, harness.clock, harness.app.policy).begin_recovery(
        job.id, "run-1", Cause.RESTART, "test"
    )

    await harness.app.begin_recovery(job.id, "run-2", Cause.RESTART, "test")

    assert [event.originator_version for event in await harness.events() if event.originator_id == job.id] == [1, 2, 3]


async def test_a_long_history_is_loaded_from_a_snapshot(harness: Harness, tmp_path: Path) -> None:
    job = await harness.job()
    for n in range(120):
        harness.vma.says[job.id] = document(VMAStatus.RUNNING, float(n % 2 * 50))
        await harness.app.observe(job.id, await harness.contact.ask(await harness.app.job(job.id)))
    present = await harness.app.job(job.id)

    loaded = await harness.event_log.load(ReplicationJob, job.id)

    assert loaded == present
    assert snapshots_in(tmp_path) == [100]


def snapshots_in(data_dir: Path) -> list[int]:
    """Return the versions of which there is a snapshot."""
    return [version for (version,) in execute(data_dir, "SELECT originator_version FROM stored_snapshots ORDER BY 1")]


async def at_version(harness: Harness, version: int) -> None:
    """Record progress of the job until it has this version."""
    while (job := await harness.app.job("job-1")).version < version:
        harness.vma.says[job.id] = document(VMAStatus.RUNNING, 10.0 if job.progress_percent > 50 else 60.0)
        await harness.app.observe(job.id, await harness.contact.ask(job))


async def test_a_save_that_crosses_an_interval_takes_a_snapshot_wherever_it_ends(
    harness: Harness, tmp_path: Path
) -> None:
    """A recovery stores an observation and a decision at once: versions 100 and 101, and then 200 and 201."""
    await harness.job()

    for interval in (100, 200):
        await at_version(harness, interval - 2)
        before = snapshots_in(tmp_path)
        decided = await harness.decided("job-1")

        assert decided.version == interval + 1
        assert snapshots_in(tmp_path) == [*before, interval + 1]
        assert await harness.event_log.load(ReplicationJob, "job-1") == decided


FIRST = Registration(job_id="job-1", vm_name="vm", vm_context_id="ctx", volume_ids=("a", "b"), vma="default")


async def test_an_operator_corrects_a_guess_only_if_he_has_seen_its_last_version(harness: Harness) -> None:
    await harness.job()
    guess = await harness.decided("job-1")

    def seen(version: int) -> Callable[[ReplicationJob], bool]:
        return lambda job: job.version == version

    with pytest.raises(VersionMismatch, match=f"has changed since: it is at version {guess.version} now"):
        await harness.app.operator_decide(
            "job-1",
            Outcome.COMPLETE,
            "mara",
            "it is there",
            REQUEST,
            only_if=seen(guess.version - 1),
        )
    done = await harness.app.operator_decide(
        "job-1", Outcome.COMPLETE, "mara", "it is there", REQUEST, only_if=seen(guess.version)
    )

    assert (done.state, done.is_guess) == (JobState.COMPLETED, False)
    assert (await context_of(harness, "job-1")).active_job is None
    assert [job.id for job in harness.app.watched] == []


async def ended(harness: Harness, registration: Registration) -> None:
    """Have a job registered, seen running, and completed."""
    job, _ = await harness.app.register(registration, REQUEST)
    for said in (RUNNING, COMPLETED):
        harness.vma.says[job.id] = said
        await harness.app.observe(job.id, await harness.contact.ask(await harness.app.job(job.id)))


def previous_readings(job: ReplicationJob) -> list[tuple[str, VMAStatus]]:
    return [(left.volume_id, left.status) for left in job.previous_readings]


@pytest.mark.parametrize("context", ["ctx", "ctx-another"])
async def test_a_job_knows_what_its_exports_said_of_the_job_before_whatever_the_vm_was_called(
    harness: Harness, context: str
) -> None:
    await ended(harness, FIRST)

    second = msgspec.structs.replace(FIRST, job_id="job-2", vm_context_id=context, volume_ids=("b", "c"))
    job, _ = await harness.app.register(second, REQUEST)
    elsewhere = msgspec.structs.replace(FIRST, job_id="job-3", vm_context_id="ctx-3", vma="second")
    other, _ = await harness.app.register(elsewhere, REQUEST)

    assert previous_readings(job) == [("b", VMAStatus.COMPLETED)]
    assert other.previous_readings == ()


async def test_after_a_job_that_was_never_heard_of_it_knows_that_nothing_is_known(harness: Harness) -> None:
    await ended(harness, FIRST)
    second = msgspec.structs.replace(FIRST, job_id="job-2", vm_context_id="ctx-2")
    await harness.app.register(second, REQUEST)
    await harness.app.operator_decide("job-2", Outcome.FAIL, "mara", "the worker never began", REQUEST)

    restarted = JobRecovery(harness.event_log, harness.clock, harness.policy)
    third = msgspec.structs.replace(FIRST, job_id="job-3", vm_context_id="ctx-3")
    job, _ = await restarted.register(third, REQUEST)

    assert previous_readings(job) == [("a", VMAStatus.UNANSWERED), ("b", VMAStatus.UNANSWERED)]


async def test_a_guess_is_not_revived_when_a_job_of_another_name_has_its_disk(harness: Harness) -> None:
    job, _ = await harness.app.register(msgspec.structs.replace(FIRST, progress_percent=40.0), REQUEST)
    assert (await harness.decided(job.id)).is_guess
    newer = msgspec.structs.replace(FIRST, job_id="job-2", vm_context_id="ctx-2", volume_ids=("b",))
    await harness.app.register(newer, REQUEST)
    harness.vma.says[job.id] = RUNNING

    revised = await harness.app.revise(job.id, await harness.contact.ask(job))

    assert (revised.state, revised.contradicted) == (JobState.FAILED, True)
    assert "has the newer job job-2, so the outcome stays" in (await harness.events())[-1].reason  # type: ignore[attr-defined]


async def test_a_revised_job_occupies_its_vm_again(harness: Harness) -> None:
    job = await harness.job()
    assert (await harness.decided(job.id)).is_guess
    harness.vma.says[job.id] = RUNNING

    revised = await harness.app.revise(job.id, await harness.contact.ask(job))

    assert revised.state is JobState.REPLICATING
    assert (await context_of(harness, job.id)).active_job == job.id


async def test_a_contradicted_guess_is_not_revived_beside_a_newer_job(harness: Harness) -> None:
    await harness.app.register(asked("job-1", vm_context_id="ctx", percent=12.0), REQUEST)
    await harness.decided("job-1")
    await harness.app.register(asked("job-2", vm_context_id="ctx"), REQUEST)
    harness.vma.says["job-1"] = RUNNING

    job = await harness.app.revise("job-1", await harness.contact.ask(await harness.app.job("job-1")))

    assert (job.state, job.contradicted) == (JobState.FAILED, True)


async def test_nobody_sees_a_change_before_it_is_durable() -> None:
    harness = Harness(MemoryLog())
    job = await harness.job()
    harness.vma.says[job.id] = COMPLETED
    observation = await harness.contact.ask(job)
    harness.make_writable(writable=False)

    writing = asyncio.ensure_future(harness.app.observe(job.id, observation))
    seen = set()
    while not writing.done():
        seen.add((await harness.app.job(job.id)).state)
        await asyncio.sleep(0)

    assert isinstance(writing.exception(), StorageUnavailable)
    assert seen == {JobState.REPLICATING}


async def test_the_open_jobs_are_found_in_the_log_alone(harness: Harness) -> None:
    for name in ("job-2", "job-1", "job-3", "job-4"):
        await harness.job(name)
    await harness.app.operator_decide("job-3", Outcome.FAIL, "mara", "gone", REQUEST)
    assert (await harness.decided("job-4")).is_guess
    harness.vma.says["job-4"] = RUNNING
    await harness.app.revise("job-4", await harness.contact.ask(await harness.app.job("job-4")))

    restarted = JobRecovery(harness.event_log, harness.clock, harness.policy)

    assert await restarted.open_jobs() == ["job-2", "job-1", "job-4"]


async def test_the_vm_context_says_who_registered_and_who_ended_its_job(harness: Harness) -> None:
    await harness.app.register(asked(), Trace("request-1", "request-1", "tom"))

    await harness.app.operator_decide("job-1", Outcome.FAIL, "mara", "gone", Trace("request-2", "request-2", "mara"))

    traces = [(e.topic, e.correlation_id, e.causation_id, e.actor) for e in await harness.events()]
    assert traces[1::2] == [
        ("JobAdmitted", "request-1", "job-1#1", "tom"),
        ("JobReleased", "request-2", "job-1#2", "mara"),
    ]


async def test_events_that_are_stored_although_their_command_was_refused_are_told_once(harness: Harness) -> None:
    told: list[tuple[str, list[str]]] = []
    harness.app.subscribe(lambda job, events: told.append((job.id, [event.topic for event in events])))
    await harness.job("job-2")
    elsewhere = JobRecovery(harness.event_log, harness.clock, harness.policy)
    await Registrar(elsewhere, harness.contact).register(asked("job-1"), REQUEST)
    told.clear()
    late = [event for event in await harness.events() if event.originator_id != "job-2"]

    harness.app.forget(late)
    await harness.app.take_in(late)

    assert told == [("job-1", ["JobRegistered"])]
    assert {job.id for job in harness.app.watched} == {"job-1", "job-2"}


async def test_the_volumes_of_a_registration_that_was_refused_although_it_is_stored_are_taken(harness: Harness) -> None:
    await harness.job("job-2")
    elsewhere = JobRecovery(harness.event_log, harness.clock, harness.policy)
    await Registrar(elsewhere, harness.contact).register(asked("job-1"), REQUEST)

    harness.app.forget((await harness.events())[-2:])

    other = msgspec.structs.replace(asked("job-3"), volume_ids=("disk-of-job-1",))
    with pytest.raises(VolumeBusy, match="belongs to the open job job-1"):
        await harness.app.register(other, REQUEST)


async def test_events_that_are_stored_late_are_told_as_soon_as_their_job_can_be_read() -> None:
    log = MemoryLog()
    harness = Harness(log)
    await harness.job("job-1")
    told: list[str] = []
    harness.app.subscribe(lambda job, _: told.append(job.id))
    log.unreadable.add("job-1")
    harness.app.forget(log.events)

    taking_in = asyncio.ensure_future(harness.app.take_in(log.events))
    for _ in range(20):
        await asyncio.sleep(0)
    assert told == []
    log.unreadable.clear()
    await taking_in

    assert told == ["job-1"]
