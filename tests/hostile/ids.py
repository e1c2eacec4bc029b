"""Random registrations, decisions and reports, with ids from all that exist.

Run by `scripts/reliability/fuzz-ids`, and with fewer calls by the tests. After every thousand calls the service is
stopped, its read model is rebuilt, and it starts again.
"""

import argparse
import asyncio
import contextlib
import random
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from sqlalchemy import select

from adapters.simulated_vma import SimulatedVMA
from api.http.app import create_app
from api.runtime.bootstrap import Service, build
from api.runtime.running import run
from api.runtime.settings import Settings
from domain.replication_job import ReplicationJob
from projections.read_model import schema
from projections.read_model.model_file import request_rebuild
from tests.support.harness import RecordingLog
from tests.support.logs import settings_of

CONCURRENT = 8
CALL_TIMEOUT = 30.0
"""Seconds within which a call must be answered."""

CALLS_PER_LOG = 10_000
"""Calls per data directory: every restart probes all open jobs, and every rebuild reads the whole log."""

START_TIMEOUT = 300.0
"""Seconds within which the service must be ready after a rebuild."""

PREFIXES = ("", "vm-context:", "vm-context:vm-context:", "run-", "ctx-", "job-", "migration-vol-")
FIXED = (
    "vm-context:",
    "run-20261126-120000-0a1b2c",
    "RUN-20261126-120000-0A1B2C",
    "local",
    "job-recovery",
    "default",
    "compare",
    "what-if",
    "stream",
    "a b",
    "größe",
    "%2e%2e",
    "#",
    "?",
)

SLOW = "the command has not finished within"
"""Part of the refusal of a command that goes on: the machine is busy, and no id is to blame."""


