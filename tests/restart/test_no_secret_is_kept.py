"""A canary secret in every input appears in no log line, event, error or metric."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.host.tokens import TokenFile
from adapters.simulated_vma import SimulatedVMA
from adapters.tokens import Scope
from api.cli.main import main
from tests.support import logs
from tests.support.builders import NOON
from tests.support.fleet import run_jobs
from tests.support.service import ServiceProcess, wait_until

PASSWORD = "canary-8f3a-password"
BASIC = base64.b64encode(f"oma:{PASSWORD}".encode()).decode()


@pytest.fixture
def token(tmp_path: Path) -> str:
    return TokenFile(tmp_path / "data").create("canary", Scope.ADMIN, NOON)


@pytest.fixture
def service(vma: SimulatedVMA, tmp_path: Path, token: str) -> Iterator[ServiceProcess]:
    url = vma.url.replace("//", f"//oma:{PASSWORD}@")
    running = ServiceProcess(tmp_path / "data", url, RATE_LIMIT="0", VMAS=json.dumps({"second": url}))
    running.authorize(token)
    running.start()
    yield running
    running.close()


def inputs(token: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield requests with a secret in every input of a client."""
    address = f"http://oma:{PASSWORD}@vma"
    for secret in (token, address):
        text = f"use {secret} for this"
        job = {"job_id": "job-2", "vm_name": text, "volume_ids": ["disk-2"]}
        yield "POST", "/api/v1/jobs", {"json": job}
        for name in ("job_id", "vm_context_id", "vma"):
            yield "POST", "/api/v1/jobs", {"json": {**job, name: secret}}
        yield "POST", "/api/v1/jobs", {"json": {**job, "volume_ids": [secret]}}
        yield "POST", "/api/v1/jobs", {"json": {**job, secret: 1}}
        yield "POST", "/api/v1/jobs", {"content": text.encode()}
        yield "POST", "/api/v1/jobs/job-3/decision", {"json": {"outcome": "fail", "who": text, "why": text}}
        report = {"status": "in_progress", "timestamp": "2999-01-01T00:00:00Z", "error": text, "current_phase": text}
        now = {**report, "timestamp": "2025-10-03T14:00:00Z"}
        for body in (report, now, {**now, "status": secret[:40]}, {**now, "disks": [{"disk_id": text}]}):
            yield "POST", "/api/v1/telemetry/replication/job-1", {"json": body}
        quoted = secret.replace("/", "%2f")
        for path in (
            "jobs/{}",
            "recovery-runs/{}",
            "{}",
            "polling/{}",
            "audit/{}",
            "jobs/job-1?at={}",
            "audit?rule={}",
        ):
            yield "GET", f"/api/v1/{path.format(quoted)}", {}
        for name in ("job_id", "actor", "cursor", "from", "token"):
            yield "GET", "/api/v1/audit", {"params": {name: secret}}
        for name in ("X-Request-Id", "Last-Event-ID", "If-Match", "If-None-Match", "User-Agent", "Referer", "Cookie"):
            yield "GET", "/api/v1/jobs/job-1", {"headers": {name: secret}}
        yield "GET", "/api/v1/jobs", {"headers": {"Authorization": f"Basic {secret}"}}


def test_a_canary_in_every_input_appears_nowhere(
    vma: SimulatedVMA,
    service: ServiceProcess,
    token: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run_jobs(vma, service, ["job-1", "job-3"])
    told = [service._http.request(method, path, **how) for method, path, how in inputs(token)]

    # The VMA returns a secret as a reason, and in an unintelligible answer.
    vma.world.fail("job-1", f"denied for {BASIC} at http://oma:{PASSWORD}@vma with {token}")
    service.wait_for("job-1", state="failed")
    service.register("job-4", "disk-4")
    vma.faults.set("status", code=500, text=f"{PASSWORD} {token}")
    wait_until(lambda: any(e["type"] == "VMAStatusObserved" for e in service.events("job-4")))
    service.kill()
    service.start()
    vma.faults.clear()
    service.wait_for("job-4", vma_status="not_found")
    logs.use(monkeypatch, service.data_dir)
    assert main(["job", token, "--url", f"http://x:{PASSWORD}@127.0.0.1:1"]) != 0
    assert main(["serve", token]) != 0

    places = {
        "answers": "".join(response.text + str(response.headers) for response in told),
        "log": service.log_file.read_text(),
        "audit": service.get("/api/v1/audit/export").text,
        "metrics": service.get("/metrics").text,
        "health": service.get("/health").text + service.get("/api/v1/polling").text,
        "command line": "".join(capsys.readouterr()),
        "files": "".join(
            file.read_bytes().decode("latin-1") for file in service.data_dir.iterdir() if file.suffix != ".lock"
        ),
    }
    for place, text in places.items():
        for secret in (token, PASSWORD, BASIC):
            assert secret not in text, (place, text[max(0, text.index(secret) - 200) :][:400])
    assert "use jr_*** for this" in places["audit"]
    assert any(response.status_code == httpx.codes.UNPROCESSABLE_ENTITY for response in told)
