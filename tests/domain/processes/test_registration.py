"""A job is put under watch, knowing what stands on its VMA of earlier jobs; no VMA holds that up for long."""

import asyncio
import time

import msgspec
import pytest

from domain.errors import ContextBusy, JobExists, VolumeBusy
from domain.events import Cause
from domain.processes.registration import PROBE_WITHIN, Registrar
from domain.recovery_policy import Outcome
from domain.vma_status import Document, VMAStatus
from tests.support.builders import document
from tests.support.harness import COMPLETED, REQUEST, RUNNING, Harness, asked, asked_for

NO_ANSWER = [VMAStatus.UNREACHABLE, VMAStatus.UNANSWERED, VMAStatus.UNINTELLIGIBLE, VMAStatus.NOT_ASKED]


@pytest.fixture
def registrar(harness: Harness) -> Registrar:
    return Registrar(harness.app, harness.contact)


async def test_the_vma_is_asked_once_and_the_second_time_nobody_is(harness: Harness, registrar: Registrar) -> None:
    job, is_new = await registrar.register(asked(percent=12.0), REQUEST)
    again, is_new_again = await registrar.register(asked(percent=12.0), REQUEST)

    assert (is_new, is_new_again, again) == (True, False, job)
    assert harness.vma.asked == ["job-1"]
    assert await harness.kinds() == ["JobRegistered"]


async def test_the_second_time_does_not_wait_for_a_vma_that_hangs(harness: Harness, registrar: Registrar) -> None:
    await registrar.register(asked(), REQUEST)
    harness.vma.hang("default")

    _, is_new = await registrar.register(asked(), REQUEST)

    assert not is_new


async def test_the_second_time_does_not_wait_for_another_job_of_the_volume_whose_vma_hangs(
    harness: Harness, registrar: Registrar
) -> None:
    first = asked()
    await registrar.register(first, REQUEST)
    await harness.app.operator_decide(first.job_id, Outcome.COMPLETE, "mara", "seen in CloudStack", REQUEST)
    harness.vma.hang("default")
    other = msgspec.structs.replace(asked("job-2"), volume_ids=first.volume_ids)
    waiting = asyncio.ensure_future(registrar.register(other, REQUEST))
    await asked_for(harness, 2)

    _, is_new = await registrar.register(first, REQUEST)

    assert (is_new, waiting.done()) == (False, False)
    harness.vma.go_on()
    assert (await waiting)[1]


async def test_other_content_under_the_same_id_is_refused_without_asking(
    harness: Harness, registrar: Registrar
) -> None:
    await registrar.register(asked(), REQUEST)
    harness.vma.hang("default")

    with pytest.raises(JobExists):
        await registrar.register(asked(percent=50.0), REQUEST)


async def test_where_its_exports_show_nothing_every_later_statement_is_the_jobs_own(
    harness: Harness, registrar: Registrar
) -> None:
    job, _ = await registrar.register(asked(), REQUEST)

    assert (job.previous_readings, job.unasked, job.vma_address) == ((), (), "http://default")
    harness.vma.says["job-1"] = COMPLETED
    assert (await harness.contact.ask(job)).conclusive


@pytest.mark.parametrize("said", [COMPLETED, document(VMAStatus.FAILED, 7.0)])
async def test_an_end_that_stands_there_is_an_earlier_jobs_though_it_was_never_known_here(
    harness: Harness, registrar: Registrar, said: Document
) -> None:
    harness.vma.says["job-1"] = said

    job, _ = await registrar.register(asked(), REQUEST)

    assert [one.status for one in job.previous_readings] == [said.status]
    assert (await harness.contact.ask(job)).status is VMAStatus.UNANSWERED


async def test_a_worker_that_runs_already_is_the_jobs_own(harness: Harness, registrar: Registrar) -> None:
    harness.vma.says["job-1"] = RUNNING

    job, _ = await registrar.register(asked(), REQUEST)

    assert job.previous_readings == ()
    assert (await harness.contact.ask(job)).progress_percent == 41.5


@pytest.mark.parametrize("silence", NO_ANSWER)
async def test_where_nobody_answers_the_job_is_registered_and_a_completion_counts_only_once_it_has_held(
    harness: Harness, registrar: Registrar, silence: VMAStatus
) -> None:
    harness.vma.says["job-1"] = silence

    job, is_new = await registrar.register(asked(), REQUEST)

    assert (is_new, job.unasked, job.vma_address) == (True, ("disk-of-job-1",), None)
    harness.vma.says["job-1"] = COMPLETED
    assert (await harness.contact.ask(job)).doubtful


async def test_a_vma_that_never_answers_holds_a_registration_up_for_seconds_and_no_other_at_all(
    harness: Harness, registrar: Registrar
) -> None:
    harness.vma.hang("slow")
    began = time.monotonic()
    waiting = asyncio.ensure_future(registrar.register(asked("job-1", vma="slow"), REQUEST))
    await registrar.register(asked("job-2", vma="quick"), REQUEST)
    assert not waiting.done()

    job, is_new = await waiting

    assert (is_new, job.unasked) == (True, ("disk-of-job-1",))
    assert PROBE_WITHIN <= time.monotonic() - began < PROBE_WITHIN + 20


