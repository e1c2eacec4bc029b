"""What shows only over many jobs: a VMA that is down, and one that has forgotten."""

from domain.processes.contact import Contact
from domain.recovery_policy import Policy
from domain.vma_status import VMAStatus
from tests.scenery import RUNNING, Scenery


async def ask_all(scenery: Scenery, count: int, *, lost: int, vma: str = "default") -> None:
    """Register and ask for so many jobs; the first `lost` of them are not found."""
    for n in range(count):
        job = await scenery.job(f"job-{vma}-{n}", vma=vma)
        if n >= lost:
            scenery.vma.says[job.id] = RUNNING
    scenery.clock.advance(60)
    for n in range(count):
        await scenery.contact.ask(await scenery.app.job(f"job-{vma}-{n}"))


async def forgets(scenery: Scenery, job_id: str) -> bool:
    return scenery.contact.amnesia_for(await scenery.app.job(job_id)) is not None


async def test_a_vma_that_does_not_know_most_of_its_jobs_has_forgotten_them(scenery: Scenery) -> None:
    await ask_all(scenery, 20, lost=11)

    amnesia = scenery.contact.amnesia_for(await scenery.app.job("job-default-0"))

    assert amnesia is not None
    assert (amnesia.not_found, amnesia.asked) == (11, 20)


async def test_half_of_them_is_not_most(scenery: Scenery) -> None:
    await ask_all(scenery, 20, lost=10)

    assert not await forgets(scenery, "job-default-0")


async def test_nine_jobs_are_too_few_to_tell(scenery: Scenery) -> None:
    await ask_all(scenery, 9, lost=9)

    assert not await forgets(scenery, "job-default-0")


async def test_each_vma_is_judged_by_itself(scenery: Scenery) -> None:
    await ask_all(scenery, 12, lost=12, vma="one")
    await ask_all(scenery, 12, lost=1, vma="two")

    assert await forgets(scenery, "job-one-0")
    assert not await forgets(scenery, "job-two-0")


async def test_jobs_that_may_not_have_started_are_not_counted(scenery: Scenery) -> None:
    for n in range(20):
        job = await scenery.job(f"job-{n}", percent=0)
        await scenery.contact.ask(job)

    assert not await forgets(scenery, "job-0")


async def test_a_job_that_was_heard_of_since_is_not_forgotten(scenery: Scenery) -> None:
    await ask_all(scenery, 12, lost=12)
    scenery.vma.says["job-default-3"] = RUNNING
    scenery.clock.advance(5)

    job = await scenery.app.job("job-default-3")
    await scenery.app.observe(job.id, await scenery.contact.ask(job))

    assert not await forgets(scenery, "job-default-3")
    assert await forgets(scenery, "job-default-4")


async def test_amnesia_is_remembered_over_our_own_restart(scenery: Scenery) -> None:
    await ask_all(scenery, 12, lost=12)
    job = await scenery.decided("job-default-0")
    assert job.decision is not None
    assert job.decision.rule == "vma-amnesia"

    fresh = Contact(scenery.vma, scenery.clock, Policy())
    fresh.restore(job)

    assert fresh.amnesia_for(await scenery.app.job("job-default-1")) == job.decision.amnesia


async def test_three_unreachable_answers_mean_down_and_the_next_answer_means_back(scenery: Scenery) -> None:
    job = await scenery.job()
    back: list[str] = []
    scenery.contact.on_back(back.append)
    scenery.vma.says[job.id] = VMAStatus.UNREACHABLE
    for down in (False, False, True):
        await scenery.contact.ask(job)
        assert scenery.contact.is_down("default") is down

    scenery.vma.says[job.id] = VMAStatus.NOT_FOUND
    await scenery.contact.ask(job)

    assert (scenery.contact.is_down("default"), back) == (False, ["default"])
