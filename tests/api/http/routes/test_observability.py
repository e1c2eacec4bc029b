"""Routes of recovery status, polling and metrics."""

import re

import httpx

from adapters.simulated_vma import SimulatedVMA
from tests.support.http_api import eventually, registered

HTTP = httpx.AsyncClient


async def recovered(api: HTTP, vma: SimulatedVMA) -> str:
    """Have one running job go through recovery; return the run's id."""
    vma.world.add_job("job-1", ["disk-1"], progress=41.0, duration=36_000)
    await registered(api)
    await eventually(api, "/jobs/job-1", vma_status="running")
    started = await api.post("/recovery-runs", json={})
    run_id: str = started.json()["run_id"]
    await eventually(api, f"/recovery-runs/{run_id}", status="finished")
    return run_id


async def test_the_status_of_recovery_adds_up(api: HTTP, vma: SimulatedVMA) -> None:
    empty = (await api.get("/recovery/status")).json()
    run_id = await recovered(api, vma)

    status = (await api.get("/recovery/status")).json()

    assert (empty["decisions"], empty["success_rate"]) == (0, None)
    assert status["last_run"]["run_id"] == run_id
    assert status["decisions_by_rule"] == {"still-running": 1}
    assert (status["success_rate"], status["jobs_in_recovery"]) == (1.0, 0)
    assert status["jobs_by_state"]["replicating"] == 1


async def test_a_job_shows_how_it_was_recovered(api: HTTP, vma: SimulatedVMA) -> None:
    await recovered(api, vma)

    recovery = (await api.get("/jobs/job-1")).json()["recovery"]

    assert (recovery["attempted"], recovery["method"]) == (True, "operator")
    assert recovery["at"] <= recovery["polling_restarted_at"]
    assert recovery["last_validated"] is not None


async def test_polling_shows_each_vma_and_each_job(api: HTTP, vma: SimulatedVMA) -> None:
    await recovered(api, vma)

    polling = (await api.get("/polling")).json()
    job = (await api.get("/polling/job-1")).json()

    assert polling["vmas"]["default"].pop("lag_seconds") < 60
    assert polling["vmas"]["default"] == {"circuit": "closed", "down": False, "last_error": None, "active_jobs": 1}
    assert (polling["active_jobs"], polling["success_rate"]) == (1, 1.0)
    assert (job["watched_by"], job["polled"]) == ("poller", True)
    vma.faults.set("refuse")
    await eventually(api, "/jobs/job-1", state="pending-retry")
    assert (await api.get("/polling/job-1")).json()["watched_by"] == "retry scheduler"
    assert (await api.get("/polling")).json()["vmas"]["default"]["down"]


async def test_a_vma_that_was_away_and_refuses_our_login_is_not_down(api: HTTP, vma: SimulatedVMA) -> None:
    await recovered(api, vma)
    vma.faults.set("refuse")
    await eventually(api, "/jobs/job-1", state="pending-retry")
    assert (await api.get("/polling")).json()["vmas"]["default"]["down"]

    vma.faults.clear()
    vma.faults.set("unauthorized")
    await eventually(api, "/jobs/job-1", vma_status="not_asked")

    found = (await api.get("/polling")).json()["vmas"]["default"]
    assert (found["circuit"], found["down"]) == ("closed", False)
    assert found["last_error"].startswith("VMA default: login refused (HTTP 401)")
    assert 'job_recovery_vma_reachable{vma="default"} 0.0' in (await api.get("http://localhost/metrics")).text


async def test_metrics_count_and_never_name_a_job(api: HTTP, vma: SimulatedVMA) -> None:
    await recovered(api, vma)

    text = (await api.get("http://localhost/metrics")).text

    assert 'job_recovery_jobs{state="replicating"} 1.0' in text
    assert 'job_recovery_decisions_total{outcome="resume",rule="still-running"} 1.0' in text
    assert re.search(r'job_recovery_probe_seconds_count\{status="running",vma="default"\} [1-9]', text)
    assert re.search(r"job_recovery_append_seconds_count [1-9]", text)
    assert 'job_recovery_vma_reachable{vma="default"} 1.0' in text
    assert "job-1" not in text
