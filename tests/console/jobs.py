"""Jobs for the tests of the console, one in each state that an operator sees often."""

from typing import Any

from adapters.simulated_vma import SimulatedVMA
from tests.support.fleet import run_jobs
from tests.support.service import ServiceProcess

HOUR = 3600


def run_some(vma: SimulatedVMA, service: ServiceProcess, *names: str, **how: Any) -> None:
    """Run jobs that replicate for an hour."""
    run_jobs(vma, service, names, duration=HOUR, **how)


def a_bit_of_everything(vma: SimulatedVMA, service: ServiceProcess) -> None:
    """Leave jobs that run, that are complete, that failed, and one that needs attention, after a restart."""
    run_some(vma, service, "web-01", "db-01", "mail-01", "app-01", "erp-01")
    service.kill()
    vma.world.finish("mail-01")
    vma.world.fail("app-01", "snapshot was removed")
    for asked_id in ("migration-vol-disk-erp-01", "erp-01"):
        vma.faults.set("html", id=asked_id)
    service.start()
    service.wait_for("mail-01", state="completed")
    service.wait_for("app-01", state="failed")
    service.wait_for("erp-01", needs_attention=True)
