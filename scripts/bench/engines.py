"""Measures the service with its log on PostgreSQL beside SQLite (FULL): commands, recoveries and rebuilds, in one run.

    .venv/bin/python scripts/bench/engines.py [--short] [--jobs N ...] [--events N] [--repetitions N]

PostgreSQL is a server of its own with its default settings, on this machine and this disk, reached over TCP. Each
repetition measures one engine right after the other, and the first one alternates. Prints the median of each, and that
of the ratios of the pairs, with the smallest and the largest ratio, and what an fsync cost right before each engine's
commands. Needs about five minutes, and with --short one.
"""

import argparse
import asyncio
import os
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parent)]

from history import History

from adapters.event_log.database_log import DatabaseEventLog
from adapters.host.clock import SystemClock
from adapters.null_logger import NullLogger
from adapters.simulated_vma import SimulatedVMA
from api.runtime.event_logs import open_event_log
from api.runtime.read_models import open_read_model
from api.runtime.settings import Settings
from domain.application import JobRecovery
from domain.events import Trace
from domain.recovery_policy import Policy
from domain.replication_job import Registration
from projections.read_model.model_file import request_rebuild
from projections.read_model.projector import Projector
from tests.support.fleet import PRODUCTION, register_fleet, wait_for_all
from tests.support.postgres_cluster import PostgresCluster, new_cluster
from tests.support.service import ServiceProcess, wait_until

SQLITE, POSTGRES = "SQLite", "PostgreSQL"
ENGINES = (SQLITE, POSTGRES)
PATIENCE = 300.0

Measure = Callable[[str], dict[str, float]]
"""Measures one engine once, and returns its figures by their names."""


class Size(NamedTuple):
    """How much is measured. `commands` are registrations for each number at once."""

    jobs: Sequence[int]
    events: int
    repetitions: int
    commands: int


SHORT = Size(jobs=(100,), events=5_000, repetitions=3, commands=100)
LONG = Size(jobs=(300, 1000), events=20_000, repetitions=5, commands=300)


class Site(NamedTuple):
    """A folder for files, and a server."""

    folder: Path
    cluster: PostgresCluster

    def settings(self, engine: str, name: str) -> dict[str, str]:
        """Return where a log and its read model are, each on the engine."""
        if engine == SQLITE:
            return {}
        return {"database_url": self.cluster.url, "database_schema": name, "read_model_url": self.cluster.url}

    @contextmanager
    def log(self, engine: str, name: str) -> Iterator[tuple[Settings, DatabaseEventLog]]:
        """Open or create a log in this process."""
        where = self.settings(engine, name)
        settings = Settings.model_validate({"data_dir": self.folder / f"{name}-{engine}", **where})
        settings.data_dir.mkdir(exist_ok=True)
        log = open_event_log(settings, NullLogger())
        try:
            yield settings, log
        finally:
            log.close()


def in_pairs(measure: Measure, repetitions: int) -> None:
    """Measure both engines in turn, and print a row for each figure."""
    found: dict[str, list[dict[str, float]]] = {}
    for number in range(repetitions):
        pair = {engine: measure(engine) for engine in (ENGINES if number % 2 else ENGINES[::-1])}
        for name in pair[SQLITE]:
            found.setdefault(name, []).append({engine: figures[name] for engine, figures in pair.items()})
    for name, pairs in found.items():
        sqlite, postgres = (statistics.median(pair[engine] for pair in pairs) for engine in ENGINES)
        ratios = sorted(pair[POSTGRES] / pair[SQLITE] for pair in pairs)
        spread = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        print(f"| {name} | {figure(sqlite)} | {figure(postgres)} | {spread} |", flush=True)


