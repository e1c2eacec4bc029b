"""Ids of jobs, runs and VM contexts do not collide, and a log of an earlier version in which they do is served."""

import asyncio
from datetime import UTC, datetime

import httpx
import pytest

from adapters.event_log.database_log import DatabaseEventLog
from adapters.host.tokens import TokenFile
from adapters.simulated_vma import SimulatedVMA
from adapters.tokens import Scope
from api.cli.main import main
from domain.events import Event, JobRegistered, OperatorDecided
from domain.recovery_policy import Outcome
from tests.restart.conftest import StartService
from tests.support import logs
from tests.support.service import ServiceProcess, wait_until

DECISION = {"outcome": "fail", "who": "mara", "why": "a pasted id"}
REPORT = {"status": "in_progress", "progress_percent": 50.0}
RESERVED = ["vm-context:ctx-a", "vm-context:", "vm-context:nobody", "run-20261126-120000-0a1b2c"]


@pytest.fixture
def service(vma: SimulatedVMA, start_service: StartService) -> ServiceProcess:
    """Return a service that watches one job and has made a run."""
    vma.world.add_job("job-a", ["disk-a"], progress=41.0, duration=36_000)
    running = start_service()
    running.register("job-a", "disk-a", vm_context_id="ctx-a")
    running.wait_for("job-a", vma_status="running")
    return running


def run_of(service: ServiceProcess) -> str:
    run_id: str = service.pages("/api/v1/recovery-runs")[0]["run_id"]
    return run_id


def test_a_run_and_a_context_are_no_jobs_to_any_command(service: ServiceProcess) -> None:
    for other in (run_of(service), "vm-context:ctx-a"):
        for path, body in ((f"jobs/{other}/decision", DECISION), (f"telemetry/replication/{other}", REPORT)):
            answer = service.post(f"/api/v1/{path}", body)

            assert (answer.status_code, answer.json()["detail"]) == (404, f"there is no job {other}")
        assert service.get(f"/api/v1/jobs/{other}").status_code == 404
    assert service.get("/api/v1/recovery-runs/job-a").status_code == 404

    service.kill()
    service.start()

    assert service.get("/readyz").json()["degraded"] == []
    service.wait_for("job-a", rule="still-running")


@pytest.mark.parametrize("job_id", RESERVED)
def test_a_job_cannot_have_the_id_of_another_kind(service: ServiceProcess, job_id: str) -> None:
    before = service.get("/api/v1/audit").json()["items"][0]["position"]

    refused = service.post(
        "/api/v1/jobs", {"job_id": job_id, "vm_name": "vm", "vm_context_id": "nobody", "volume_ids": ["disk-b"]}
    )

    assert (refused.status_code, "is reserved" in refused.json()["detail"]) == (422, True)
    newer = service.get("/api/v1/audit", job_id=job_id).json()["items"]
    assert newer == []
    assert service.get("/api/v1/audit").json()["items"][0]["position"] >= before
    # The context is free, and so is the volume.
    service.register("job-b", "disk-b", vm_context_id="nobody")


def test_a_context_may_have_the_id_of_a_job_or_a_run(service: ServiceProcess) -> None:
    for n, context in enumerate(("job-a", run_of(service), "vm-context:ctx-a")):
        service.register(f"job-in-{n}", f"disk-in-{n}", vm_context_id=context)

        assert service.get(f"/api/v1/vm-contexts/{context}").json()["active_job"] == f"job-in-{n}"
    assert service.get("/api/v1/vm-contexts/ctx-a").json()["active_job"] == "job-a"


@pytest.fixture
def colliding(service: ServiceProcess) -> ServiceProcess:
    """Stop the service, and add events to its log that an earlier version accepted."""
    run_id = run_of(service)
    service.terminate()

    def event(kind: type[Event], stream: str, version: int, **fields: object) -> Event:
        now = datetime.now(UTC)
        trace = {"correlation_id": "request-1", "causation_id": "request-1", "recorded_at": now}
        return kind(originator_id=stream, originator_version=version, **trace, **fields)  # type: ignore[arg-type]

    decided = {"outcome": Outcome.FAIL, "who": "mara", "why": "a pasted id"}
    job = {"vm_name": "vm", "vm_context_id": "other", "volume_ids": ("disk-x",), "vma": "default"}

    async def append(log: DatabaseEventLog) -> None:
        await log.append([event(OperatorDecided, run_id, 3, **decided)])
        await log.append([event(OperatorDecided, "vm-context:ctx-a", 2, **decided)])
        await log.append([event(JobRegistered, "vm-context:free", 1, **job)])

    log = logs.open_log(service.data_dir)
    asyncio.run(append(log))
    log.close()
    return service


