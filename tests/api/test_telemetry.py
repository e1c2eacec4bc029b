"""A worker's own report is an observation like a polled one: checked, ordered, and harmless when late."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from adapters.simulated_vma import SimulatedVMA
from tests.api.test_jobs import eventually, registered

HTTP = httpx.AsyncClient


def at(seconds: float = 0.0) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


async def report(api: HTTP, job_id: str = "job-1", **fields: Any) -> httpx.Response:
    body = {"status": "in_progress", "current_phase": "Transfer", "timestamp": at(), **fields}
    return await api.post(f"/telemetry/replication/{job_id}", json=body)


@pytest.fixture
async def job(api: HTTP) -> None:
    """Register a job of two disks that the VMA does not know yet."""
    await registered(api, volume_ids=["disk-1", "disk-2"])


async def test_a_report_is_recorded_with_its_actor(api: HTTP, job: None) -> None:
    taken = (await report(api, progress_percent=41.5)).json()

    shown = (await api.get("/jobs/job-1")).json()
    events = (await api.get("/jobs/job-1/events")).json()["items"]
    told = [event for event in events if event["data"].get("observation", {}).get("status") == "running"]
    assert (taken["applied"], taken["why"]) == (True, None)
    assert (shown["progress_percent"], shown["phase"]) == (41.5, "Transfer")
    assert [event["correlation_id"].startswith("request-") for event in told] == [True]


async def test_a_late_or_repeated_report_changes_nothing(api: HTTP, job: None) -> None:
    stamp = at()
    await report(api, progress_percent=50, timestamp=stamp)
    before = (await api.get("/jobs/job-1/events")).json()

    again = (await report(api, progress_percent=50, timestamp=stamp)).json()
    late = (await report(api, progress_percent=20, timestamp=at(-60))).json()
    late_end = (await report(api, status="completed", progress_percent=100, timestamp=at(-60))).json()

    for taken in (again, late, late_end):
        assert (taken["applied"], "not newer" in taken["why"]) == (False, True)
    shown = (await api.get("/jobs/job-1")).json()
    assert (shown["state"], shown["progress_percent"]) == ("replicating", 50.0)
    assert (await api.get("/jobs/job-1/events")).json()["items"][: len(before["items"])] == before["items"]


async def test_completed_for_one_disk_of_two_completes_nothing(api: HTTP, job: None) -> None:
    await report(api, status="completed", progress_percent=100)

    assert (await api.get("/jobs/job-1")).json()["state"] == "replicating"


async def test_completed_for_both_disks_completes_the_job(api: HTTP, job: None) -> None:
    disks = [
        {"disk_id": "disk-1", "status": "completed", "progress_percent": 100},
        {"disk_id": "migration-vol-disk-2", "status": "Succeeded", "progress_percent": 100},
    ]

    await report(api, status="completed", progress_percent=100, disks=disks)

    shown = (await api.get("/jobs/job-1")).json()
    assert (shown["state"], shown["basis"]) == ("completed", "observed")


async def test_one_failed_disk_fails_the_job(api: HTTP, job: None) -> None:
    disks = [{"disk_id": "disk-1", "status": "failed", "progress_percent": 40}, {"disk_id": "disk-2"}]

    await report(api, status="in_progress", disks=disks, error="target volume is full")

    shown = (await api.get("/jobs/job-1")).json()
    assert (shown["state"], shown["error"]) == ("failed", "target volume is full")


async def test_a_report_about_a_job_that_has_ended_changes_nothing(api: HTTP, job: None) -> None:
    await report(api, status="failed", error="disk full")

    taken = (await report(api, progress_percent=60)).json()

    assert (taken["applied"], taken["why"], taken["state"]) == (False, "the job has failed already", "failed")


async def test_a_report_wakes_a_job_that_waits_for_its_vma(api: HTTP, vma: SimulatedVMA) -> None:
    vma.faults.set("refuse")
    await registered(api, progress_percent=40)
    await eventually(api, "/jobs/job-1", state="pending-retry")
    vma.world.add_job("job-1", ["disk-1"], progress=50.0, duration=36_000)
    vma.faults.clear()

    taken = (await report(api, progress_percent=50)).json()

    assert taken["applied"] in {True, False}
    await eventually(api, "/jobs/job-1", state="replicating", vma_status="running")


BAD: list[tuple[dict[str, Any], str]] = [
    ({"status": "dreaming"}, "unknown status 'dreaming'"),
    ({"progress_percent": 140}, "progress_percent"),
    ({"bytes_transferred": -1}, "bytes_transferred"),
    ({"timestamp": at(3600)}, "is in the future"),
    ({"timestamp": "soon"}, "timestamp"),
    ({"disks": [{"status": "failed"}]}, "disk_id"),
    ({"disks": [{"disk_id": "disk-1", "status": "dreaming"}]}, "unknown status"),
]


async def test_a_report_that_makes_no_sense_is_refused_and_changes_nothing(api: HTTP, job: None) -> None:
    for wrong, says in BAD:
        response = await report(api, **wrong)
        assert (response.status_code in {409, 422}, says in response.json()["detail"]) == (True, True), response.text

    assert (await report(api, "job-9")).status_code == 404
    after = (await api.get("/jobs/job-1/events")).json()["items"]
    # Meanwhile the poller asks, and hears that the VMA does not know the job.
    assert {e["data"]["observation"]["status"] for e in after[1:]} <= {"not_found"}
