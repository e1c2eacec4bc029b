"""The same work by DBOS Transact, as its documentation has it: a durable workflow for a job, and a step for each poll.

    python scripts/bench/peer_app.py DATABASE_URL VMA_URL JOBS

Runs in an environment with DBOS. It continues the workflows of a process that was killed, and starts those that are
missing. Prints the seconds from the start of the process until it has polled every job.
"""

import asyncio
import sys
import time

import httpx
from dbos import DBOS, DBOSConfig, SetWorkflowID  # type: ignore[import-not-found]  # in an environment of its own

BEGAN = time.monotonic()

INTERVAL = 5.0
"""Seconds between two polls of a job."""

polled: set[str] = set()
all_polled = asyncio.Event()


@DBOS.workflow()  # type: ignore[untyped-decorator]
async def replicate(job_id: str) -> None:
    """Poll a job until it has ended."""
    while await poll(job_id) == "replicating":
        await DBOS.sleep_async(INTERVAL)


@DBOS.step()  # type: ignore[untyped-decorator]
async def poll(job_id: str) -> str:
    """Ask the VMA about a job."""
    response = await client.get(f"{sys.argv[2]}/api/v1/progress/migration-vol-disk-{job_id}")
    polled.add(job_id)
    if len(polled) == int(sys.argv[3]):
        all_polled.set()
    status: str = response.json()["status"]
    return status


async def main(jobs: int) -> None:
    """Run the workflows until the process is killed."""
    config: DBOSConfig = {"name": "peer", "system_database_url": sys.argv[1], "log_level": "ERROR"}
    DBOS(config=config | {"run_admin_server": False})
    DBOS.launch()
    for number in range(jobs):
        name = f"job-{number:05}"
        with SetWorkflowID(name):
            await DBOS.start_workflow_async(replicate, name)
    await all_polled.wait()
    print(time.monotonic() - BEGAN, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    client = httpx.AsyncClient(timeout=30, trust_env=False, limits=httpx.Limits(max_connections=64))
    asyncio.run(main(int(sys.argv[3])))