async def test_two_at_once_for_one_job_register_it_once(harness: Harness, registrar: Registrar) -> None:
    both = await asyncio.gather(*(registrar.register(asked(), REQUEST) for _ in range(2)))

    assert sorted(is_new for _, is_new in both) == [False, True]
    assert await harness.kinds() == ["JobRegistered"]


async def test_an_operator_ends_a_job_whose_worker_copies_on_and_the_next_job_is_not_taken_for_it(
    harness: Harness, registrar: Registrar
) -> None:
    """The worker of job A goes on at 95 %, and is killed: job B, which never began, is neither completed nor lost."""
    first = asked("job-a", vm_context_id="ctx")
    a, _ = await registrar.register(first, REQUEST)
    harness.vma.says["job-a"] = document(percent=60.0)
    await harness.app.observe(a.id, await harness.contact.ask(a))
    await harness.app.operator_decide("job-a", Outcome.FAIL, "mara", "stop it", REQUEST)

    harness.vma.says["job-b"] = document(percent=95.0)
    second = msgspec.structs.replace(first, job_id="job-b")
    b, _ = await registrar.register(second, REQUEST)
    still_there = await harness.contact.ask(b)
    await harness.app.observe(b.id, still_there)
    b = await harness.app.job("job-b")
    assert (still_there.status, b.seen_on_vma, b.progress_percent) == (VMAStatus.UNANSWERED, False, 0.0)

    harness.vma.says["job-b"] = VMAStatus.NOT_FOUND
    await harness.app.begin_recovery("job-b", "run-1", Cause.RESTART, "test")
    gone = await harness.contact.ask(b)
    decision = await harness.app.recover("job-b", "run-1", gone, harness.contact.circumstances(b), lambda _: 5.0)
    assert decision is not None
    assert (decision.rule.value, decision.outcome) == ("not-started-yet", Outcome.RETRY)


@pytest.mark.parametrize("busy", [ContextBusy, VolumeBusy])
async def test_what_is_refused_is_refused_without_asking(
    harness: Harness, registrar: Registrar, busy: type[Exception]
) -> None:
    first = asked("job-1")
    await registrar.register(first, REQUEST)
    changed = {"vm_context_id": first.vm_context_id} if busy is ContextBusy else {"volume_ids": first.volume_ids}
    second = msgspec.structs.replace(asked("job-2"), **changed)
    harness.vma.hang("default")

    with pytest.raises(busy, match="job-1"):
        await registrar.register(second, REQUEST)

    assert (await harness.kinds("job-2"), harness.vma.asked) == ([], ["job-1"])


async def test_the_volumes_of_a_registration_that_waits_for_its_vma_are_taken_and_no_others(
    harness: Harness, registrar: Registrar
) -> None:
    """An answer from before the end of a volume's last job would be compared with that end."""
    harness.vma.hang("default")
    first = asyncio.ensure_future(registrar.register(asked("job-1"), REQUEST))
    same = msgspec.structs.replace(asked("job-2"), volume_ids=("disk-of-job-1",))
    second = asyncio.ensure_future(registrar.register(same, REQUEST))
    third = asyncio.ensure_future(registrar.register(asked("job-3"), REQUEST))
    await asked_for(harness, 2)
    harness.vma.go_on()

    results = await asyncio.gather(first, second, third, return_exceptions=True)

    assert [isinstance(result, VolumeBusy) for result in results] == [False, True, False]
    assert harness.vma.asked == ["job-1", "job-3"]


@pytest.mark.parametrize(
    ("silence", "written_again", "is_doubted"),
    [
        (VMAStatus.UNANSWERED, document(VMAStatus.COMPLETED, 100.0, phase="Completed", started="10:00"), True),
        (VMAStatus.UNANSWERED, document(VMAStatus.RUNNING, 100.0, started="10:00"), False),
        (None, document(VMAStatus.COMPLETED, 100.0, total=2000, started="10:00"), False),
    ],
)
async def test_an_end_that_was_written_again_may_be_the_previous_jobs_if_its_export_could_not_be_asked(
    harness: Harness, registrar: Registrar, silence: VMAStatus | None, written_again: Document, *, is_doubted: bool
) -> None:
    first = asked("job-1", vm_context_id="ctx")
    job, _ = await registrar.register(first, REQUEST)
    ended = document(VMAStatus.COMPLETED, 100.0, phase="PersistChangeIDs", started="10:00")
    harness.vma.says["job-1"] = ended
    await harness.app.observe(job.id, await harness.contact.ask(job))
    harness.vma.says["job-2"] = silence or ended
    second, _ = await registrar.register(msgspec.structs.replace(first, job_id="job-2"), REQUEST)

    harness.vma.says["job-2"] = written_again
    seen = await harness.contact.ask(second)

    assert (seen.status, seen.doubtful) == (written_again.status, is_doubted)
