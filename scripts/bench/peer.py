"""Measures a restart after kill -9 beside DBOS Transact, both with their state on a PostgreSQL server of its own.

    scripts/bench/peer [--counts JOBS ...] [--repetitions N] [--short] [--json FILE]

The VMA answers in 20 ms. The rate is that of jobs that are polled again, from the start of the process. For DBOS a job
is a durable workflow with a step for each poll and a durable sleep of 5 s after it, which it sleeps to its end.
"""

import subprocess
import sys
from pathlib import Path
from typing import IO, cast

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import psycopg
from figures import Figure, Size, command, side_by_side
from processes import ROOT
from restarts import killed_service, restart
from stub_vma import StubVMA

from tests.support.postgres_cluster import new_cluster


def measure(size: Size) -> list[Figure]:
    """Measure fleets of so many jobs."""
    return [figure for jobs in size.counts for figure in _of_fleet(jobs, size)]


def _of_fleet(jobs: int, size: Size) -> list[Figure]:
    name = f"{jobs:,} jobs: polled again per second, from the start of the process"
    with StubVMA() as vma, new_cluster() as cluster:
        with psycopg.connect(cluster.url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE peer")
        peer = cluster.url.rpartition("/")[0].replace("postgresql:", "postgresql+psycopg:") + "/peer"
        _peer(peer, vma, jobs)
        with killed_service(vma, jobs, DATABASE_URL=cluster.url) as service:
            return side_by_side(
                lambda: {name: jobs / _peer(peer, vma, jobs)},
                lambda: {name: jobs / restart(service, vma, jobs).polled},
                size,
                {name: "≥ 20"},
            )


def _peer(database: str, vma: StubVMA, jobs: int) -> float:
    """Start the peer, and kill it when every job was polled; return the seconds."""
    line = [str(ROOT / ".peer/bin/python"), str(ROOT / "scripts/bench/peer_app.py"), database, vma.url, str(jobs)]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ours
    with cast("IO[str]", process.stdout) as printed:
        took = float(printed.readline())
        process.kill()
    process.wait()
    return took


if __name__ == "__main__":
    command(__doc__, measure, counts=(1000,), short=50)
