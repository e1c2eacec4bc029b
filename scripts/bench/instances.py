"""Measures one, two and three instances on one PostgreSQL log: what a poll costs, and an instance that owns nothing.

    .venv/bin/python scripts/bench/instances.py [--counts JOBS ...] [--repetitions N] [--short] [--json FILE]

Six VMAs answer in 20 ms. Polls are due more often than this machine can send them, so that its CPU is the limit; VMAs,
instances and PostgreSQL share it. The CPU of a poll is that of all instances together, and its floor is a GET by an
AsyncClient, as fast as it can. The idle instance owns nothing: another polls all jobs, every 5 s, and it follows the
log. Its memory of a job is what it has more, after a restart, than before the first job, for each job.
"""

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from json import dumps
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from figures import Figure, Measured, Size, command, side_by_side
from processes import NewProcess, cpu_of_server, run
from stub_vma import StubVMA

from tests.support.fleet import PRODUCTION, register_fleet
from tests.support.postgres_cluster import PostgresCluster, new_cluster
from tests.support.service import wait_until

VMAS = ("default", *(f"vma-{n}" for n in range(1, 6)))
MOST = 3
"""Instances."""

OFTEN = "0.25"
"""Seconds between two polls of a job: too few for this machine."""

SECONDS = 10
"""How long polls are counted, and an idle instance is measured."""

GETS_OF_A_JOB, AT_ONCE = 5, 64
"""Of the floor: GETs in all for each job, and in progress at once."""

PATIENCE = 300.0

STORED = "SELECT count(*) FROM job_recovery.stored_events"


def measure(size: Size) -> list[Figure]:
    """Measure fleets of so many jobs."""
    return [figure for jobs in size.counts for figure in (*_of_polls(jobs, size), *_of_idle(jobs, size))]


def _of_polls(jobs: int, size: Size) -> list[Figure]:
    with StubVMA() as vma, new_cluster() as cluster, _instances(vma, cluster, VMAS) as instances:
        first = instances[0]
        first.start()
        _register(first, jobs, VMAS)
        first.terminate()
        for one in instances:
            one.settings["POLL_INTERVAL"] = OFTEN
        return side_by_side(partial(_floor, vma, jobs), partial(_polled, instances, vma, cluster, jobs), size, {})


def _floor(vma: StubVMA, jobs: int) -> Measured:
    count = GETS_OF_A_JOB * jobs
    ran = run("scripts/bench/bare_gets.py", vma.url, str(count), str(AT_ONCE))
    return {_poll(jobs, instances): 1e6 * float(ran.output.split()[1]) / count for instances in range(1, MOST + 1)}


def _polled(instances: Sequence[NewProcess], vma: StubVMA, cluster: PostgresCluster, jobs: int) -> Measured:
    """Start one instance after the other, measure each time, and end them all."""
    found: Measured = {}
    for count, one in enumerate(instances, 1):
        one.start()
        running = instances[:count]
        wait_until(partial(_are_even, running, len(VMAS) + 1, jobs), PATIENCE, "even shares", 0.5)
        found |= _costs(running, vma, cluster, jobs)
    for one in instances:
        one.terminate()
    return found


def _costs(running: Sequence[NewProcess], vma: StubVMA, cluster: PostgresCluster, jobs: int) -> Measured:
    polls, cpu, server = vma.answered, _cpu(running), cpu_of_server(cluster.pid)
    began = time.monotonic()
    time.sleep(SECONDS)
    polls, took = vma.answered - polls, time.monotonic() - began
    cpu, server = _cpu(running) - cpu, cpu_of_server(cluster.pid) - server
    name = _name(jobs, len(running))
    return {
        f"{name}: polls per second": polls / took,
        _poll(jobs, len(running)): 1e6 * cpu / polls,
        f"{name}: microseconds of CPU of a poll, PostgreSQL": 1e6 * server / polls,
    }


def _poll(jobs: int, instances: int) -> str:
    return f"{_name(jobs, instances)}: microseconds of CPU of a poll"