class Fuzz:
    """A client that mixes up ids, and the errors that it found."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.ids: list[str] = list(FIXED)
        self.statuses: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._made = 0

    def pick(self) -> str:
        """Return an existing id, one with a prefix that has a meaning, or a new one."""
        if self.chance.random() < 0.15:
            self._made += 1
            return f"{self.chance.choice(PREFIXES)}{self._made}"
        known = self.chance.choice(self.ids[-200:] if self.chance.random() < 0.7 else self.ids)
        return self.chance.choice(PREFIXES) + known if self.chance.random() < 0.2 else known

    async def call(self, api: httpx.AsyncClient) -> None:
        """Make one call, and record an invalid response."""
        kind, path, body = self._next()
        try:
            async with asyncio.timeout(CALL_TIMEOUT):
                answer = await api.post(path, json=body)
        except TimeoutError:
            self.wrong.append(f"{kind} {path} {body} hangs")
            return
        self.statuses[f"{kind} {answer.status_code}"] += 1
        if answer.status_code >= 500 and SLOW not in answer.text:
            self.wrong.append(f"{kind} {path} {body}: {answer.status_code} {answer.text[:300]}")
        self.ids += self._named(kind, answer, body)

    def _next(self) -> tuple[str, str, dict[str, Any]]:
        match self.chance.choices(["register", "decide", "report", "recover"], [45, 35, 19, 1])[0]:
            case "register":
                context = {"vm_context_id": self.pick()} if self.chance.random() < 0.7 else {}
                volumes = [self.pick() for _ in range(self.chance.choice([1, 1, 2]))]
                return "register", "/jobs", {"job_id": self.pick(), "vm_name": "vm", "volume_ids": volumes, **context}
            case "decide":
                outcome = self.chance.choice(["complete", "fail"])
                who = self.chance.choice(["mara", "mara", self.pick()])
                path = f"/jobs/{quote(self.pick(), safe='')}/decision"
                return "decide", path, {"outcome": outcome, "who": who, "why": "fuzz"}
            case "report":
                status = self.chance.choice(["in_progress", "completed", "failed"])
                return "report", f"/telemetry/replication/{quote(self.pick(), safe='')}", {"status": status}
            case _:
                return "recover", "/recovery-runs", {"dry_run": self.chance.random() < 0.3}

    def _named(self, kind: str, answer: httpx.Response, body: dict[str, Any]) -> list[str]:
        if kind == "recover" and answer.is_success:
            return [answer.json()["run_id"]]
        if kind == "register" and answer.is_success:
            context = answer.json()["vm_context_id"]
            return [body["job_id"], context, f"vm-context:{context}", *body["volume_ids"]]
        return []


async def play(seed: int, calls: int, folder: Path, restart_every: int = 1000) -> Fuzz:
    """Make calls, with rebuilds and restarts in between; return the client with its errors."""
    fuzz = Fuzz(seed)
    with SimulatedVMA() as vma:
        for begin in range(0, calls, restart_every):
            async with _serving(vma, folder) as (service, api):
                for _ in range(begin, min(calls, begin + restart_every), CONCURRENT):
                    await asyncio.gather(*(fuzz.call(api) for _ in range(CONCURRENT)))
                fuzz.wrong += [f"after {begin}: {one}" for one in await _broken(service, api)]
                before = _jobs(service)
                request_rebuild(service.model.writer)
            async with _serving(vma, folder) as (service, api):
                after = _jobs(service)
                fuzz.wrong += [f"{j} is not the same after a rebuild" for j in before if before[j] != after.get(j)]
            if fuzz.wrong:
                break
    return fuzz


@contextlib.asynccontextmanager
async def _serving(vma: SimulatedVMA, folder: Path) -> AsyncIterator[tuple[Service, httpx.AsyncClient]]:
    settings = Settings(
        data_dir=folder / "data",
        **settings_of(folder / "data"),  # type: ignore[arg-type] # by name
        vma_url=vma.url,
        poll_interval=30.0,
        confirmation_window=0.2,
        retry_backoff_initial=20.0,
        sqlite_synchronous="NORMAL",
        rate_limit=0,
    )
    service = build(settings, RecordingLog())
    await service.projector.reset_if_outdated()
    running = asyncio.ensure_future(run(service))
    transport = httpx.ASGITransport(create_app(service), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost/api/v1", timeout=60) as api:
        async with asyncio.timeout(START_TIMEOUT):
            while (await api.get("http://localhost/readyz")).status_code != httpx.codes.OK:
                if running.done():
                    await running
                await asyncio.sleep(0.01)
        yield service, api
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await service.close()


async def _broken(service: Service, api: httpx.AsyncClient) -> list[str]:
    """Return violations of the invariants of a log."""
    wrong: list[str] = list((await api.get("http://localhost/readyz")).json()["degraded"])
    await service.projector.reached(service.event_log.position, CALL_TIMEOUT)
    with service.model.readers.connect() as connection:
        ids = list(connection.scalars(select(schema.jobs.c.id)))
    jobs = await service.event_log.load_many(ReplicationJob, ids)
    contexts = Counter(job.vm_context_id for job in jobs.values() if job.is_open)
    volumes = Counter(volume for job in jobs.values() if job.is_open for volume in job.volume_ids)
    wrong += [f"context {name} has {n} open jobs" for name, n in contexts.items() if n > 1]
    wrong += [f"volume {name} has {n} open jobs" for name, n in volumes.items() if n > 1]
    wrong += [f"{job_id} is no job" for job_id in ids if job_id not in jobs or not jobs[job_id].vm_name]
    return wrong


def _jobs(service: Service) -> dict[str, str]:
    """Return the VM context of each job in the read model."""
    with service.model.readers.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(select(schema.jobs.c.id, schema.jobs.c.vm_context_id))}


def main() -> int:
    """Run the fuzzer from the command line."""
    parser = argparse.ArgumentParser(description="Mix up the ids of jobs, runs, contexts and volumes.")
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    arguments = parser.parse_args()
    wrong = 0
    for first in range(0, arguments.calls, CALLS_PER_LOG):
        seed, calls = arguments.seed + first, min(CALLS_PER_LOG, arguments.calls - first)
        with tempfile.TemporaryDirectory() as folder:
            fuzz = asyncio.run(play(seed, calls, Path(folder)))
        counts = " ".join(f"{what} {n}," for what, n in sorted(fuzz.statuses.items()))
        sys.stdout.write("\n".join([f"seed {seed}, {calls} calls: {counts} {len(fuzz.wrong)} wrong", *fuzz.wrong, ""]))
        sys.stdout.flush()
        wrong += len(fuzz.wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
