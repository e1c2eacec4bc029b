"""Faults of the machine: damaged files, a locked database, a full disk, many signals."""

import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from adapters.event_log.sqlite import sqlite3
from adapters.simulated_vma import SimulatedVMA
from projections.read_model import schema
from tests.restart.conftest import StartService
from tests.restart.small_disk import UNSHARE, ServiceOnASmallDisk
from tests.support.fleet import run_jobs
from tests.support.process import ForkedProcess
from tests.support.service import PATIENCE, ServiceProcess, wait_until


@pytest.fixture
def stopped(vma: SimulatedVMA, start_service: StartService) -> ServiceProcess:
    """Return a stopped service that has watched three jobs."""
    service = start_service()
    run_jobs(vma, service, ["job-0", "job-1", "job-2"])
    assert service.terminate() == 0
    return service


@pytest.fixture
def small(vma: SimulatedVMA, tmp_path: Path) -> Iterator[ServiceOnASmallDisk]:
    """Return a service on a disk of 6 MB, not started yet."""
    service = ServiceOnASmallDisk(tmp_path / "small", vma.url)
    yield service
    service.close()


def overwrite(file: Path, offset: int, content: bytes) -> None:
    with file.open("r+b") as opened:
        opened.seek(offset)
        opened.write(content)


def not_served(client: httpx.Client) -> bool:
    """Return whether a new connection is not answered."""
    try:
        client.get("/livez", headers={"Connection": "close"})
    except httpx.HTTPError:
        return True
    return False


def refusal(service: ServiceProcess, command: str = "serve") -> tuple[int, str]:
    """Run a command that must fail; return its exit code and the last line of its output."""
    output = service.data_dir.with_suffix(".refused")
    code = ForkedProcess(service.environment, output, command).wait(PATIENCE)
    return code, output.read_text().strip().splitlines()[-1]


