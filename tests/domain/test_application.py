"""Commands against a real log: stored once, refused when they must be, decided again after a conflict."""

import asyncio

import msgspec
import pytest

from adapters.event_store import SQLiteEventLog
from domain.application import Registration
from domain.errors import ContextBusy, IllegalTransition, JobExists, NotFound, StorageUnavailable
from domain.events import Cause
from domain.lifecycle import JobState
from domain.recovery_policy import Outcome
from domain.replication_job import ReplicationJob
from domain.vm_context import VMContext
from domain.vma_status import VMAStatus
from tests.builders import document
from tests.memory_log import MemoryLog
from tests.scenery import COMPLETED, REQUEST, RUNNING, Scenery, asked


async def context_of(scenery: Scenery, job_id: str) -> VMContext:
    found = await scenery.event_log.load(VMContext, VMContext.stream_id(f"ctx-{job_id}"))
    assert found is not None
    return found


async def test_a_registration_is_stored_with_its_vm_context(scenery: Scenery) -> None:
    job, is_new = await scenery.app.register(asked(), REQUEST)

    assert is_new
    assert [event.topic for event in await scenery.events()] == ["JobRegistered", "JobAdmitted"]
    assert (await context_of(scenery, "job-1")).active_job == job.id


async def test_the_identical_registration_again_changes_nothing(scenery: Scenery) -> None:
    await scenery.app.register(asked(percent=12.0), REQUEST)
    await scenery.contact.ask(await scenery.app.job("job-1"))

    _, is_new = await scenery.app.register(asked(percent=12.0), REQUEST)

    assert not is_new
    assert len(await scenery.events()) == 2


async def test_the_same_id_with_other_content_is_refused(scenery: Scenery) -> None:
    await scenery.app.register(asked(), REQUEST)

    with pytest.raises(JobExists, match="job-1 is registered already, with other content"):
        await scenery.app.register(asked(vm_name="another"), REQUEST)


async def test_a_second_job_of_a_busy_vm_is_refused_until_the_first_has_ended(scenery: Scenery) -> None:
    await scenery.app.register(asked("job-1", vm_context_id="ctx"), REQUEST)
    with pytest.raises(ContextBusy):
        await scenery.app.register(asked("job-2", vm_context_id="ctx"), REQUEST)
    with pytest.raises(NotFound):
        await scenery.app.job("job-2")

    await scenery.app.operator_decide("job-1", Outcome.FAIL, "mara", "gone", REQUEST)
    await scenery.app.register(asked("job-2", vm_context_id="ctx"), REQUEST)

    assert (await scenery.app.job("job-2")).state is JobState.REPLICATING


async def test_of_many_registrations_for_one_vm_at_once_one_is_admitted(scenery: Scenery) -> None:
    many = [scenery.app.register(asked(f"job-{n}", vm_context_id="ctx"), REQUEST) for n in range(20)]

    results = await asyncio.gather(*many, return_exceptions=True)

    refused = [result for result in results if isinstance(result, ContextBusy)]
    assert len(refused) == 19


async def test_an_observed_end_releases_the_vm_in_the_same_commit(scenery: Scenery) -> None:
    job = await scenery.job()
    scenery.vma.says[job.id] = COMPLETED

    await scenery.app.observe(job.id, await scenery.contact.ask(job))

    assert (await context_of(scenery, job.id)).active_job is None
    assert [event.topic for event in (await scenery.events())[-2:]] == ["VMAStatusObserved", "JobReleased"]


async def test_after_somebody_else_wrote_first_the_command_is_decided_again(scenery: Scenery) -> None:
    job = await scenery.job()
    elsewhere = await scenery.event_log.load(ReplicationJob, job.id)
    assert elsewhere is not None
    elsewhere.operator_decide(Outcome.FAIL, "mara", "from another instance", scenery.clock.now(), REQUEST)
    await scenery.event_log.append(elsewhere.collect_events())

    with pytest.raises(IllegalTransition, match="job-1 is failed"):
        await scenery.app.begin_recovery(job.id, "run-1", Cause.RESTART, "test")

    assert await scenery.kinds() == ["JobRegistered", "OperatorDecided"]