def test_a_log_with_colliding_ids_is_served_and_reported(colliding: ServiceProcess, vma: SimulatedVMA) -> None:
    for _ in ("the first time", "and again"):
        colliding.start()

        degraded = colliding.get("/readyz").json()["degraded"]
        assert [line.partition(" is skipped: ")[0].rpartition(" at position ")[0] for line in degraded] == [
            f"the event {run_of_colliding(colliding)}#3",
            "the event vm-context:ctx-a#2",
        ]
        colliding.wait_for("job-a", rule="still-running")
        colliding.terminate()


@pytest.mark.of_files("has it sealed anew by the next start")
def test_events_of_a_newer_version_are_skipped_and_applied_after_the_next_upgrade(
    service: ServiceProcess, vma: SimulatedVMA
) -> None:
    vma.world.add_job("job-b", ["disk-b"], progress=41.0, duration=36_000)
    service.register("job-b", "disk-b")
    service.wait_for("job-b", vma_status="running")
    service.terminate()
    rename(service, "VMAStatusObserved", "JobTeleported")
    for file in service.data_dir.glob("read_model.sqlite*"):
        file.unlink()

    service.start()

    assert "event 'JobTeleported' (job-a version 2) that this version does not know" in " ".join(
        service.get("/readyz").json()["degraded"]
    )
    # Ready is what answers; the open jobs may be read a moment later.
    (named,) = wait_until(lambda: service.logged("job_not_watched"), what="the job to be named")
    assert named["job_id"] == "job-a"
    service.wait_for("job-b", rule="still-running")
    refused = service.post("/api/v1/jobs/job-a/decision", DECISION)
    assert (refused.status_code, "use a newer one" in refused.json()["detail"]) == (503, True)

    service.terminate()
    rename(service, "JobTeleported", "VMAStatusObserved")
    service.start()

    assert service.get("/readyz").json()["degraded"] == []
    service.wait_for("job-a", rule="still-running")


def rename(service: ServiceProcess, topic: str, to: str) -> None:
    """Give the first observation of job-a another kind, and the log new seals: whoever wrote it sealed it."""
    where = "topic = ? AND originator_id = 'job-a' AND originator_version = 2"
    logs.execute(service.data_dir, f"UPDATE stored_events SET topic = ? WHERE {where}", to, topic)  # noqa: S608 - ours
    logs.execute(service.data_dir, "DELETE FROM seals")


def test_callers_without_a_token_do_not_see_the_reasons(colliding: ServiceProcess) -> None:
    secret = TokenFile(colliding.data_dir).create("mara", Scope.READ, datetime.now(UTC))
    colliding.start()

    told = httpx.get(f"{colliding.url}/readyz", trust_env=False)
    knows = httpx.get(f"{colliding.url}/readyz", headers={"Authorization": f"Bearer {secret}"}, trust_env=False)

    assert (told.status_code, told.json()["ready"]) == (200, True)
    assert told.json()["degraded"] == ["send a token to see the reason"]
    assert len(knows.json()["degraded"]) == 2


def test_verify_lists_skipped_events_and_verifies_all(
    colliding: ServiceProcess, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.use(monkeypatch, colliding.data_dir)

    assert main(["verify"]) == 1

    out, err = capsys.readouterr()
    assert "events verified" in out
    assert "2 events cannot be applied: the event run-" in err
    assert "the event vm-context:ctx-a#2 at position " in err
    colliding.start()
    assert [line in err for line in colliding.get("/readyz").json()["degraded"]] == [True, True]


def test_a_log_with_colliding_ids_is_rebuilt(colliding: ServiceProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    logs.use(monkeypatch, colliding.data_dir)

    assert main(["rebuild"]) == 0

    colliding.start()
    assert len(colliding.get("/readyz").json()["degraded"]) == 2
    # The stream of a context continues after the foreign event.
    vma_job = colliding.register("job-b", "disk-b", vm_context_id="free")
    assert vma_job["state"] == "replicating"
    assert colliding.decide("job-a", "complete")["state"] == "completed"
    assert colliding.get("/api/v1/vm-contexts/ctx-a").json()["active_job"] is None


def run_of_colliding(service: ServiceProcess) -> str:
    runs = service.pages("/api/v1/recovery-runs")
    first: str = runs[-1]["run_id"]
    return first
