"""After a restore the service shows the restored log, says what is lost, and decides on nothing of the lost."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.event_log.sqlite import sqlite3
from tests.restart.conftest import StartService
from tests.restart.test_stream_resumed import read
from tests.support import postgres as server
from tests.support.missing import miss
from tests.support.service import ServiceProcess, wait_until

QUIET = {"POLL_INTERVAL": "3600"}
"""No job stores an event by itself for as long as a test takes."""

FOUND = ("pg_dump", "psql")


@pytest.fixture
def schema() -> Iterator[str]:
    with server.new_schema() as name:
        yield name


def restored_file(service: ServiceProcess) -> Callable[[], None]:
    """Return a function that puts back the file as it is now, with the service stopped, as documented."""
    log, backup = service.data_dir / "events.sqlite", _backup_of(service)

    def restore() -> None:
        service.terminate()
        shutil.copy(backup, log)

    return restore


def replaced_file(service: ServiceProcess) -> Callable[[], None]:
    """Return a function that puts back the file as it is now under the running service, which then ends."""
    log, backup = service.data_dir / "events.sqlite", _backup_of(service)

    def replace() -> None:
        for name in ("events.sqlite", "events.sqlite-wal", "events.sqlite-shm"):
            (service.data_dir / name).rename(service.data_dir / f"lost-{name}")
        shutil.copy(backup, log)
        assert service.process.wait(30) == 1
        assert "was replaced by another file while it was in use" in service.log_file.read_text()

    return replace


def put_back_into_file(service: ServiceProcess) -> Callable[[], None]:
    """Return a function that puts the log back as it is now into its file, as SQLite's `.restore` does."""
    log, backup = service.data_dir / "events.sqlite", _backup_of(service)

    def put_back() -> None:
        with closing(sqlite3.connect(backup)) as source, closing(sqlite3.connect(log)) as target:
            source.backup(target)
        with suppress(httpx.TransportError):
            assert service.get("/readyz").status_code == httpx.codes.SERVICE_UNAVAILABLE
        assert service.process.wait(30) == 1
        assert "is not as this process left it: the last " in service.log_file.read_text()

    return put_back


def _backup_of(service: ServiceProcess) -> Path:
    backup = service.data_dir.with_suffix(".backup")
    service.terminate()
    shutil.copy(service.data_dir / "events.sqlite", backup)
    service.start()
    return backup


def restored_schema(schema: str, dump: Path) -> Callable[[], None]:
    """Return a function that puts back the schema as it is now, under the running service if there is one."""
    if not all(map(shutil.which, FOUND)):
        miss(f"needs {' and '.join(FOUND)}")
    subprocess.run(["pg_dump", f"--schema={schema}", f"--file={dump}", server.SERVER], check=True)  # noqa: S603, S607

    def restore() -> None:
        # In one transaction: no heartbeat meets a part of it.
        steps = ["--single-transaction", f"--command=DROP SCHEMA {schema} CASCADE", f"--file={dump}"]
        command = ["psql", "--quiet", "--set=ON_ERROR_STOP=1", *steps, server.SERVER]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603

    return restore


class Seen:
    """What a client and an operator have of jobs that the log then loses."""

    def __init__(self, service: ServiceProcess, *jobs: str) -> None:
        for job in jobs:
            service.register(job, f"disk-of-{job}")
        self.jobs = jobs
        self.tags = {job: service.get(f"/api/v1/jobs/{job}").headers["ETag"] for job in jobs}
        past = service.get("/api/v1/jobs", limit=1, at=f"{datetime.now(UTC):%Y-%m-%d}")
        self.cursor = past.json()["next_cursor"]
        self.ids = [event["id"] for event in read(service, len(service.pages("/api/v1/audit")), after="0")]

    def decide(self, service: ServiceProcess, job: str) -> httpx.Response:
        order = {"outcome": "fail", "who": "mara", "why": "seen before"}
        headers = {"If-Match": self.tags[job]}
        url = f"{service.url}/api/v1/jobs/{job}/decision"
        return httpx.post(url, json=order, headers=headers, timeout=20, trust_env=False)


def check_restored(service: ServiceProcess, kept: int, seen: Seen) -> None:
    """Check a service that has started on a log of `kept` events, in which what was `seen` after them is missing."""
    (told,) = service.logged("read_model_of_another_log")
    assert told["from_position"] == kept + 1
    assert told["lost_events"] == told["position"] - kept >= len(seen.ids) - kept
    assert [job["job_id"] for job in service.jobs()] == ["kept"]
    again = [service.register(job, f"disk-of-{job}") for job in seen.jobs]
    assert [job["version"] for job in again] == [1] * len(seen.jobs)
    for job in seen.jobs:
        refused = seen.decide(service, job)
        assert (refused.status_code, service.job(job)["state"]) == (412, "replicating")
    cut = service.get("/api/v1/jobs", cursor=seen.cursor)
    assert (cut.status_code, "Begin again with the first page" in cut.text) == (409, True), cut.text
    resets = [read(service, 1, last)[0] for last in seen.ids[kept:]]
    assert {reset["event"] for reset in resets} == {"reset"}
    assert "another event than" in resets[0]["data"]["why"]
    assert read(service, 1, seen.ids[kept - 1])[0]["data"]["position"] == kept + 1


def events_of(service: ServiceProcess) -> int:
    found: list[dict[str, Any]] = service.pages("/api/v1/audit")
    return len(found)


@pytest.mark.of_files("restores it")
@pytest.mark.parametrize("way", [restored_file, replaced_file, put_back_into_file])
def test_a_file_that_was_restored(
    start_service: StartService, way: Callable[[ServiceProcess], Callable[[], None]]
) -> None:
    service = start_service(**QUIET)
    service.register("kept", "disk-of-kept")
    kept = events_of(service)
    restore = way(service)
    seen = Seen(service, "job-1", "job-2")
    restore()
    service.start()

    check_restored(service, kept, seen)


@pytest.mark.of_files("moves it away")
def test_nothing_is_acknowledged_while_the_file_is_away(start_service: StartService) -> None:
    service = start_service(**QUIET)
    service.register("kept", "disk-of-kept")
    log, away = service.data_dir / "events.sqlite", service.data_dir / "away.sqlite"

    log.rename(away)
    refused = [service.post("/api/v1/jobs", {"job_id": "job-1", "vm_name": "vm", "volume_ids": ["v"]}) for _ in "12"]
    unready = service.get("/readyz")
    away.rename(log)

    assert [(one.status_code, "moved away or deleted" in one.text) for one in refused] == [(503, True)] * 2
    assert (unready.status_code, str(log) in unready.text) == (503, True)
    wait_until(lambda: service.get("/readyz").is_success, what="ready")
    service.register("job-1", "v")
    service.kill()
    service.start()
    assert {job["job_id"] for job in service.jobs()} == {"kept", "job-1"}


def test_a_schema_that_is_restored_under_a_running_service(
    start_service: StartService, schema: str, tmp_path: Path
) -> None:
    service = start_service(DATABASE_URL=server.url_to(server.port()), DATABASE_SCHEMA=schema, **QUIET)
    service.register("kept", "disk-of-kept")
    kept = events_of(service)
    restore = restored_schema(schema, tmp_path / "dump.sql")
    seen = Seen(service, "job-1", "job-2")

    restore()

    assert service.process.wait(30) == 1
    why = service.log_file.read_text()
    assert f"from position {kept + 1} to " in why
    service.start()
    check_restored(service, kept, seen)