async def test_a_write_that_fails_leaves_no_poisoned_job_behind(scenery: Scenery) -> None:
    job = await scenery.job()
    scenery.make_writable(writable=False)
    with pytest.raises(StorageUnavailable, match="the event log cannot be written: attempt to write a readonly"):
        await scenery.app.begin_recovery(job.id, "run-1", Cause.RESTART, "test")
    scenery.make_writable(writable=True)

    await scenery.app.begin_recovery(job.id, "run-2", Cause.RESTART, "test")

    stored = [event for event in await scenery.events() if event.originator_id == job.id]
    assert [event.originator_version for event in stored] == [1, 2]
    assert (await scenery.app.job(job.id)).run_id == "run-2"


async def test_a_long_history_is_loaded_from_a_snapshot(scenery: Scenery) -> None:
    job = await scenery.job()
    for n in range(120):
        scenery.vma.says[job.id] = document(VMAStatus.RUNNING, float(n % 2 * 50))
        await scenery.app.observe(job.id, await scenery.contact.ask(await scenery.app.job(job.id)))
    present = await scenery.app.job(job.id)

    loaded = await scenery.event_log.load(ReplicationJob, job.id)

    assert loaded == present
    assert isinstance(scenery.event_log, SQLiteEventLog)
    with scenery.event_log._recorder.datastore.transaction(commit=False) as cursor:
        cursor.execute("SELECT originator_version FROM stored_snapshots")
        assert [row[0] for row in cursor.fetchall()] == [100]


async def test_the_next_job_of_a_vm_knows_how_the_one_before_ended_by_their_exports(scenery: Scenery) -> None:
    first = Registration(job_id="job-1", vm_name="vm", vm_context_id="ctx", volume_ids=("a", "b"), vma="default")
    await scenery.app.register(first, REQUEST)
    scenery.vma.says["job-1"] = COMPLETED
    await scenery.app.observe("job-1", await scenery.contact.ask(await scenery.app.job("job-1")))

    second = msgspec.structs.replace(first, job_id="job-2", volume_ids=("b", "c"))
    job, _ = await scenery.app.register(second, REQUEST)
    other, _ = await scenery.app.register(asked("job-3"), REQUEST)

    assert [(left.volume_id, left.status) for left in job.left_over] == [("b", VMAStatus.COMPLETED)]
    assert other.left_over == ()


async def test_a_revised_job_occupies_its_vm_again(scenery: Scenery) -> None:
    job = await scenery.job()
    assert (await scenery.decided(job.id)).is_guess
    scenery.vma.says[job.id] = RUNNING

    revised = await scenery.app.revise(job.id, await scenery.contact.ask(job))

    assert revised.state is JobState.REPLICATING
    assert (await context_of(scenery, job.id)).active_job == job.id


async def test_a_contradicted_guess_is_not_revived_beside_a_newer_job(scenery: Scenery) -> None:
    await scenery.app.register(asked("job-1", vm_context_id="ctx", percent=12.0), REQUEST)
    await scenery.decided("job-1")
    await scenery.app.register(asked("job-2", vm_context_id="ctx"), REQUEST)
    scenery.vma.says["job-1"] = RUNNING

    job = await scenery.app.revise("job-1", await scenery.contact.ask(await scenery.app.job("job-1")))

    assert (job.state, job.contradicted) == (JobState.FAILED, True)


async def test_nobody_sees_a_change_before_it_is_durable() -> None:
    scenery = Scenery(MemoryLog())
    job = await scenery.job()
    scenery.vma.says[job.id] = COMPLETED
    observation = await scenery.contact.ask(job)
    scenery.make_writable(writable=False)

    writing = asyncio.ensure_future(scenery.app.observe(job.id, observation))
    seen = set()
    while not writing.done():
        seen.add((await scenery.app.job(job.id)).state)
        await asyncio.sleep(0)

    assert isinstance(writing.exception(), StorageUnavailable)
    assert seen == {JobState.REPLICATING}
