"""Measures reads of the API, beside a FastAPI route with one SELECT by SQLAlchemy in one thread, and msgspec.

    .venv/bin/python scripts/bench/reading.py [--counts JOBS ...] [--repetitions N] [--short] [--json FILE]

All rates are by CPU of the server, and the rows of the floor are as long as the jobs of the answers. The floor of a 304
is the whole answer of the same service. The p99 while a client registers one job after another is beside that without.
"""

import itertools
import json
import sys
import tempfile
import threading
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from clients import Load, request, send
from figures import Figure, Measured, Size, command, side_by_side
from floor_api import FloorAPI
from processes import NewProcess
from stub_vma import StubVMA

from tests.support.fleet import PRODUCTION, register_fleet

CLIENTS = 4

ONE, PAGE, UNCHANGED = "reads of one job per second of CPU", "pages of 100 jobs per second of CPU", "CPU of a 304"
P99 = "milliseconds of a read while jobs are registered, p99"

WRITTEN = 200
"""Jobs that are registered while others are read."""

numbers = itertools.count()


def measure(size: Size) -> list[Figure]:
    """Measure reads with so many jobs."""
    (jobs,) = size.counts
    goals = {ONE: "≥ 0.9", PAGE: "≥ 0.5", UNCHANGED: "≤ 0.5", P99: "< 3"}
    with StubVMA() as vma, tempfile.TemporaryDirectory() as folder:
        service = NewProcess(Path(folder) / "data", vma.url, **{**PRODUCTION, "POLL_INTERVAL": "3600"}, RATE_LIMIT="0")
        try:
            service.start()
            register_fleet(service, [f"job-{n:05}" for n in range(jobs)])
            with FloorAPI(service.job("job-00000"), jobs) as floor:
                return side_by_side(partial(_floor, floor, service, jobs), partial(_ours, service, jobs), size, goals)
        finally:
            service.close()


def _floor(floor: FloorAPI, service: NewProcess, jobs: int) -> Measured:
    return {
        ONE: _rate(floor, floor.url, _one("/jobs", jobs)),
        PAGE: _rate(floor, floor.url, [request("GET", "/jobs?limit=100")] * (jobs // 10)),
        UNCHANGED: 1 / _rate(service, service.url, _one("/api/v1/jobs", jobs)),
        P99: send(service.url, _one("/api/v1/jobs", jobs), 1).p99,
    }


def _ours(service: NewProcess, jobs: int) -> Measured:
    tag = service.get("/api/v1/jobs/job-00000").headers["ETag"]
    same = [request("GET", "/api/v1/jobs/job-00000", If_None_Match=tag)] * jobs
    return {
        ONE: _rate(service, service.url, _one("/api/v1/jobs", jobs)),
        PAGE: _rate(service, service.url, [request("GET", "/api/v1/jobs?limit=100")] * (jobs // 10)),
        UNCHANGED: 1 / _rate(service, service.url, same),
        P99: _read_while_writing(service, jobs).p99,
    }


def _one(path: str, jobs: int) -> list[bytes]:
    return [request("GET", f"{path}/job-{n:05}") for n in range(jobs)]


def _rate(server: FloorAPI | NewProcess, url: str, requests: list[bytes]) -> float:
    cpu = server.cpu
    send(url, requests, CLIENTS)
    return len(requests) / (server.cpu - cpu)


def _read_while_writing(service: NewProcess, jobs: int) -> Load:
    written = list(map(_registration, itertools.islice(numbers, WRITTEN)))
    writing = threading.Thread(target=send, args=(service.url, written, 1))
    writing.start()
    load = send(service.url, _one("/api/v1/jobs", jobs), 1)
    writing.join()
    return load


def _registration(number: int) -> bytes:
    name = f"late-{number:06}"
    body = {"job_id": name, "vm_name": name, "volume_ids": [f"disk-{name}"]}
    return request("POST", "/api/v1/jobs", json.dumps(body).encode())


if __name__ == "__main__":
    command(__doc__, measure, counts=(1000,), short=100)
