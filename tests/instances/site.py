"""A site with several instances of the service on one log, and what is done to them."""

import json
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from adapters.event_log.postgres_store import database_of
from adapters.event_log.postgres_tokens import PostgresTokens
from adapters.tokens import Scope
from tests.instances.clock_ahead import InstanceAhead
from tests.instances.recording_vma import RecordingVMA
from tests.support.postgres_cluster import new_cluster
from tests.support.postgres_relay import PostgresRelay
from tests.support.service import ServiceProcess, wait_until

SCHEMA = "job_recovery"
LOOPBACK = "127.0.0.1"

LAST_CHARACTERS = 3000
"""How much is shown of the log of an instance that has ended."""

LONG_ENOUGH = 120.0
"""Seconds within which all jobs are polled again, also on a slow machine."""


class Site:
    """The instances, their VMAs, and the jobs, which all run."""

    here = LOOPBACK
    """The address of this machine at which all of it listens."""

    def __init__(self, instances: int, vmas: int, jobs: int, *, ahead: bool = False) -> None:
        """Start so many instances. The first one reaches the database through the relay; the last one may be ahead."""
        self._ended = ExitStack()
        self._folder = Path(self._ended.enter_context(tempfile.TemporaryDirectory()))
        self.vma = self._ended.enter_context(RecordingVMA(self.here))
        self.cluster = self._ended.enter_context(new_cluster(listen_addresses=",".join({LOOPBACK, self.here})))
        self.relay = self._ended.enter_context(closing(PostgresRelay(self.cluster.port)))
        with closing(PostgresTokens(database_of(self.cluster.url, SCHEMA))) as tokens:
            self.token = tokens.create("tests", Scope.ADMIN, datetime.now(UTC))
        self.vmas = ["default", *(f"vma-{n}" for n in range(1, vmas))]
        self.names = [f"job-{n:05}" for n in range(jobs)]
        self._settings = {
            "DATABASE_URL": self.cluster.url,
            "DATABASE_SCHEMA": SCHEMA,
            "VMAS": json.dumps(dict.fromkeys(self.vmas[1:], self.vma.url)),
            "POLL_INTERVAL": "5",
            "PROBE_TIMEOUT": "10",
            "CONFIRMATION_WINDOW": "15",
            "HOST": self.here,
        }
        kinds = [*[ServiceProcess] * (instances - 2), InstanceAhead if ahead else ServiceProcess][: instances - 1]
        others = (self.new_instance(kind, number) for number, kind in enumerate(kinds, 1))
        self.instances = [self.new_first(), *others]
        for instance in self.instances:
            instance.connect()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.close()

    def register(self) -> None:
        """Register all jobs, by every instance, and wait until each is polled."""

        def register(number: int) -> None:
            job, instance = self.names[number], self.instances[number % len(self.instances)]
            body = self.registration(job, number)
            # On a busy machine one may take longer than its client waits, who then repeats it.
            wait_until(lambda: instance.post("/api/v1/jobs", body).is_success, what=f"{job} is registered")

        with ThreadPoolExecutor(8) as clients:
            list(clients.map(register, range(len(self.names))))
        self.settle()

    def registration(self, job: str, number: int) -> dict[str, Any]:
        """Return the registration of a job, on each VMA in turn."""
        return {
            "job_id": job,
            "vm_name": job,
            "volume_ids": [f"disk-of-{job}"],
            "vma": self.vmas[number % len(self.vmas)],
        }

    def settle(self) -> None:
        """Wait until the shares are even, and every job is polled by one instance."""
        wait_until(self._is_settled, LONG_ENOUGH, "even shares, and each job polled", every=0.5)

    def _is_settled(self) -> bool:
        for instance in self.instances:
            assert instance.process.poll() is None, instance.log_file.read_text()[-LAST_CHARACTERS:]
        polled = sum(self.polling(instance)["active_jobs"] for instance in self.instances)
        counts = [len(one["vmas"]) for one in self.shares(self.instances[0])]
        return (
            len(counts) == len(self.instances)
            and sum(counts) == len(self.vmas) + 1
            and max(counts) - min(counts) <= 1
            and polled == len(self.names)
        )

    def shares(self, instance: ServiceProcess) -> list[dict[str, Any]]:
        """Return the instances as one of them shows them; none, if it has just started and knows none yet."""
        items: list[dict[str, Any]] = instance.get("/api/v1/instances").json().get("items", [])
        return items

    def polling(self, instance: ServiceProcess) -> dict[str, Any]:
        found: dict[str, Any] = instance.get("/api/v1/polling").json()
        return found

    def unpolled(self) -> float:
        """Return the longest time that one of the jobs was not asked about since the last call."""
        gaps = self.vma.gaps()
        of_jobs = [gaps[f"migration-vol-disk-of-{name}"] for name in self.names]
        return max(of_jobs)

    def new_first(self) -> ServiceProcess:
        """Start the instance that can be cut off."""
        return self.new_instance(ServiceProcess, 0, DATABASE_URL=self.cluster.url_at(self.relay.port))

    def new_instance(self, kind: type[ServiceProcess], number: int, **settings: str) -> ServiceProcess:
        """Start an instance. All have the same tokens."""
        instance = kind(self._folder / f"instance-{number}", self.vma.url, **{**self._settings, **settings})
        instance.authorize(self.token)
        self._ended.callback(instance.close)
        instance.begin()
        return instance
