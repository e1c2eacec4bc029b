"""Copies a long log from a serving SQLite to PostgreSQL, under kills, and compares both sides: see `copy` beside it."""

import argparse
import asyncio
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts" / "bench")]

import httpx
from history import History

from adapters.event_log.sqlite import sqlite3
from adapters.event_log.sqlite_store import SQLiteEventLog
from adapters.simulated_vma import SimulatedVMA
from projections.read_model.model_file import open_read_model
from tests.support import postgres
from tests.support.postgres import new_schema
from tests.support.read_model import Rows, rows_of
from tests.support.service import ServiceProcess, wait_until

PROGRAM = ROOT / ".venv" / "bin" / "job-recovery"
KILLS = 3
PATIENCE = 600.0
"""Seconds for one step, on a busy machine."""

Settings = dict[str, str]


def require(fact: bool, otherwise: str) -> None:  # noqa: FBT001 - it is what the function is about
    """End with a message unless something is true."""
    if not fact:
        sys.exit(f"failed: {otherwise}")


def run(*line: str, environment: Settings | None = None) -> str:
    """Run a command to its end, and return its output."""
    done = subprocess.run(  # noqa: S603 - our own program
        [PROGRAM, *line], env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    require(done.returncode == 0, done.stderr)
    return done.stdout.strip()


def write_history(folder: Path, events: int) -> None:
    """Write a log of this number of events."""
    log = SQLiteEventLog(folder / "events.sqlite", synchronous="NORMAL")
    asyncio.run(History(log).write(events))
    log.close()


class Registering(threading.Thread):
    """Registers jobs, one after the other, and remembers how long each took."""

    def __init__(self, vma: SimulatedVMA, service: ServiceProcess) -> None:
        super().__init__(daemon=True)
        self.acknowledged: list[str] = []
        self.took: list[float] = []
        self._vma, self._service = vma, service
        self._end = threading.Event()

    def run(self) -> None:
        """Register until `stop`."""
        while not self._end.wait(0.2):
            name = f"new-job-{len(self.acknowledged):05}"
            self._vma.world.add_job(name, [f"disk-of-{name}"], progress=20.0, duration=36_000)
            began = time.monotonic()
            self._register(name)
            self.took.append(time.monotonic() - began)
            self.acknowledged.append(name)

    def _register(self, name: str) -> None:
        """Register a job, again if there is no answer: on a busy machine there may be none in time."""
        while True:
            with suppress(httpx.TransportError):
                self._service.register(name, f"disk-of-{name}")
                return

    def stop(self) -> None:
        """End after the registration that is under way."""
        self._end.set()
        self.join()


def head_of(schema: str) -> int:
    """Return the position that the copy has reached."""
    if postgres.execute("SELECT to_regclass(%s)", f"{schema}.stored_events") == [(None,)]:
        return 0
    return int(postgres.execute("SELECT coalesce(max(notification_id), 0) FROM stored_events", schema=schema)[0][0])


def kill_at(copy: list[str], schema: str, position: int, delay: float) -> None:
    """Start a copy, and kill it at some moment after it has reached a position."""
    process = subprocess.Popen([PROGRAM, *copy], stdout=subprocess.DEVNULL)  # noqa: S603 - our own program
    wait_until(lambda: head_of(schema) >= position or process.poll() is not None, PATIENCE, every=0.01)
    time.sleep(delay)
    process.kill()
    code = process.wait()
    print(f"killed after position {position} and {delay * 1000:.0f} ms (exit {code}): the copy has {head_of(schema)}")


def rebuilt(service: ServiceProcess) -> Rows:
    """Rebuild the read model from the log of these settings, and return all of its rows."""
    began = time.monotonic()
    said = run("rebuild", environment=service.environment).splitlines()[-1]
    print(f"{said} in {time.monotonic() - began:.0f} s")
    engine = open_read_model(service.data_dir / "read_model.sqlite", sqlite3)
    rows = rows_of(engine)
    engine.dispose()
    return rows


@contextmanager
def serving(data_dir: Path, vma: SimulatedVMA, **settings: str) -> Iterator[ServiceProcess]:
    """Run a service for a block."""
    service = ServiceProcess(data_dir, vma.url, **settings)
    service.start(ready=False)
    wait_until(lambda: service.get("/readyz").is_success, PATIENCE, "ready")
    try:
        yield service
    finally:
        service.close()


def copy_while_serving(copy: list[str], data_dir: Path, vma: SimulatedVMA, schema: str, events: int) -> list[str]:
    """Copy under kills while jobs are registered; return the registered ones."""
    chance = random.Random()  # noqa: S311 - not a secret
    with serving(data_dir, vma) as service:
        registering = Registering(vma, service)
        registering.start()
        wait_until(lambda: len(registering.took) >= 50, PATIENCE)  # noqa: PLR2004 - some, to compare with
        before = len(registering.took)
        for n in range(KILLS):
            kill_at(copy, schema, round(events * (n + chance.uniform(0, 0.8)) / KILLS), chance.uniform(0, 0.05))
        reached, began = head_of(schema), time.monotonic()
        print(run(*copy))
        took = time.monotonic() - began
        print(
            f"copied {head_of(schema) - reached} events and verified both in {took:.1f} s, while jobs were registered"
        )
        registering.stop()
        for what, times in (("before", registering.took[:before]), ("meanwhile", registering.took[before:])):
            print(f"a registration {what}: median {sorted(times)[len(times) // 2]:.3f} s, longest {max(times):.3f} s")
        service.terminate()
    return registering.acknowledged


def serve_the_copy(copied: Path, vma: SimulatedVMA, names: list[str], settings: Settings) -> None:
    """Start a service on the copy, and wait until all jobs are there and polled."""
    with serving(copied, vma, **settings) as service:

        def all_polled() -> bool:
            found = {job["job_id"]: job for job in service.jobs(state="replicating")}
            return all(name in found and found[name]["vma_status"] == "running" for name in names)

        wait_until(all_polled, PATIENCE, "all jobs polled", every=1.0)
        jobs: list[dict[str, Any]] = service.jobs()
        print(f"the copy serves {len(jobs)} jobs; all {len(names)} registered ones are replicating and were polled")
        service.terminate()


def main(events: int) -> None:
    """Do all, and print what was seen."""
    with tempfile.TemporaryDirectory() as folder, new_schema() as schema, SimulatedVMA() as vma:
        data_dir, copied = Path(folder, "data"), Path(folder, "copied")
        for made in (data_dir, copied):
            made.mkdir(mode=0o700)
        write_history(data_dir, events)
        print(f"wrote a log of {events} events, {(data_dir / 'events.sqlite').stat().st_size / 1e6:.0f} MB")
        to_postgres = ["copy", "--from", f"sqlite:///{data_dir}/events.sqlite", "--to", postgres.SERVER]
        copy = [*to_postgres, "--to-schema", schema]
        names = copy_while_serving(copy, data_dir, vma, schema, events)
        print(run(*copy))
        print(f"memory of one command: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MB at most")

        there = {"DATABASE_URL": postgres.SERVER, "DATABASE_SCHEMA": schema}
        original, copied_log = ServiceProcess(data_dir, vma.url), ServiceProcess(copied, vma.url, **there)
        seals = [run("verify", environment=service.environment) for service in (original, copied_log)]
        require(seals[0] == seals[1], f"the seals differ: {seals}")
        print(f"both: {seals[0].splitlines()[0]}, {seals[0].splitlines()[1]}")
        by_file, by_schema = rebuilt(original), rebuilt(copied_log)
        require(by_file == by_schema, "the read models differ")
        print(f"equal read models: {', '.join(f'{len(rows)} {table}' for table, rows in by_file.items())}")
        serve_the_copy(copied, vma, names, there)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("events", type=int, nargs="?", default=200_000, help="default: 200,000")
    main(parser.parse_args().events)
