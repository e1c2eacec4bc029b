"""Restarts of the real service with many jobs, after kill -9."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from processes import NewProcess
from stub_vma import StubVMA

from tests.support.fleet import PRODUCTION, register_fleet, wait_for_all
from tests.support.service import wait_until

PATIENCE = 600.0

LOOK_EVERY = 0.2
"""Seconds between two looks at the log: looking costs CPU, and the times are in the log."""


class Restart(NamedTuple):
    """One restart. The first two are seconds from the beginning of the recovery, the others from the process's."""

    decided_in: float
    polled_in: float
    live: float
    first_get: float
    decided: float
    polled: float
    shown: float


@contextmanager
def killed_service(vma: StubVMA, jobs: int, **settings: str) -> Iterator[NewProcess]:
    """Register jobs, kill the service when all are polled, and yield it."""
    with tempfile.TemporaryDirectory() as folder:
        service = NewProcess(Path(folder) / "data", vma.url, **PRODUCTION, RATE_LIMIT="0", **settings)
        try:
            service.start()
            register_fleet(service, [f"job-{n:05}" for n in range(jobs)])
            wait_for_all(service, PATIENCE, vma_status="running")
            service.kill()
            yield service
        finally:
            service.close()


def restart(service: NewProcess, vma: StubVMA, jobs: int) -> Restart:
    """Start a killed service, and kill it again when it has recovered.

    Raises:
        AssertionError: a job is not polled again.

    """
    vma.forget()
    began, began_at = time.monotonic(), time.time()
    service.begin()
    (done,) = wait_until(lambda: service.logged("recovery_completed"), PATIENCE, "recovered", LOOK_EVERY)
    service.connect()
    service.finished_run(done["run_id"])
    shown = time.monotonic() - began
    (live,) = service.logged("service_started")
    service.kill()
    if done["polled_again"] != jobs:
        raise AssertionError(f"not every job is polled again: {done}")
    decided_in, polled_in, polled = done["decided_in"], done["verified_in"], _seconds(done) - began_at
    return Restart(
        decided_in=decided_in,
        polled_in=polled_in,
        live=_seconds(live) - began_at,
        first_get=vma.first - began,
        decided=polled - polled_in + decided_in,
        polled=polled,
        shown=shown,
    )


def _seconds(line: dict[str, str]) -> float:
    return datetime.fromisoformat(line["timestamp"]).timestamp()
