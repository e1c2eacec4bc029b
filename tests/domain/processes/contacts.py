"""Questions about jobs, and what is known after them."""

from domain.evidence import Amnesia
from domain.vma_status import Document, Observation, VMAStatus
from tests.support.harness import RUNNING, Harness


async def ask_all(
    harness: Harness, count: int, *, lost: int, vma: str = "default", others: Document | VMAStatus = RUNNING
) -> None:
    """Register so many jobs and ask for each twice; the first `lost` of them are not found."""
    names = [f"job-{vma}-{n}" for n in range(count)]
    for n, name in enumerate(names):
        await harness.job(name, vma=vma)
        if n >= lost:
            harness.vma.says[name] = others
    harness.clock.advance(60)
    for name in 2 * names:
        await ask(harness, name)


async def ask(harness: Harness, job_id: str) -> Observation:
    return await harness.contact.ask(await harness.app.job(job_id))


async def amnesia_of(harness: Harness, job_id: str) -> Amnesia | None:
    return harness.contact.circumstances(await harness.app.job(job_id)).amnesia


async def forgets(harness: Harness, job_id: str) -> bool:
    return await amnesia_of(harness, job_id) is not None
