"""Records the runs of tests/corpus: the real service, killed and restarted beside a simulated VMA.

    .venv/bin/python scripts/reliability/record_corpus.py

Run it only to add a new kind of situation, never to make a test pass: every later version must decide a recorded run
identically, or its changelog names the rule that changed.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from adapters.simulated_vma import SimulatedVMA
from tests.support.fleet import register_fleet, wait_for_all
from tests.support.service import ServiceProcess, wait_until

CORPUS = Path(__file__).resolve().parents[2] / "tests" / "corpus"
SETTINGS = {"CONFIRMATION_WINDOW": "0.6", "POLL_INTERVAL": "0.2"}


def of_every_kind(vma: SimulatedVMA, names: list[str]) -> None:
    """Prepare jobs that run, have ended, are gone at every progress, or give no usable answer."""
    world = vma.world
    for n, name in enumerate(names):
        match n % 8:
            case 0:
                world.finish(name)
            case 1:
                world.fail(name, "datastore is full" if n % 16 == 1 else None)
            case 2 if n < len(names) - 16:
                world.remove(name)
            case 3:
                vma.faults.set("html", id=f"migration-vol-disk-{name}")
            case 4:
                vma.faults.set("reset", id=f"migration-vol-disk-{name}")
            case _:
                pass


def forgets_all(vma: SimulatedVMA, _names: list[str]) -> None:
    """Restart the VMA, too."""
    vma.world.restart(reannounce=3600.0)


def record(name: str, count: int, happen: Callable[[SimulatedVMA, list[str]], None]) -> None:
    """Record one run."""
    names = [f"job-{n:03}" for n in range(count)]
    with tempfile.TemporaryDirectory() as folder, SimulatedVMA() as vma:
        for n, job_id in enumerate(names):
            vma.world.add_job(job_id, [f"disk-{job_id}"], duration=1e6, progress=float(n * 7 % 100))
        service = ServiceProcess(Path(folder) / "data", vma.url, **SETTINGS)
        service.start()
        register_fleet(service, names)
        wait_for_all(service, 60, vma_status="running")
        service.kill()
        happen(vma, names)
        service.start()
        run = wait_until(lambda: service.logged("recovery_completed"), 60)[0]
        exported = service.get(f"/api/v1/recovery-runs/{run['run_id']}/export")
        (CORPUS / f"{name}.ndjson").write_bytes(exported.content)
        print(f"{name}: {run['rules']}")
        service.close()


if __name__ == "__main__":
    record("restart-of-every-kind", 96, of_every_kind)
    record("vma-that-forgot", 30, forgets_all)
