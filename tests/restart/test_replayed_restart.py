"""A restart with many jobs, exported, and replayed without a database and a VMA."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from adapters.simulated_vma import SimulatedVMA
from tests.restart.conftest import StartService
from tests.support.fleet import register_fleet, wait_for_all
from tests.support.service import wait_until

LIMITS = (90.0, 95.0)


def replayed(file: Path, folder: Path, *options: str) -> Any:
    """Replay a file in an empty folder, without settings."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("JOB_RECOVERY_")}
    line = [sys.executable, "-m", "api", "replay", str(file), "--json", *options]
    done = subprocess.run(line, cwd=folder, env=own, check=True, capture_output=True)  # noqa: S603 - our own program
    return json.loads(done.stdout)


def test_the_replay_of_a_restart_with_every_kind_of_job_is_identical(
    vma: SimulatedVMA, start_service: StartService, fleet: list[str], tmp_path: Path
) -> None:
    reached = {name: (n + 0.5) * 100 / len(fleet) for n, name in enumerate(fleet)}
    for name, percent in reached.items():
        vma.world.add_job(name, [f"disk-{name}"], progress=percent, duration=1e7)
    service = start_service()
    register_fleet(service, fleet)
    wait_for_all(service, 60, vma_status="running")
    service.kill()
    lost = {name for n, name in enumerate(fleet) if n % 3 == 0}
    for n, name in enumerate(fleet):
        if name in lost:
            vma.world.remove(name)
        elif n % 12 == 1:
            vma.world.fail(name, "datastore is full")
        elif n % 12 == 2:
            vma.faults.set("html", id=f"migration-vol-disk-{name}")
        elif n % 12 == 4:
            vma.world.finish(name)
    service.start()
    run = wait_until(lambda: service.completed("restart"), 60)[0]

    file, elsewhere = tmp_path / "restart.ndjson", tmp_path / "elsewhere"
    service.finished_run(run["run_id"])
    file.write_bytes(service.get(f"/api/v1/recovery-runs/{run['run_id']}/export").content)
    elsewhere.mkdir()
    done = replayed(file, elsewhere, "--policy", f"complete_above_percent={LIMITS[1]}")

    assert (done["decisions"], done["identical"], done["different"]) == (len(fleet), len(fleet), [])
    seen = {job["job_id"]: job["recorded"]["rule"] for job in done["items"]}
    assert {"still-running", "failed-on-vma", "completed-while-away", "lost", "gone-near-end"} <= set(seen.values())
    between = {name for name in lost if LIMITS[0] < reached[name] <= LIMITS[1]}
    assert {change["job_id"] for change in done["what_if"]} == between
    assert {change["would_be"]["rule"] for change in done["what_if"]} == {"lost"}
    assert list(elsewhere.iterdir()) == []
