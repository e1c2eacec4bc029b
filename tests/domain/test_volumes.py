"""One export cannot serve two workers: a volume has one open job at a time."""

import asyncio
from collections.abc import Sequence

import pytest

from domain.application import JobRecovery
from domain.errors import NotFound, VolumeBusy
from domain.events import Cause, JobRegistered
from domain.recovery_policy import Outcome
from domain.replication_job import Registration
from domain.vma_status import VMAStatus
from domain.volumes import Volumes
from tests.support.harness import REQUEST, RUNNING, Harness


def on(*volumes: str, job: str, vma: str = "default") -> Registration:
    """Ask for a job of another VM on these volumes."""
    return Registration(job_id=job, vm_name="vm", vm_context_id=f"ctx-{job}", volume_ids=volumes, vma=vma)


async def test_a_job_on_a_volume_of_an_open_job_is_refused_by_name(harness: Harness) -> None:
    await harness.app.register(on("a", "b", job="job-1"), REQUEST)

    with pytest.raises(
        VolumeBusy,
        match="volume b belongs to the open job job-1: job-2 can be registered when that one has ended",
    ):
        await harness.app.register(on("b", "c", job="job-2"), REQUEST)

    with pytest.raises(NotFound):
        await harness.app.job("job-2")
    assert await harness.kinds("vm-context:ctx-job-2") == []


async def test_one_that_is_refused_keeps_no_volume(harness: Harness) -> None:
    await harness.app.register(on("b", job="job-1"), REQUEST)
    with pytest.raises(VolumeBusy):
        await harness.app.register(on("a", "b", job="job-2"), REQUEST)

    _, is_new = await harness.app.register(on("a", job="job-3"), REQUEST)

    assert is_new


async def test_the_identical_registration_again_is_none_of_another_job(harness: Harness) -> None:
    await harness.app.register(on("a", job="job-1"), REQUEST)

    _, is_new = await harness.app.register(on("a", job="job-1"), REQUEST)

    assert not is_new


@pytest.mark.parametrize("outcome", [Outcome.COMPLETE, Outcome.FAIL])
async def test_once_the_first_has_ended_the_next_is_admitted(harness: Harness, outcome: Outcome) -> None:
    await harness.app.register(on("a", job="job-1"), REQUEST)
    await harness.app.operator_decide("job-1", outcome, "mara", "done", REQUEST)

    await harness.app.register(on("a", job="job-2"), REQUEST)

    with pytest.raises(VolumeBusy, match="the open job job-2"):
        await harness.app.register(on("a", job="job-3"), REQUEST)


@pytest.mark.parametrize("state", ["replicating", "recovering", "pending-retry"])
async def test_a_job_is_open_in_each_open_state(harness: Harness, state: str) -> None:
    await harness.app.register(on("a", job="job-1"), REQUEST)
    if state == "pending-retry":
        harness.vma.says["job-1"] = VMAStatus.UNREACHABLE
        await harness.decided("job-1")
    elif state == "recovering":
        await harness.app.begin_recovery("job-1", "run-1", Cause.RESTART, "test")
    assert (await harness.app.job("job-1")).state.value == state

    with pytest.raises(VolumeBusy):
        await harness.app.register(on("a", job="job-2"), REQUEST)


async def test_the_same_volume_id_on_another_vma_is_another_volume(harness: Harness) -> None:
    await harness.app.register(on("a", job="job-1"), REQUEST)

    _, is_new = await harness.app.register(on("a", job="job-2", vma="second"), REQUEST)

    assert is_new


