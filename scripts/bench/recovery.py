"""Measures a restart after kill -9, with a VMA that answers in 20 ms, beside as many bare GETs by the same client.

    .venv/bin/python scripts/bench/recovery.py [--counts JOBS ...] [--repetitions N] [--short] [--json FILE]

The rates begin with the recovery, and the seconds with the start of the process. The floor of `decided` is a GET for
each job, and that of `polled again` two GETs for each job, by an AsyncClient with as many requests in progress at once.
"""

import sys
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from figures import Figure, Measured, Size, command, side_by_side
from processes import NewProcess, run
from restarts import killed_service, restart
from stub_vma import StubVMA

AT_ONCE = 64
"""Requests in progress at once: the service's default."""


def measure(size: Size) -> list[Figure]:
    """Measure fleets of so many jobs."""
    return [figure for jobs in size.counts for figure in _of_fleet(jobs, size)]


def _of_fleet(jobs: int, size: Size) -> list[Figure]:
    goals = {_decided(jobs): "≥ 0.6", _polled(jobs): "≥ 0.5"}
    with StubVMA() as vma, killed_service(vma, jobs) as service:
        return side_by_side(partial(_floor, vma, jobs), partial(_ours, service, vma, jobs), size, goals)


def _floor(vma: StubVMA, jobs: int) -> Measured:
    once, twice = (_gets(vma, rounds * jobs) for rounds in (1, 2))
    return {_decided(jobs): jobs / once, _polled(jobs): jobs / twice}


def _gets(vma: StubVMA, count: int) -> float:
    return float(run("scripts/bench/bare_gets.py", vma.url, str(count), str(AT_ONCE)).output.split()[0])


def _ours(service: NewProcess, vma: StubVMA, jobs: int) -> Measured:
    one = restart(service, vma, jobs)
    return {
        _decided(jobs): jobs / one.decided_in,
        _polled(jobs): jobs / one.polled_in,
        f"{jobs:,} jobs: live, seconds from the start": one.live,
        f"{jobs:,} jobs: first GET, seconds": one.first_get,
        f"{jobs:,} jobs: all decided, seconds": one.decided,
        f"{jobs:,} jobs: all polled again, seconds": one.polled,
        f"{jobs:,} jobs: the API shows the end, seconds": one.shown,
    }


def _decided(jobs: int) -> str:
    return f"{jobs:,} jobs: decided per second"


def _polled(jobs: int) -> str:
    return f"{jobs:,} jobs: polled again per second"


if __name__ == "__main__":
    command(__doc__, measure, counts=(1000, 10_000), short=50)
