"""Measures registrations from 64 clients, beside a FastAPI route that commits one event and one row.

    .venv/bin/python scripts/bench/registering.py [--counts JOBS ...] [--repetitions N] [--short] [--json FILE]

The rate is by CPU: registrations per second of CPU of the server, which asks the VMA about each new job; it answers in
20 ms. `while polled` has a poll of each new job every 5 s, and otherwise hardly any is polled meanwhile.
"""

import itertools
import json
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from clients import Load, request, send
from figures import Figure, Measured, Size, command, side_by_side
from floor_api import FloorAPI
from processes import NewProcess
from stub_vma import StubVMA

from tests.support.fleet import PRODUCTION

CLIENTS = 64

RATE, P99 = "registrations per second of CPU", "milliseconds of a registration, p99"
POLLED, POLLED_P99 = f"{RATE}, while polled", f"{P99}, while polled"
COMMITS = "commits per registration"
"""One commit of the log has one seal."""

numbers = itertools.count()


def measure(size: Size) -> list[Figure]:
    """Measure both kinds of service beside the floor."""
    (jobs,) = size.counts
    goals = {RATE: "≥ 0.8", POLLED: "≥ 0.53", P99: "< 150 ms", POLLED_P99: "< 150 ms"}
    with FloorAPI({}, 0) as floor:
        return side_by_side(partial(_floor, floor, jobs), partial(_ours, jobs), size, goals)


def _floor(floor: FloorAPI, jobs: int) -> Measured:
    cpu = floor.cpu
    send(floor.url, list(_bodies("/jobs", jobs)), CLIENTS)
    rate = jobs / (floor.cpu - cpu)
    return {RATE: rate, POLLED: rate}


def _ours(jobs: int) -> Measured:
    with StubVMA() as vma:
        still, moving = _registered(jobs, vma, POLL_INTERVAL="3600"), _registered(jobs, vma)
    return {
        RATE: still[0],
        P99: still[1].p99,
        COMMITS: still[2] / jobs,
        POLLED: moving[0],
        POLLED_P99: moving[1].p99,
    }


def _registered(jobs: int, vma: StubVMA, **settings: str) -> tuple[float, Load, int]:
    with tempfile.TemporaryDirectory() as folder:
        service = NewProcess(Path(folder) / "data", vma.url, **{**PRODUCTION, **settings}, RATE_LIMIT="0")
        try:
            service.start()
            cpu = service.cpu
            load = send(service.url, list(_bodies("/api/v1/jobs", jobs)), CLIENTS)
            return jobs / (service.cpu - cpu), load, _seals(service)
        finally:
            service.close()


def _bodies(path: str, jobs: int) -> Iterator[bytes]:
    for number in itertools.islice(numbers, jobs):
        name = f"job-{number:07}"
        body = {"job_id": name, "vm_name": name, "volume_ids": [f"disk-{name}"]}
        yield request("POST", path, json.dumps(body).encode())


def _seals(service: NewProcess) -> int:
    service.terminate()
    with closing(sqlite3.connect(service.data_dir / "events.sqlite")) as log:
        count: int = log.execute("SELECT count(*) FROM seals").fetchone()[0]
        return count


if __name__ == "__main__":
    command(__doc__, measure, counts=(2000,), short=100)
