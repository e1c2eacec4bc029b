"""A worker's own report is an observation like a polled one: checked, ordered, and harmless when late."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
import pytest

from adapters.simulated_vma import SimulatedVMA
from domain.errors import StorageUnavailable
from domain.replication_job import ReplicationJob
from tests.support.clock import FakeClock
from tests.support.harness import REQUEST, asked
from tests.support.http_api import eventually, registered
from tests.support.past import client_of, service_with

HTTP = httpx.AsyncClient


def at(seconds: float = 0.0) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


async def report(api: HTTP, job_id: str = "job-1", job_type: str = "replication", **fields: Any) -> httpx.Response:
    body = {"status": "in_progress", "current_phase": "Transfer", "timestamp": at(), **fields}
    return await api.post(f"/telemetry/{job_type}/{job_id}", json=body)


async def job_of(api: HTTP, job_id: str = "job-1") -> dict[str, Any]:
    shown: dict[str, Any] = (await api.get(f"/jobs/{job_id}")).json()
    return shown


async def running_reports(api: HTTP, job_id: str = "job-1") -> list[dict[str, Any]]:
    """Return the recorded observations with status running; the VMA does not know the job."""
    events = (await api.get(f"/jobs/{job_id}/events")).json()["items"]
    seen = [event["data"]["observation"] for event in events if "observation" in event["data"]]
    return [observation for observation in seen if observation["status"] == "running"]


@pytest.fixture
async def job(api: HTTP) -> None:
    """Register a job of two disks that the VMA does not know yet."""
    await registered(api, volume_ids=["disk-1", "disk-2"])


async def test_a_report_is_recorded_with_its_actor(api: HTTP, job: None) -> None:
    result = (await report(api, progress_percent=41.5)).json()

    shown = (await api.get("/jobs/job-1")).json()
    events = (await api.get("/jobs/job-1/events")).json()["items"]
    recorded = [event for event in events if event["data"].get("observation", {}).get("status") == "running"]
    assert (result["applied"], result["why"]) == (True, None)
    assert (shown["progress_percent"], shown["phase"]) == (41.5, "Transfer")
    assert [event["correlation_id"].startswith("request-") for event in recorded] == [True]


async def test_a_report_that_was_sent_before_another_changes_nothing(api: HTTP, job: None) -> None:
    await report(api, progress_percent=50, timestamp="2025-10-03T14:00:10+02:00")
    before = (await api.get("/jobs/job-1/events")).json()["items"]

    late = (await report(api, progress_percent=20, timestamp="2025-10-03T12:00:09Z")).json()
    late_end = (await report(api, status="completed", progress_percent=100, timestamp="2025-10-03T12:00:09Z")).json()

    for result in (late, late_end):
        assert (result["applied"], "sent later is already applied" in result["why"]) == (False, True)
    shown = await job_of(api)
    assert (shown["state"], shown["progress_percent"]) == ("replicating", 50.0)
    assert (await api.get("/jobs/job-1/events")).json()["items"][: len(before)] == before


async def test_of_several_reports_in_one_second_each_is_applied_and_the_last_counts(api: HTTP) -> None:
    await registered(api)
    second = "2025-10-03T14:00:10Z"

    took = [
        (await report(api, progress_percent=98, timestamp=second)).json()["applied"],
        (await report(api, progress_percent=99.5, timestamp=second)).json()["applied"],
        (await report(api, status="completed", progress_percent=100, timestamp=second)).json()["applied"],
    ]

    assert took == [True, True, True]
    assert (await job_of(api))["state"] == "completed"


async def test_a_workers_clock_is_never_compared_with_ours_nor_with_another_workers(api: HTTP, job: None) -> None:
    await registered(api, job_id="job-2", vm_context_id="ctx-2", volume_ids=["disk-3"])
    began = datetime.now(UTC)

    ahead = (await report(api, progress_percent=10, timestamp=at(86_400 * 365))).json()
    behind = (await report(api, "job-2", progress_percent=10, timestamp="1999-01-01T00:00:00+14:00")).json()

    assert (ahead["applied"], behind["applied"]) == (True, True)
    for result in (ahead, behind):
        assert began <= datetime.fromisoformat(result["observed_at"]) <= datetime.now(UTC)


@pytest.mark.parametrize("timestamp", [None, "", "soon", 7, "0001-01-01T00:00:00Z", ["2025-10-03"]])
async def test_a_report_without_a_readable_time_is_never_late(api: HTTP, job: None, timestamp: object) -> None:
    await report(api, progress_percent=50)

    result = (await report(api, progress_percent=60, timestamp=timestamp)).json()
    earlier = (await report(api, progress_percent=10, timestamp=at(-60))).json()

    assert (result["applied"], earlier["applied"]) == (True, False)
    assert (await job_of(api))["progress_percent"] == 60.0


async def test_a_report_without_figures_does_not_change_the_last_figures(api: HTTP, job: None) -> None:
    figures: dict[str, Any] = {"progress_percent": 41.5, "bytes_transferred": 415, "total_bytes": 1000}
    await report(api, **figures)
    nothing: dict[str, Any] = {
        "progress_percent": 0,
        "bytes_transferred": 0,
        "total_bytes": 0.0,
        "disks": [],
        "error": None,
    }
    for empty in (nothing, {}):
        result = (await report(api, current_phase="Finalize", **empty)).json()
        shown = await job_of(api)

        assert result["applied"]
        assert {name: shown[name] for name in figures} == figures
        assert shown["phase"] == "Finalize"

    failed = (await report(api, status="failed", **{**nothing, "error": "disk full"})).json()
    shown = await job_of(api)
    assert failed["applied"]
    assert (shown["state"], shown["error"], shown["bytes_transferred"]) == ("failed", "disk full", 415)


async def test_a_completed_without_figures_completes_a_job_of_one_disk(api: HTTP) -> None:
    await registered(api)
    await report(api, progress_percent=41.5, bytes_transferred=415, total_bytes=1000)

    await report(api, status="completed", progress_percent=0, bytes_transferred=0, total_bytes=0)

    shown = await job_of(api)
    assert (shown["state"], shown["basis"], shown["progress_percent"]) == ("completed", "observed", 100.0)


@pytest.mark.parametrize("job_type", ["replication", "backup"])
async def test_both_types_of_job_mean_a_replication_job(api: HTTP, job: None, job_type: str) -> None:
    result = await report(api, job_type=job_type, progress_percent=41.5)

    assert (result.status_code, result.json()["applied"]) == (200, True)


async def test_another_type_of_job_is_refused(api: HTTP, job: None) -> None:
    refused = await report(api, job_type="restore", progress_percent=41.5)

    assert (refused.status_code, "job_type" in refused.json()["detail"]) == (422, True)


async def test_disks_by_index_are_disks_of_the_jobs_list(api: HTTP, job: None) -> None:
    def disk(index: int, percent: float, status: str = "transferring") -> dict[str, Any]:
        return {"disk_index": index, "status": status, "progress_percent": percent, "total_bytes": 10}

    await report(api, progress_percent=99, disks=[disk(0, 100, "completed"), disk(1, 42.1)])
    half = await job_of(api)
    await report(api, status="completed", progress_percent=100, disks=[disk(0, 100), disk(1, 42.1)])
    still = await job_of(api)
    both = [disk(0, 100, "completed"), {"disk_id": "scsi0:1 [root]", "status": "completed", "progress_percent": 104}]
    await report(api, status="completed", progress_percent=103.9, disks=both)

    assert (half["state"], [one["status"] for one in half["disks"]]) == ("replicating", [None, None])
    assert still["state"] == "replicating"
    assert (await job_of(api))["state"] == "completed"


async def test_a_disk_that_failed_fails_the_job_with_its_message(api: HTTP, job: None) -> None:
    disks = [{"disk_index": 0, "status": "failed", "error_message": "no space left"}, {"disk_index": 1}]

    await report(api, disks=disks)

    assert (await job_of(api))["error"] == "no space left"
    assert (await job_of(api))["state"] == "failed"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (None, "the VMA gave no reason"),
        ("", "the VMA gave no reason"),
        ("disk full", "disk full"),
        ({"message": "disk full", "timestamp": "2025-10-03T14:00:00Z"}, "disk full"),
        (["disk full"], "the VMA gave no reason"),
    ],
)
async def test_an_error_is_read_in_every_form(api: HTTP, job: None, error: object, expected: str) -> None:
    await report(api, status="failed", error=error)

    shown = await job_of(api)
    assert (shown["state"], shown["error"]) == ("failed", expected)


async def test_a_job_that_its_worker_reports_as_cancelled_fails_with_that_status(api: HTTP, job: None) -> None:
    await report(api, status="Cancelled")

    shown = await job_of(api)
    assert (shown["state"], shown["error"]) == ("failed", "the worker says Cancelled")


MISTAKES: list[dict[str, Any]] = [
    {"progress_percent": "much"},
    {"progress_percent": -1},
    {"bytes_transferred": -1, "total_bytes": 10**30},
    {"current_phase": 7},
    {"current_phase": "x" * 5000},
    {"disks": {"a": 1}},
    {"disks": ["x", 7, {"disk_index": 0, "progress_percent": "half", "status": "dancing"}]},
    {"disks": [{"status": "in_progress"}]},
    {"disks": [{"disk_id": "disk-1", "status": "dancing"}]},
    {"error": {"message": 7}},
    {"timestamp": "soon"},
    {"transfer_speed_bps": "fast", "eta_seconds": None, "new_field": {"x": [1]}},
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=range(len(MISTAKES)))
async def test_an_invalid_field_does_not_affect_the_rest_of_a_report(
    api: HTTP, job: None, mistake: dict[str, Any]
) -> None:
    result = await report(api, **{"bytes_transferred": 5, "current_phase": "Copying Data", **mistake})

    assert (result.status_code, result.json()["applied"]) == (200, True)
    assert (await job_of(api))["state"] == "replicating"
    recorded = await running_reports(api)
    assert [seen["bytes_transferred"] for seen in recorded] == [None if "bytes_transferred" in mistake else 5]


@pytest.mark.parametrize("mistake", [m for m in MISTAKES if {"progress_percent", "bytes_transferred"} & m.keys()])
async def test_a_completed_with_invalid_figures_completes_nothing_and_is_refused(
    api: HTTP, mistake: dict[str, Any]
) -> None:
    await registered(api)

    refused = await report(api, status="completed", **mistake)

    assert refused.status_code == 409
    assert "completed, with figures that cannot be read" in refused.json()["detail"]
    assert (await job_of(api))["state"] == "replicating"


async def test_a_secret_in_a_report_is_not_stored(api: HTTP, job: None) -> None:
    token = "jr_" + "a" * 43
    disks = [{"disk_id": token, "status": "failed", "error_message": f"no login with {token}"}]

    await report(api, current_phase=token, error=f"denied: {token}", disks=disks)

    events = await api.get("/jobs/job-1/events")
    assert "denied: jr_***" in events.text
    assert token not in events.text


async def test_a_lone_surrogate_in_a_report_breaks_nothing(api: HTTP, job: None) -> None:
    for field in ("current_phase", "error", "status"):
        body = f'{{"status": "failed", "{field}": "\\ud800", "disks": [{{"disk_id": "\\ud800"}}]}}'
        sent = await api.post("/telemetry/backup/job-1", content=body, headers={"Content-Type": "application/json"})

        assert sent.status_code in {200, 422}
    assert (await api.get("/jobs/job-1/events")).status_code == 200


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

    result = (await report(api, progress_percent=60)).json()

    assert (result["applied"], result["why"], result["state"]) == (False, "the job has failed already", "failed")


async def test_an_end_that_is_reported_while_the_log_cannot_be_read_is_stored_once_it_can(tmp_path: Path) -> None:
    async with service_with([], tmp_path, FakeClock()) as service, client_of(service) as client:
        await service.app.register(asked(), REQUEST)
        service.app.forget([event for _, event in await service.event_log.read_from(0, 10)])
        assert (await client.post("/telemetry/replication/job-2", json={"status": "completed"})).status_code == 404

        load, refusals = service.event_log.load, [StorageUnavailable("the database is away")] * 2

        async def load_later(kind: type[ReplicationJob], stream_id: str) -> ReplicationJob | None:
            if refusals:
                raise refusals.pop()
            return await load(kind, stream_id)

        with mock.patch.object(service.event_log, "load", load_later):
            result = await client.post("/telemetry/replication/job-1", json={"status": "completed"})

        assert (result.status_code, result.json()["state"], refusals) == (200, "completed", [])


async def test_a_report_wakes_a_job_that_waits_for_its_vma(api: HTTP, vma: SimulatedVMA) -> None:
    vma.faults.set("refuse")
    await registered(api, progress_percent=40)
    await eventually(api, "/jobs/job-1", state="pending-retry")
    vma.world.add_job("job-1", ["disk-1"], progress=50.0, duration=36_000)
    vma.faults.clear()

    result = (await report(api, progress_percent=50)).json()

    assert result["applied"] in {True, False}
    await eventually(api, "/jobs/job-1", state="replicating", vma_status="running")


BAD: list[tuple[dict[str, Any], str]] = [
    ({"status": "dreaming"}, "the report cannot be read: unknown status 'dreaming'"),
    ({"status": ""}, "unknown status ''"),
    ({"status": None}, "status is not a text"),
    ({"status": ["completed"]}, "status is not a text"),
]


async def test_an_unreadable_report_is_refused_and_changes_nothing(api: HTTP, job: None) -> None:
    for wrong, says in BAD:
        response = await report(api, **wrong)
        assert (response.status_code, says in response.json()["detail"]) == (422, True), response.text
    bodies: list[Any] = [{}, {"current_phase": "Transfer"}, [], "completed", None, 7]
    for body in bodies:
        response = await api.post(
            "/telemetry/replication/job-1", content=json.dumps(body), headers={"Content-Type": "application/json"}
        )
        assert (response.status_code, response.headers["content-type"]) == (422, "application/problem+json")

    assert (await report(api, "job-9")).status_code == 404
    after = (await api.get("/jobs/job-1/events")).json()["items"]
    # Meanwhile the poller records that the VMA does not know the job.
    assert [event["type"] for event in after[:2]] == ["JobRegistered", "JobAdmitted"]
    assert {e["data"]["observation"]["status"] for e in after[2:]} <= {"not_found"}


async def test_a_report_with_too_many_disks_is_refused_before_it_is_parsed(api: HTTP, job: None) -> None:
    for entry in ({"disk_id": "disk-1", "status": "failed"}, 0):
        refused = await report(api, disks=[entry] * 65)

        assert refused.status_code == 422
        assert refused.json()["detail"] == "disks: the report lists 65 disks; a job has at most 64"
    assert await running_reports(api) == []


async def test_a_report_with_the_maximum_of_disks_is_applied(api: HTTP, job: None) -> None:
    result = await report(api, disks=[{"disk_index": n, "status": "transferring"} for n in range(64)])

    assert result.json()["applied"]
