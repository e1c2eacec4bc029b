"""The machine as enemy: files that are damaged, a database that is locked, signals that do not stop."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from adapters.simulated_vma import SimulatedVMA
from adapters.sqlite import sqlite3
from tests.restart.conftest import StartService
from tests.restart.service import ServiceProcess, wait_until


@pytest.fixture
def stopped(vma: SimulatedVMA, start_service: StartService) -> ServiceProcess:
    """Leave the data of a service that watched three jobs, and was stopped."""
    service = start_service()
    for n in range(3):
        vma.world.add_job(f"job-{n}", [f"disk-{n}"], progress=41.0, duration=36_000)
        service.register(f"job-{n}", f"disk-{n}")
        service.wait_for(f"job-{n}", vma_status="running")
    assert service.terminate() == 0
    return service


def overwrite(file: Path, offset: int, content: bytes) -> None:
    with file.open("r+b") as opened:
        opened.seek(offset)
        opened.write(content)


def refusal(service: ServiceProcess) -> tuple[int, str]:
    """Start a service that is to refuse; return its exit code and its last words."""
    done = subprocess.run(
        [sys.executable, "-m", "api", "serve"],
        env=service.environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize("damage", ["no database", "cut"])
def test_a_damaged_log_is_refused_with_its_name_and_what_to_do(stopped: ServiceProcess, damage: str) -> None:
    log = stopped.data_dir / "events.sqlite"
    if damage == "cut":
        log.write_bytes(log.read_bytes()[: log.stat().st_size // 2])
    else:
        overwrite(log, 0, b"this is no database at all")

    code, words = refusal(stopped)

    assert code == 1
    assert words.startswith("job-recovery: ")
    assert str(log) in words
    assert "backup" in words


@pytest.mark.parametrize("offset", [0, 4096])
def test_a_damaged_read_model_is_set_aside_and_folded_anew(stopped: ServiceProcess, offset: int) -> None:
    overwrite(stopped.data_dir / "read_model.sqlite", offset, b"\xff" * 4096)

    stopped.start()

    assert [job["job_id"] for job in stopped.jobs()] == ["job-0", "job-1", "job-2"]
    assert stopped.logged("read_model_set_aside")
    assert (stopped.data_dir / "read_model.damaged").exists()


def test_while_another_program_locks_the_log_nothing_is_lost(vma: SimulatedVMA, start_service: StartService) -> None:
    service = start_service()
    vma.world.add_job("job-1", ["disk-1"], progress=41.0, duration=36_000)
    body = {"job_id": "job-1", "vm_name": "vm", "volume_ids": ["disk-1"]}
    with closing(sqlite3.connect(service.data_dir / "events.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        refused = service.post("/api/v1/jobs", body)
        assert service.get("/api/v1/jobs").is_success
        other.execute("ROLLBACK")

    assert (refused.status_code, refused.json()["status"]) == (503, 503)
    assert service.post("/api/v1/jobs", body).status_code == 201
    service.wait_for("job-1", vma_status="running")


def test_a_storm_of_signals_ends_the_service_cleanly(stopped: ServiceProcess) -> None:
    stopped.start(ready=False)
    for _ in range(50):
        stopped.process.terminate()

    assert stopped.process.wait(10) == 0
    stopped.start()
    wait_until(lambda: all(job["state"] == "replicating" for job in stopped.jobs()))
