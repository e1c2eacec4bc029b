"""A history that the tests of a module read."""

import math
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from adapters.simulated_vma import SimulatedVMA
from tests.support.http_api import eventually, registered

HTTP = httpx.AsyncClient


@pytest.fixture(scope="module")
async def history(shared_api: HTTP, shared_vma: SimulatedVMA) -> dict[str, Any]:
    """Have one job lost in a run and then revised, one completed, and one that an operator failed."""
    api, vma = shared_api, shared_vma
    for n in (1, 2, 3):
        vma.world.add_job(f"job-{n}", [f"disk-{n}"], progress=40.0, duration=36_000)
        await registered(api, job_id=f"job-{n}", vm_context_id=f"ctx-{n}", volume_ids=[f"disk-{n}"])
        await eventually(api, f"/jobs/job-{n}", vma_status="running")
    vma.world.forget("job-1", reannounce=math.inf)
    vma.world.finish("job-2")
    await eventually(api, "/jobs/job-2", state="completed")
    lost = await eventually(api, "/jobs/job-1", state="failed", basis="inferred")
    moment = datetime.now(UTC)
    vma.world.forget("job-1", reannounce=0.0)
    await api.post("/jobs/job-3/decision", json={"outcome": "fail", "who": "mara", "why": "VM deleted"})
    revised = await eventually(api, "/jobs/job-1", state="replicating")
    return {"moment": moment, "run_id": lost["run_id"], "version": lost["version"], "now": revised["version"]}