def figure(number: float) -> str:
    """Return a figure with about three digits."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"  # noqa: PLR2004 - three digits


def fsync(folder: Path) -> float:
    """Return the median milliseconds of writing 4 kB durably: the floor of one command at a time."""
    took = []
    with (folder / "fsync").open("wb", buffering=0) as file:
        for _ in range(100):
            began = time.perf_counter()
            file.write(bytes(4096))
            os.fsync(file.fileno())
            took.append(time.perf_counter() - began)
    return 1000 * statistics.median(took)


def commands(site: Site, size: Size) -> None:
    """Measure registrations, so many at once, each until it is acknowledged."""

    def measure(engine: str) -> dict[str, float]:
        floor = {"milliseconds of an fsync at that time": fsync(site.folder)}
        with site.log(engine, "commands") as (_, log):
            return floor | asyncio.run(_rates(log, size.commands))

    in_pairs(measure, size.repetitions)


async def _rates(log: DatabaseEventLog, count: int) -> dict[str, float]:
    app, batch = JobRecovery(log, SystemClock(), Policy()), secrets.token_hex(4)
    rates = {}
    for at_once in (1, 10, 100):
        names = [f"job-{batch}-{at_once}-{n}" for n in range(max(count, 3 * at_once))]
        began = time.perf_counter()
        for start in range(0, len(names), at_once):
            await asyncio.gather(*(_register(app, name) for name in names[start : start + at_once]))
        rates[f"commands per second, {at_once} at once"] = len(names) / (time.perf_counter() - began)
    return rates


async def _register(app: JobRecovery, name: str) -> None:
    asked = Registration(job_id=name, vm_name="vm", vm_context_id=f"ctx-{name}", volume_ids=(name,), vma="default")
    _, is_new = await app.register(asked, Trace("bench", "bench"))
    if not is_new:
        raise AssertionError(f"{name} was registered before, so nothing is stored")


def recoveries(site: Site, jobs: int, repetitions: int) -> None:
    """Measure what follows a kill -9 of the real service, with a VMA that answers in 20 ms."""
    names = [f"job-{n:05}" for n in range(jobs)]
    with SimulatedVMA(latency=0.02) as vma:
        for name in names:
            vma.world.add_job(name, [f"disk-{name}"], duration=360_000, progress=20)
        services = {engine: _service(site, engine, f"fleet_{jobs}", vma.url) for engine in ENGINES}
        try:
            for service in services.values():
                service.start()
                register_fleet(service, names)
                wait_for_all(service, PATIENCE, vma_status="running")
                service.kill()
            in_pairs(lambda engine: _recovered(services[engine], jobs), repetitions)
        finally:
            for service in services.values():
                service.close()


def _service(site: Site, engine: str, name: str, vma: str) -> ServiceProcess:
    where = {name.upper(): value for name, value in site.settings(engine, name).items()}
    return ServiceProcess(site.folder / f"{name}-{engine}", vma, **PRODUCTION, **where)


def _recovered(service: ServiceProcess, jobs: int) -> dict[str, float]:
    """Start the service, and kill it after its recovery. The first figure begins with the start of the process."""
    began = time.monotonic()
    service.begin()
    (run,) = wait_until(lambda: service.logged("recovery_completed"), PATIENCE, "recovered")
    took = time.monotonic() - began
    service.kill()
    if run["polled_again"] != jobs:
        raise AssertionError(f"not every job is polled again: {run}")
    before = took - run["verified_in"]
    return {
        f"{jobs:,} jobs after kill -9: seconds until all are decided": before + run["decided_in"],
        f"{jobs:,} jobs after kill -9: seconds until all are polled again": took,
    }


def rebuilds(site: Site, size: Size) -> None:
    """Measure a rebuild of the read model from a history of jobs, each with its log on the same engine."""
    for engine in ENGINES:
        with site.log(engine, "history") as (_, log):
            asyncio.run(History(log).write(size.events))

    def measure(engine: str) -> dict[str, float]:
        with site.log(engine, "history") as (settings, log):
            return asyncio.run(_rebuilt(settings, log))

    in_pairs(measure, size.repetitions)


async def _rebuilt(settings: Settings, log: DatabaseEventLog) -> dict[str, float]:
    logger = NullLogger()
    model = open_read_model(settings, logger)
    request_rebuild(model.writer)
    projector = Projector(model.writer, log, SystemClock(), logger, model.writing)
    began = time.perf_counter()
    events = await projector.catch_up()
    took = time.perf_counter() - began
    model.close()
    return {"rebuild: events per second": events / took}


def main() -> None:
    """Measure all, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="a minute: fewer jobs, events and repetitions")
    parser.add_argument("--jobs", type=int, nargs="+", metavar="N", help="sizes of the recovery")
    parser.add_argument("--events", type=int, metavar="N", help="size of the history that is rebuilt")
    parser.add_argument("--repetitions", type=int, metavar="N")
    asked = parser.parse_args()
    given = {name: value for name, value in vars(asked).items() if name in Size._fields and value}
    size = (SHORT if asked.short else LONG)._replace(**given)
    print(f"| {size.repetitions} repetitions | {SQLITE} | {POSTGRES} | ratio |\n| --- | --- | --- | --- |", flush=True)
    with tempfile.TemporaryDirectory() as folder, new_cluster() as cluster:
        site = Site(Path(folder), cluster)
        commands(site, size)
        for jobs in size.jobs:
            recoveries(site, jobs, size.repetitions)
        rebuilds(site, size)


if __name__ == "__main__":
    main()
