"""Measures the restart with many jobs: the real service, killed with SIGKILL, and a simulated VMA.

    .venv/bin/python scripts/bench/restart.py [JOBS]

Prints the seconds from the start of the process until every job has the expected state, for a VMA that answers in
20 ms, for one that refuses or hangs, and for one that is up again.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from adapters.simulated_vma import SimulatedVMA
from tests.support.fleet import every_poll_counted, register_fleet, wait_for_all
from tests.support.service import ServiceProcess

PRODUCTION = {
    "POLL_INTERVAL": "5",
    "PROBE_TIMEOUT": "5",
    "CONFIRMATION_WINDOW": "15",
    "RETRY_BACKOFF_INITIAL": "5",
    "RETRY_BACKOFF_MAX": "60",
}


def main(jobs: int) -> None:
    """Measure and print."""
    names = [f"job-{n:05}" for n in range(jobs)]
    with SimulatedVMA(latency=0.02) as vma, tempfile.TemporaryDirectory() as folder:
        for name in names:
            vma.world.add_job(name, [f"disk-{name}"], duration=36000, progress=20)
        service = ServiceProcess(Path(folder) / "data", vma.url, **PRODUCTION)
        try:
            service.start()
            register_fleet(service, names)
            wait_for_all(service, 120, vma_status="running")
            report(f"{jobs} running jobs resumed and polled again", lambda: restart_running(service))
            report("VMA refuses: all pending-retry", lambda: restart_down(service, vma, "refuse"))
            report("VMA is back: all replicating", lambda: come_back(service, vma))
            report("VMA hangs: all pending-retry", lambda: restart_down(service, vma, "hang"))
            report("VMA is back: all replicating", lambda: come_back(service, vma))
        finally:
            service.close()


def report(what: str, work: Callable[[], None]) -> None:
    """Time some work and print it."""
    began = time.monotonic()
    work()
    print(f"{time.monotonic() - began:6.2f} s  {what}", flush=True)


def restart_running(service: ServiceProcess) -> None:
    """Kill and start, and wait until every job has been polled again."""
    service.kill()
    service.start(ready=False)
    wait_for_all(service, 120, state="replicating")
    while not every_poll_counted(service, at_least=1):
        time.sleep(0.05)


def restart_down(service: ServiceProcess, vma: SimulatedVMA, fault: str) -> None:
    """Kill, take the VMA down, start, and wait until every job waits for it."""
    service.kill()
    vma.faults.set(fault)
    service.start(ready=False)
    wait_for_all(service, 120, state="pending-retry")


def come_back(service: ServiceProcess, vma: SimulatedVMA) -> None:
    """Let the VMA come back, and wait until every job is replicating."""
    vma.faults.clear()
    wait_for_all(service, 180, state="replicating")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