@pytest.mark.parametrize("damage", ["no database", "cut"])
@pytest.mark.of_files("damages it")
def test_a_damaged_log_is_refused_with_its_name_and_what_to_do(stopped: ServiceProcess, damage: str) -> None:
    log = stopped.data_dir / "events.sqlite"
    if damage == "cut":
        log.write_bytes(log.read_bytes()[: log.stat().st_size // 2])
    else:
        overwrite(log, 0, b"this is no database at all")

    code, message = refusal(stopped)

    assert code == 1
    assert message.startswith("job-recovery: ")
    assert str(log) in message
    assert "backup" in message


@pytest.fixture
def every(request: pytest.FixtureRequest) -> int:
    """Return the distance of the pages to damage: 1 in the long form."""
    return 1 if request.config.getoption("--long") else 5


def test_a_read_model_with_any_damaged_page_is_quarantined_and_rebuilt(stopped: ServiceProcess, every: int) -> None:
    model = stopped.data_dir / "read_model.sqlite"
    whole = model.read_bytes()
    for page in range(0, len(whole), 4096 * every):
        for file in stopped.data_dir.glob("read_model.*"):
            file.unlink()
        model.write_bytes(whole[:page] + b"\xff" * 4096 + whole[page + 4096 :])

        stopped.start()

        assert [job["job_id"] for job in stopped.jobs()] == ["job-0", "job-1", "job-2"], page
        assert stopped.logged("read_model_quarantined"), page
        assert (stopped.data_dir / "read_model.damaged").exists()
        stopped.kill()


@pytest.mark.parametrize(("how", "command"), [("deleted", "serve"), ("emptied", "serve"), ("emptied", "rebuild")])
@pytest.mark.of_files("deletes it")
def test_a_missing_log_is_refused_while_the_read_model_has_its_events(
    stopped: ServiceProcess, how: str, command: str
) -> None:
    log = stopped.data_dir / "events.sqlite"
    log.unlink()
    if how == "emptied":
        log.touch()

    code, message = refusal(stopped, command)

    assert code == 1
    assert message.startswith(f"job-recovery: the event log in {log.parent} is empty, but the read model has applied ")
    assert f"restore the log from a backup, or, to start with an empty log, delete {log.parent}/read_model" in message


@pytest.mark.of_files("copies it")
def test_after_a_restore_the_service_shows_the_restored_log(stopped: ServiceProcess) -> None:
    log = stopped.data_dir / "events.sqlite"
    backup = log.read_bytes()
    stopped.start()
    stopped.register("job-3", "disk-3")
    wait_until(lambda: stopped.logged("recovery_completed"))
    stopped.terminate()
    log.write_bytes(backup)

    stopped.start()

    assert [job["job_id"] for job in stopped.jobs()] == ["job-0", "job-1", "job-2"]
    assert stopped.logged("read_model_of_another_log")
    stopped.register("job-4", "disk-4")
    assert stopped.job("job-4")["state"] == "replicating"


@pytest.mark.of_files("names it")
def test_a_changed_event_is_refused_before_anything_is_decided(stopped: ServiceProcess) -> None:
    log = stopped.data_dir / "events.sqlite"
    with closing(sqlite3.connect(log)) as connection, connection:
        named = "SELECT min(rowid) FROM stored_events WHERE instr(CAST(state AS TEXT), 'vm-of')"
        (position,) = connection.execute(named).fetchone()
        changed = "UPDATE stored_events SET state = CAST(replace(CAST(state AS TEXT), 'vm-of', 'VM-of') AS BLOB)"
        connection.execute(f"{changed} WHERE rowid = ?", (position,))

    code, message = refusal(stopped)

    assert code == 1
    assert message.startswith(f"job-recovery: the event log {log} fails verification at position {position}: ")
    assert "restore it from a backup" in message


def test_a_service_whose_read_model_is_behind_is_not_ready_and_gives_the_reason(stopped: ServiceProcess) -> None:
    stopped.start()
    wait_until(lambda: stopped.logged("recovery_completed"))
    model = stopped.data_dir / "read_model.sqlite"
    with closing(sqlite3.connect(model)) as other:
        refusing = "BEGIN SELECT RAISE(ABORT, 'not this one'); END"
        other.execute(f"CREATE TRIGGER no BEFORE INSERT ON {schema.audit_trail.name} {refusing}")
    stopped.post("/api/v1/jobs", {"job_id": "job-9", "vm_name": "vm", "volume_ids": ["disk-9"]})

    unready = wait_until(lambda: (r := stopped.get("/readyz")).status_code == 503 and r.json(), what="unready")
    with closing(sqlite3.connect(model)) as other:
        other.execute("DROP TRIGGER no")

    assert unready["projections_caught_up"] is False
    assert "the read model is damaged: not this one" in unready["why"][0]
    assert len(stopped.logged("read_model_damaged")) == 1
    wait_until(lambda: stopped.get("/readyz").is_success, what="ready again")


@pytest.mark.of_files("locks it")
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
    # On a slow machine the refused command may have been still waiting, and continued.
    made = 200 if "continues" in refused.json()["detail"] else 201
    assert service.post("/api/v1/jobs", body).status_code in {201, made}
    service.wait_for("job-1", vma_status="running")


def test_many_signals_end_the_service_cleanly(stopped: ServiceProcess) -> None:
    stopped.start(ready=False)
    for _ in range(50):
        stopped.process.terminate()

    assert stopped.process.wait(PATIENCE) == 0
    stopped.start()
    wait_until(lambda: all(job["state"] == "replicating" for job in stopped.jobs()))


@pytest.mark.of_files("damages a page of it")
def test_a_corrupt_page_of_the_log_is_refused_before_anything_is_decided(stopped: ServiceProcess) -> None:
    log = stopped.data_dir / "events.sqlite"
    last_page = log.stat().st_size - 4096
    overwrite(log, last_page, b"\xff" * 4096)

    code, message = refusal(stopped)

    assert code == 1
    assert message.startswith(f"job-recovery: the event log {log} is damaged: ")
    assert "backup" in message


@pytest.mark.of_files("has no room for it")
def test_on_a_full_disk_reads_work_and_writes_resume_without_a_restart(
    vma: SimulatedVMA, small: ServiceOnASmallDisk
) -> None:
    small.start()
    vma.world.add_job("job-1", ["disk-1"], progress=41.0, duration=36_000)
    small.register("job-1", "disk-1")
    small.wait_for("job-1", vma_status="running")
    another = {"job_id": "job-2", "vm_name": "vm", "volume_ids": ["disk-2"]}

    small.fill()
    unready = wait_until(lambda: (r := small.get("/readyz")).status_code == 503 and r.json(), what="unready")
    refused = small.post("/api/v1/jobs", another)
    vma.world.finish("job-1")

    assert any("full" in why for why in unready["why"]), unready
    assert (refused.status_code, "full" in refused.json()["detail"]) == (503, True)
    assert small.job("job-1")["state"] == "replicating"
    assert small.get("/api/v1/audit").is_success
    assert small.get("/metrics").is_success
    wait_until(lambda: small.logged("poll_not_recorded"), what="an observation that is not recorded")

    small.empty()

    wait_until(lambda: small.get("/readyz").is_success, what="ready again")
    small.wait_for("job-1", state="completed", basis="observed")
    assert small.post("/api/v1/jobs", another).status_code == 201


def test_without_file_descriptors_the_service_continues_and_watches_its_jobs_afterwards(
    vma: SimulatedVMA, start_service: StartService
) -> None:
    service = start_service()
    run_jobs(vma, service, ["job-0", "job-1", "job-2"])
    pid = service.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (1, before[1]))
    # Open connections are closed, and new ones are not accepted.
    vma.faults.set("refuse")
    vma.faults.clear()
    stranger = httpx.Client(base_url=service.url, timeout=0.3, trust_env=False)
    wait_until(lambda: not_served(stranger), what="out of files")
    vma.world.finish("job-1")

    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)

    service.wait_for("job-1", state="completed", basis="observed")
    wait_until(lambda: [job["state"] for job in service.jobs()] == ["replicating", "completed", "replicating"])
    wait_until(lambda: not not_served(stranger), what="new connections")
    stranger.close()


def test_a_data_directory_that_cannot_be_written_is_refused_by_name(stopped: ServiceProcess, tmp_path: Path) -> None:
    mounted = 'mount --bind -o ro "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
    line = [*UNSHARE, mounted, str(stopped.data_dir), sys.executable, "-m", "api", "serve"]

    done = subprocess.run(  # noqa: S603 - our own program
        line, env=stopped.environment, capture_output=True, text=True, timeout=120, check=False
    )

    assert (done.returncode, done.stderr.strip()) == (
        1,
        f"job-recovery: the data directory {stopped.data_dir} is not writable",
    )
