"""Registers many jobs, and waits for all of them."""

import asyncio
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

import httpx

from adapters.simulated_vma import SimulatedVMA
from tests.support.service import PATIENCE, ServiceProcess, wait_until

PRODUCTION = {
    "POLL_INTERVAL": "5",
    "PROBE_TIMEOUT": "5",
    "CONFIRMATION_WINDOW": "15",
    "RETRY_BACKOFF_INITIAL": "5",
    "RETRY_BACKOFF_MAX": "60",
    "UNREACHABLE_GRACE": "300",
    "STALE_AFTER": "30",
}
"""The defaults, in the place of those that make minutes a second."""

CONNECTIONS = 16

UNAVAILABLE, AGAIN_AFTER = httpx.codes.SERVICE_UNAVAILABLE, 1.0
"""The answer to a request that is to be repeated, and after how many seconds."""

LIST_EVERY = 0.3
"""Seconds between two requests for all jobs: listing a thousand costs more than probing the VMA for them."""


def run_jobs(
    vma: SimulatedVMA, service: ServiceProcess, jobs: Collection[str], disks: Sequence[str] = (), **how: Any
) -> None:
    """Run jobs on the VMA and register them; return once the service has observed each as running.

    Without `disks` each has one, named after the job. `how` is passed to `World.add_job`.
    """
    for name in jobs:
        volumes = list(disks) or [f"disk-{name}"]
        vma.world.add_job(name, volumes, **{"duration": 3600, "progress": 30, **how})
        service.register(name, *volumes)
    for name in jobs:
        service.wait_for(name, vma_status="running")


def register_fleet(service: ServiceProcess, names: list[str], **more: Any) -> None:
    """Register jobs with one disk each, named after the job, over several connections.

    A request that a busy machine does not finish in time is repeated, as a client is told to.
    """
    asyncio.run(_register_all(service.url, names, more))


async def _register_all(url: str, names: list[str], more: dict[str, Any]) -> None:
    slots = asyncio.Semaphore(CONNECTIONS)
    async with httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as client:

        async def register(name: str) -> None:
            body = {"job_id": name, "vm_name": name, "volume_ids": [f"disk-{name}"], **more}
            async with slots, asyncio.timeout(PATIENCE):
                while (response := await client.post("/api/v1/jobs", json=body)).status_code == UNAVAILABLE:  # noqa: ASYNC110 - over HTTP
                    await asyncio.sleep(AGAIN_AFTER)
            assert response.is_success, response.text

        await asyncio.gather(*(register(name) for name in names))


def wait_for_all(service: ServiceProcess, within: float, **expected: Any) -> list[dict[str, Any]]:
    """Wait until every job has these values; return the jobs."""

    def all_match() -> list[dict[str, Any]] | None:
        jobs = service.jobs()
        return jobs if all(job[name] == value for job in jobs for name, value in expected.items()) else None

    try:
        return wait_until(all_match, within, f"all jobs with {expected}", LIST_EVERY)
    except AssertionError:
        rules = ((job["decision"] or {}).get("rule") for job in service.jobs())
        states = Counter(zip((job["state"] for job in service.jobs()), rules, strict=True))
        message = f"not all {expected} within {within} s: {states}"
        raise AssertionError(message) from None


def every_poll_counted(service: ServiceProcess, at_least: int) -> bool:
    """Return whether each job has been polled so often since it was last resumed."""
    return all(job["live"] is not None and job["live"]["polls"] >= at_least for job in service.jobs())
