"""Commands against a real log: stored once, refused when they must be, decided again after a conflict."""

import asyncio
from collections.abc import Callable

import msgspec
import pytest

from domain.application import JobRecovery
from domain.errors import (
    ContextBusy,
    JobExists,
    NotFound,
    VersionMismatch,
)
from domain.events import Trace
from domain.lifecycle import JobState
from domain.recovery_policy import Outcome
from domain.replication_job import Registration, ReplicationJob
from domain.vm_context import VMContext
from domain.vma_status import WORKER, VMAStatus
from tests.support.builders import document
from tests.support.harness import COMPLETED, REQUEST, RUNNING, Harness, asked


async def context_of(harness: Harness, job_id: str) -> VMContext:
    found = await harness.event_log.load(VMContext, VMContext.stream_id(f"ctx-{job_id}"))
    assert found is not None
    return found


async def test_a_registration_is_stored_with_its_vm_context(harness: Harness) -> None:
    job, is_new = await harness.app.register(asked(), REQUEST)

    assert is_new
    assert [event.topic for event in await harness.events()] == ["JobRegistered", "JobAdmitted"]
    assert (await context_of(harness, "job-1")).active_job == job.id


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


async def test_a_guess_is_not_contradicted_by_what_the_exports_say_since_a_newer_job_has_all_of_them(
    harness: Harness,
) -> None:
    job, _ = await harness.app.register(msgspec.structs.replace(FIRST, progress_percent=95.0), REQUEST)
    await harness.decided(job.id)
    newer = msgspec.structs.replace(FIRST, job_id="job-2", vm_context_id="ctx-2", volume_ids=("a",))
    await harness.app.register(newer, REQUEST)
    await harness.app.register(
        msgspec.structs.replace(newer, job_id="job-3", vm_context_id="ctx-3", volume_ids=("b",)), REQUEST
    )
    harness.vma.says[job.id] = RUNNING
    seen = await harness.contact.ask(job)
    assert seen.conclusive

    unchanged = await harness.app.revise(job.id, seen)
    assert (unchanged.state, unchanged.is_guess, unchanged.contradicted) == (JobState.COMPLETED, True, False)

    own = msgspec.structs.replace(seen, source=WORKER)
    assert (await harness.app.revise(job.id, own, REQUEST)).contradicted


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


async def test_the_vm_context_says_who_registered_and_who_ended_its_job(harness: Harness) -> None:
    await harness.app.register(asked(), Trace("request-1", "request-1", "tom"))

    await harness.app.operator_decide("job-1", Outcome.FAIL, "mara", "gone", Trace("request-2", "request-2", "mara"))

    traces = [(e.topic, e.correlation_id, e.causation_id, e.actor) for e in await harness.events()]
    assert traces[1::2] == [
        ("JobAdmitted", "request-1", "job-1#1", "tom"),
        ("JobReleased", "request-2", "job-1#2", "mara"),
    ]