@pytest.mark.parametrize("other", [("a",), ("b", "a"), ("c", "b")])
async def test_of_two_at_once_exactly_one_wins_in_either_order(harness: Harness, other: tuple[str, ...]) -> None:
    first = on("a", "b", job="job-1"), on(*other, job="job-2")
    second = on(*other, job="job-3"), on("a", "b", job="job-4")

    for pair in (first, second):
        results = await asyncio.gather(
            *(harness.app.register(asked, REQUEST) for asked in pair), return_exceptions=True
        )
        [refused] = [result for result in results if isinstance(result, BaseException)]
        [won] = [result[0] for result in results if not isinstance(result, BaseException)]
        assert isinstance(refused, VolumeBusy)
        assert f"belongs to the open job {won.id}:" in str(refused)
        await harness.app.operator_decide(won.id, Outcome.FAIL, "mara", "gone", REQUEST)


async def test_of_many_at_once_in_circles_each_volume_has_one(harness: Harness) -> None:
    names = "abcdef"
    circle = [on(names[n], names[(n + 1) % 6], job=f"job-{n}") for n in range(6)]

    results = await asyncio.gather(*(harness.app.register(asked, REQUEST) for asked in circle), return_exceptions=True)

    won = [result[0] for result in results if not isinstance(result, BaseException)]
    taken = [volume for job in won for volume in job.volume_ids]
    assert len(taken) == len(set(taken)) >= 4
    assert all(isinstance(result, VolumeBusy) for result in results if isinstance(result, BaseException))


async def test_a_volume_that_is_assigned_while_the_log_is_read_is_its_new_jobs(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    await harness.app.register(on("a", "b", job="job-1"), REQUEST)
    read, may_end = harness.event_log.select, asyncio.Event()

    async def slowly(*kinds: type[JobRegistered]) -> Sequence[JobRegistered]:
        found = await read(*kinds)
        await may_end.wait()
        return found

    monkeypatch.setattr(harness.event_log, "select", slowly)
    volumes = Volumes(harness.event_log)
    asking = asyncio.ensure_future(volumes.last_jobs("default", ("a", "b")))
    await asyncio.sleep(0)

    volumes.assign("job-2", "default", ("a",))
    may_end.set()

    assert await asking == await volumes.last_jobs("default", ("a", "b")) == {"a": "job-2", "b": "job-1"}


async def test_it_is_so_after_our_restart(harness: Harness) -> None:
    await harness.app.register(on("a", job="job-1"), REQUEST)
    restarted = JobRecovery(harness.event_log, harness.clock, harness.policy)

    with pytest.raises(VolumeBusy, match="job-1"):
        await restarted.register(on("a", job="job-2"), REQUEST)


async def test_a_revised_guess_has_its_volumes_again(harness: Harness) -> None:
    await harness.job()
    assert (await harness.decided("job-1")).is_guess
    harness.vma.says["job-1"] = RUNNING
    await harness.app.revise("job-1", await harness.contact.ask(await harness.app.job("job-1")))

    with pytest.raises(VolumeBusy, match="job-1"):
        await harness.app.register(on("disk-of-job-1", job="job-2"), REQUEST)


@pytest.mark.parametrize(("earlier", "later"), [("job-1", "job-2"), ("job-2", "job-1")])
async def test_the_newer_job_is_the_last_that_has_one_of_the_volumes_whatever_it_is_called(
    harness: Harness, earlier: str, later: str
) -> None:
    await harness.app.register(on("a", "b", job=earlier), REQUEST)
    await harness.app.operator_decide(earlier, Outcome.FAIL, "mara", "gone", REQUEST)
    volumes = Volumes(harness.event_log)
    assert await volumes.newer_jobs_than(earlier, "default", ("a", "b")) == {}

    await harness.app.register(on("b", job=later), REQUEST)
    volumes.assign(later, "default", ("b",))

    for known in (volumes, Volumes(harness.event_log)):
        assert await known.newer_jobs_than(earlier, "default", ("a", "b")) == {"b": later}
        assert await known.newer_jobs_than(earlier, "default", ("a",)) == {}
        assert await known.newer_jobs_than(earlier, "second", ("a", "b")) == {}
        assert await known.newer_jobs_than(later, "default", ("b",)) == {}
