"""The command line in this process, in a folder of its own, asking real services."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.simulated_vma import SimulatedVMA
from tests.api.cli.asking import runs_of
from tests.support import logs
from tests.support.service import PATIENT, ServiceProcess, wait_until


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder, where no service runs by default."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JOB_RECOVERY_PORT", "9")
    logs.use(monkeypatch, tmp_path / "data")
    monkeypatch.setenv("COLUMNS", "250")


@pytest.fixture(scope="module")
def restarted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """Serve what a kill -9 left: a job that runs, one lost at 92 %, one lost at 40 %."""
    with SimulatedVMA() as vma:
        vma.world.add_job("runs", ["disk-1"], progress=41.0, duration=36_000)
        vma.world.add_job("nearly", ["disk-2"], progress=92.0, duration=360_000)
        vma.world.add_job("half", ["disk-3"], progress=40.0, duration=36_000)
        service = ServiceProcess(tmp_path_factory.mktemp("restarted") / "data", vma.url, **PATIENT)
        service.start()
        for job_id, disk in (("runs", "disk-1"), ("nearly", "disk-2"), ("half", "disk-3")):
            service.register(job_id, disk)
            service.wait_for(job_id, vma_status="running")
        service.kill()
        vma.world.remove("nearly")
        vma.world.remove("half")
        service.start()
        wait_until(lambda: [run for run in runs_of(service) if run["jobs"] == 3 and run["status"] == "finished"])
        yield service
        service.close()


def complaint(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the one line on standard error, with nothing on standard output."""
    written = capsys.readouterr()
    lines = written.err.strip().splitlines()
    assert written.out == ""
    assert len(lines) == 1
    assert lines[0].startswith("job-recovery: ")
    return lines[0]
