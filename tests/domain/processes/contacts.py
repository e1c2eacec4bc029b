"""Questions about jobs, and what is known after them."""

from domain.evidence import Amnesia
from domain.vma_status import Document, Observation, VMAStatus
from tests.support.harness import RUNNING, Harness


async def ask_all(
    scenery: Harness, count: int, *, lost: int, vma: str = "default", others: Document | VMAStatus = RUNNING
) -> None:
    """Register so many jobs and ask for each twice; the first `lost` of them are not found."""
    names = [f"job-{vma}-{n}" for n in range(count)]
    for n, name in enumerate(names):
        await scenery.job(name, vma=vma)
        if n >= lost:
            scenery.vma.says[name] = others
    scenery.clock.advance(60)
    for name in 2 * names:
        await ask(scenery, name)


async def ask(scenery: Harness, job_id: str) -> Observation:
    return await scenery.contact.ask(await scenery.app.job(job_id))


async def amnesia_of(scenery: Harness, job_id: str) -> Amnesia | None:
    return scenery.contact.circumstances(await scenery.app.job(job_id)).amnesia


async def forgets(scenery: Harness, job_id: str) -> bool:
    return await amnesia_of(scenery, job_id) is not None