def _name(jobs: int, instances: int) -> str:
    return f"{jobs:,} jobs, {instances} instance" + "s" * (instances > 1)


def _of_idle(jobs: int, size: Size) -> list[Figure]:
    return side_by_side(dict, partial(_idle, jobs), size, {})


def _idle(jobs: int) -> Measured:
    """Measure the third instance where there are two shares: one VMA, and those that are in nobody's settings."""
    with StubVMA() as vma, new_cluster() as cluster, _instances(vma, cluster, VMAS[:1]) as instances:
        first, _, idle = instances
        for one in instances:
            one.start()
            wait_until(partial(_are_even, instances[: instances.index(one) + 1], 2, 0), PATIENCE, "shares", 0.1)
        without, memory, cpu, stored = _pace(idle), idle.memory, idle.cpu, _stored(cluster)
        _register(first, jobs, VMAS[:1])
        wait_until(partial(_shows_all, idle), PATIENCE, "it shows all", 0.5)
        cpu, stored = idle.cpu - cpu, _stored(cluster) - stored
        idle.terminate()
        idle.start()
        wait_until(partial(_are_even, instances, 2, jobs), PATIENCE, "it owns nothing", 0.5)
        pace = _pace(idle)
        return {
            "idle instance, no jobs: milliseconds of CPU per second": without,
            f"idle instance, {jobs:,} jobs: milliseconds of CPU per second": pace,
            f"idle instance, {jobs:,} jobs: microseconds of CPU of an event of others": 1e6 * cpu / stored,
            f"idle instance, {jobs:,} jobs: kilobytes of a job": 1024 * (idle.memory - memory) / jobs,
            "idle instance, no jobs: megabytes": memory,
        }


def _pace(one: NewProcess) -> float:
    """Return the milliseconds of CPU that a process takes in a second."""
    cpu, began = one.cpu, time.monotonic()
    time.sleep(SECONDS)
    return 1000 * (one.cpu - cpu) / (time.monotonic() - began)


def _stored(cluster: PostgresCluster) -> int:
    return int(cluster.execute(STORED)[0][0])


@contextmanager
def _instances(vma: StubVMA, cluster: PostgresCluster, vmas: Sequence[str]) -> Iterator[list[NewProcess]]:
    """Yield the instances, none of which runs yet."""
    own = {"DATABASE_URL": cluster.url, "VMAS": dumps(dict.fromkeys(vmas[1:], vma.url)), "RATE_LIMIT": "0"}
    with tempfile.TemporaryDirectory() as folder:
        found = [NewProcess(Path(folder) / f"instance-{n}", vma.url, **PRODUCTION, **own) for n in range(MOST)]
        try:
            yield found
        finally:
            for one in found:
                one.close()


def _register(instance: NewProcess, jobs: int, vmas: Sequence[str]) -> None:
    names = [f"job-{n:05}" for n in range(jobs)]
    for number, vma in enumerate(vmas):
        register_fleet(instance, names[number :: len(vmas)], vma=vma)
    wait_until(lambda: _active(instance) == jobs, PATIENCE, "all jobs polled", 0.5)


def _are_even(running: Sequence[NewProcess], shares: int, jobs: int) -> bool:
    owned = [len(one["vmas"]) for one in running[0].get("/api/v1/instances").json().get("items", [])]
    return (
        len(owned) == len(running)
        and sum(owned) == shares
        and max(owned) - min(owned) <= 1
        and sum(map(_active, running)) == jobs
    )


def _active(instance: NewProcess) -> int:
    return int(instance.get("/api/v1/polling").json()["active_jobs"])


def _shows_all(instance: NewProcess) -> bool:
    return bool(instance.get("/health").json()["projection_lag_events"] == 0)


def _cpu(running: Sequence[NewProcess]) -> float:
    return sum(one.cpu for one in running)


if __name__ == "__main__":
    command(__doc__, measure, counts=(2000,), short=60, repetitions=1)
