"""A data directory of an earlier version opens, replays to the same jobs, and is recovered."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.event_log.sqlite_store import SQLiteEventLog
from adapters.event_log.sqlite_stored_log import verify
from adapters.simulated_vma import SimulatedVMA
from domain.replication_job import ReplicationJob
from tests.support.service import ServiceProcess, wait_until

pytestmark = pytest.mark.of_files("opens one that was written before")

WRITTEN_BEFORE = Path(__file__).parents[1] / "corpus" / "earlier-version"
"""Nine jobs of every state after several crashes, one of them with a snapshot; written by the commit 0f4e418."""

JOBS: list[dict[str, Any]] = json.loads((WRITTEN_BEFORE / "jobs.json").read_text())
"""The responses of that version's API."""

RUN_ON = ("job-running", "job-waits")
"""The jobs that the VMA runs when the new version starts; it does not know `job-next`, which had not begun."""

SAME = (
    *("job_id", "state", "version", "vm_name", "vm_context_id", "vma", "volume_ids", "progress_percent", "phase"),
    *("bytes_transferred", "total_bytes", "disks", "vma_status", "error", "registered_at", "basis"),
    *("needs_attention", "decision", "run_id", "stalled"),
)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    (folder / "events.sqlite").write_bytes(gzip.decompress((WRITTEN_BEFORE / "events.sqlite.gz").read_bytes()))
    return folder


@pytest.fixture
def service(data_dir: Path) -> Iterator[ServiceProcess]:
    with SimulatedVMA() as vma:
        for job in JOBS:
            if job["job_id"] in RUN_ON:
                vma.world.add_job(job["job_id"], job["volume_ids"], duration=1e6, progress=85.0)
        running = ServiceProcess(data_dir, vma.url)
        running.start()
        yield running
        running.close()


async def test_its_events_are_verified_and_folded_to_the_same_states(data_dir: Path) -> None:
    assert verify(data_dir / "events.sqlite").broken_at is None

    log = SQLiteEventLog(data_dir / "events.sqlite")
    jobs = await log.load_many(ReplicationJob, [job["job_id"] for job in JOBS])
    log.close()

    for shown in JOBS:
        job = jobs[shown["job_id"]]
        basis = job.outcome_basis.value if job.outcome_basis else None
        assert (job.state.value, job.version, basis) == (shown["state"], shown["version"], shown["basis"])


def test_ended_jobs_are_shown_as_before_and_open_ones_are_recovered(service: ServiceProcess) -> None:
    ended = [job for job in JOBS if job["state"] in {"completed", "failed"}]
    assert len(ended) == 6
    for job in ended:
        # It was the back-off of a decision to wait; the audit trail has it.
        (job["decision"] or {}).pop("retry_in", None)
        shown = service.job(job["job_id"])
        assert {name: shown[name] for name in SAME} == {name: job[name] for name in SAME}
        # The remedy after the name has other words.
        assert [why.partition(":")[0] for why in shown["attention"]] == [
            why.partition(":")[0] for why in job["attention"]
        ]
        # It was the time of the observation, which is stored after it.
        assert shown["ended_at"] >= job["ended_at"]
        assert service.get(f"/api/v1/jobs/{job['job_id']}", at=shown["ended_at"]).json()["state"] == job["state"]

    (run,) = wait_until(lambda: service.completed("restart"), what="recovered")
    assert (run["resumed"], run["polled_again"]) == (2, 2)
    for name in RUN_ON:
        service.wait_for(name, state="replicating")
    assert service.job("job-next")["state"] in {"pending-retry", "recovering"}
