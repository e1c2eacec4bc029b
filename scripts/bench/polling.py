"""Measures steady polling: the CPU of a poll beside a bare GET, how late polls are, and the memory of a job.

    .venv/bin/python scripts/bench/polling.py [--counts JOBS ...] [--repetitions N] [--short] [--json FILE]

The VMA answers in 20 ms, and each job is asked about every 5 s. The floor of a poll is a GET by an AsyncClient, at
the same rate: one at a time costs more than many at once. The memory of a job is what a restarted service has more than
one with a single job, for each job.
"""

import sys
import time
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from clients import request, send
from figures import Figure, Measured, Size, command, side_by_side
from processes import NewProcess, run
from restarts import PATIENCE, killed_service
from stub_vma import StubVMA

from tests.support.service import wait_until

SECONDS = 15
"""How long polls are counted: three intervals."""

INTERVAL = 5
"""Seconds between two polls of a job."""

AT_ONCE = 64

READS = 600
"""Reads while jobs are polled, one after the other."""

IDLE = "megabytes of a service with one job"


def measure(size: Size) -> list[Figure]:
    """Measure fleets of so many jobs."""
    return [figure for jobs in size.counts for figure in _of_fleet(jobs, size)]


def _of_fleet(jobs: int, size: Size) -> list[Figure]:
    goals = {_poll(jobs): "≤ 0.8", _memory(jobs): "< 20", IDLE: "< 100", _late(jobs): "< 1"}
    with StubVMA() as vma, killed_service(vma, 1) as service:
        service.start()
        idle = service.memory
    with StubVMA() as vma, killed_service(vma, jobs) as service:
        service.start()
        wait_until(lambda: service.logged("recovery_completed"), PATIENCE, "recovered", 1)
        return side_by_side(partial(_floor, vma, jobs), partial(_polled, service, vma, jobs, idle), size, goals)


def _floor(vma: StubVMA, jobs: int) -> Measured:
    rate = jobs // INTERVAL
    ran = run("scripts/bench/bare_gets.py", vma.url, str(SECONDS * rate), str(AT_ONCE), str(rate))
    return {_poll(jobs): 1e6 * float(ran.output.split()[1]) / (SECONDS * rate)}


def _polled(service: NewProcess, vma: StubVMA, jobs: int, idle: float) -> Measured:
    before, cpu = vma.answered, service.cpu
    late = []
    for _ in range(SECONDS):
        time.sleep(1)
        late.append(service.get("/api/v1/polling").json()["lag_seconds"])
    polls, cpu = vma.answered - before, service.cpu - cpu
    return {
        _poll(jobs): 1e6 * cpu / polls,
        _late(jobs): max(late),
        f"{jobs:,} jobs: polls per second": polls / SECONDS,
        f"{jobs:,} jobs: milliseconds of a read while polling, p99": _read(service, jobs),
        _memory(jobs): 1024 * (service.memory - idle) / jobs,
        IDLE: idle,
    }


def _read(service: NewProcess, jobs: int) -> float:
    return send(service.url, [request("GET", f"/api/v1/jobs/job-{n % jobs:05}") for n in range(READS)], 1).p99


def _poll(jobs: int) -> str:
    return f"{jobs:,} jobs: microseconds of CPU of a poll"


def _late(jobs: int) -> str:
    return f"{jobs:,} jobs: seconds by which polls are late, largest"


def _memory(jobs: int) -> str:
    return f"{jobs:,} jobs: kilobytes of a job after a restart"


if __name__ == "__main__":
    command(__doc__, measure, counts=(1000, 5000), short=50)
