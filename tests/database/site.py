"""A site: a PostgreSQL server, a VMA with jobs, and the real service between them."""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import msgspec
import psycopg

from adapters.simulated_vma import SimulatedVMA
from tests.support.awake import awake
from tests.support.fleet import PRODUCTION, register_fleet, wait_for_all
from tests.support.postgres_cluster import PostgresCluster, new_cluster
from tests.support.postgres_relay import PostgresRelay
from tests.support.service import ServiceProcess, wait_until

ROLE, PASSWORD, SCHEMA = "job_recovery", "p@s%s/#?:ü", "job_recovery"

ANSWER = 6.0
"""Seconds within which a command has an answer: 5, and what a busy machine adds."""

READY = 10.0
"""Seconds after the last restart of the server within which the service is ready."""

POLLED = 20.0
"""Seconds after that within which every job is polled: an interval is 5, and a retry waits for its back-off."""

CLIENT_TIMEOUT = 120.0
"""Seconds that a client waits, so that it is the service that limits them."""

LAST_LINES, LAST_CHARACTERS = 30, 300
"""How much of a service's log a violation is told with: lines, and characters of each."""

SESSIONS = (
    "SELECT application_name, state, wait_event, count(*), max(now() - state_change)::text, min(left(query, 80)) "
    "FROM pg_stat_activity WHERE backend_type = 'client backend' GROUP BY 1, 2, 3"
)

Figures = dict[str, object]
"""What a scenario has seen, by name."""


class Size(msgspec.Struct, frozen=True):
    """How much of it there is. Times in seconds."""

    jobs: int
    seconds: float
    restart_every: float
    locked: float
    recoveries: int
    """How often the service is killed and recovers its jobs."""

    starts: int
    """How many services start at once."""

    slack: float
    """By how much limits are longer beside other tests."""


SHORT = Size(jobs=40, seconds=6.0, restart_every=2.0, locked=6.0, recoveries=1, starts=4, slack=4.0)
LONG = Size(jobs=1000, seconds=120.0, restart_every=5.0, locked=60.0, recoveries=3, starts=8, slack=1.0)


class Site:
    """Its parts, and what a scenario does with them."""

    def __init__(
        self, size: Size, folder: Path, cluster: PostgresCluster, vma: SimulatedVMA, relay: PostgresRelay | None
    ) -> None:
        self.folder, self.cluster, self.vma, self.relay = folder, cluster, vma, relay
        self.slack = size.slack
        self.url = url_at(relay.port if relay else cluster.port)
        self.service = self.new_service()

    @property
    def through(self) -> PostgresRelay:
        """Return the relay by which the service reaches the server."""
        assert self.relay is not None, "this site has none"
        return self.relay

    def new_service(self, **settings: str) -> ServiceProcess:
        """Return a service on a data directory of its own, not started."""
        count = len(list(self.folder.glob("data*.log")))
        where = {"DATABASE_URL": self.url, "DATABASE_SCHEMA": SCHEMA}
        service = ServiceProcess(self.folder / f"data{count}", self.vma.url, **{**PRODUCTION, **where, **settings})
        service.log_file.touch()
        service._http.timeout = CLIENT_TIMEOUT
        return service

    def start_with_jobs(self, count: int) -> list[str]:
        """Start the service, and have it watch so many jobs; return their names."""
        self.service.start()
        return self.watch(count)

    def watch(self, count: int) -> list[str]:
        """Have the service watch so many jobs; return their names."""
        names = [f"job-{n:05}" for n in range(count)]
        for name in names:
            self.run_on_vma(name)
        register_fleet(self.service, names)
        wait_for_all(self.service, 120, vma_status="running")
        return names

    def run_on_vma(self, name: str) -> None:
        """Have the VMA copy a job's disk for a day."""
        self.vma.world.add_job(name, [f"disk-{name}"], duration=86_400, progress=20)

    def register(self, name: str) -> str:
        """Register a job, and return its name."""
        self.run_on_vma(name)
        self.service.register(name, f"disk-{name}", vm_name=name)
        return name

    def answer_to_registration(self, name: str) -> tuple[httpx.Response, float]:
        """Register a job; return the answer, and after how many seconds it came."""
        began = awake()
        body = {"job_id": name, "vm_name": name, "volume_ids": [f"disk-{name}"]}
        return self.service.post("/api/v1/jobs", body), awake() - began

    def refusal(self, name: str) -> tuple[str, float]:
        """Return the reason for which a registration is refused now, and after how many seconds it came."""
        answer, seconds = self.answer_to_registration(name)
        assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE, answer.text
        assert seconds < ANSWER, f"a command was answered after {seconds:.1f} s"
        return str(answer.json()["detail"]), seconds

    def unready(self) -> str:
        """Wait until the service is not ready, and return the reasons."""

        def reasons() -> str:
            answer = self.service.get("/readyz")
            return "" if answer.is_success else " ".join(answer.json()["why"])

        return wait_until(reasons, what="unready")

    def wait_until_ready(self) -> float:
        """Wait until the service is ready; return the seconds."""
        began = awake()
        wait_until(lambda: is_ready(self.service), READY * self.slack, "ready again")
        return awake() - began

    def wait_until_polled(self) -> float:
        """Wait until every open job is polled once more; return the seconds."""
        began, since = awake(), datetime.now(UTC)
        unpolled: list[str] = []

        def all_are() -> bool:
            unpolled[:] = [_told(job) for job in self.service.jobs() if not _polled_since(job, since)]
            return not unpolled

        try:
            wait_until(all_are, POLLED * self.slack, every=0.5)
        except AssertionError as late:
            raise AssertionError(f"{late}: {len(unpolled)} jobs are not polled, {unpolled[:5]}") from None
        return awake() - began

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows of a query, with `{}` for the schema."""
        return self.cluster.execute(query.format(SCHEMA), *values)

    def registered(self) -> list[str]:
        """Return the names of all jobs that are stored."""
        return [
            name for (name,) in self.rows("SELECT originator_id FROM {}.stored_events WHERE topic = 'JobRegistered'")
        ]

    def told(self) -> str:
        """Return all that the service has written into logs and files, and says of itself."""
        paths = ("/readyz", "/health", "/metrics", "/api/v1/settings", "/api/v1/audit", "/api/v1/polling")
        said = [self.service.get(path).text for path in paths]
        files = [file for file in self.folder.rglob("*") if file.is_file() and "cluster" not in file.parts]
        return "\n".join(said + [file.read_bytes().decode("utf-8", "replace") for file in files])

    def last_words(self) -> str:
        """Return what the service logged last, and whom the server has at its connections."""
        lines = self.service.log_file.read_text(encoding="utf-8").splitlines()[-LAST_LINES:]
        logged = [line[:LAST_CHARACTERS] for line in lines]
        sessions = ["none can be read"]
        with suppress(psycopg.Error):
            sessions = [str(row) for row in self.cluster.execute(SESSIONS)]
        return "\n".join(["the service's last lines:", *logged, "the server's sessions:", *sessions])


def url_at(port: int, password: str = PASSWORD) -> str:
    """Return the URL of the service's role at a port of this machine."""
    return f"postgresql://{ROLE}:{quote(password, safe='')}@127.0.0.1:{port}/postgres"


@contextmanager
def new_site(size: Size, *, relayed: bool = False, **settings: str) -> Iterator[Site]:
    """Build a site for a block, with or without a relay before the server; `settings` are the server's."""
    with (
        new_cluster(**settings) as cluster,
        SimulatedVMA(latency=0.02) as vma,
        tempfile.TemporaryDirectory(prefix="job-recovery-site-") as folder,
    ):
        cluster.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'")
        cluster.execute(f"GRANT CREATE ON DATABASE postgres TO {ROLE}")
        relay = PostgresRelay(cluster.port) if relayed else None
        site = Site(size, Path(folder), cluster, vma, relay)
        try:
            yield site
        except AssertionError as violated:
            violated.add_note(site.last_words())
            raise
        finally:
            site.service.close()
            if relay is not None:
                relay.close()


def is_ready(service: ServiceProcess) -> bool:
    """Return whether the service is ready; one that does not answer is not."""
    try:
        return service.get("/readyz").is_success
    except httpx.TransportError:
        return False


def repeat(work: Callable[[], None], every: float, seconds: float) -> int:
    """Do something every so many seconds, for a time; return how often it was done."""
    end, count = awake() + seconds, 0
    while awake() < end:
        time.sleep(every)
        work()
        count += 1
    return count


def _told(job: dict[str, Any]) -> str:
    return f"{job['job_id']} ({job['state']}, {job['live']})"


def _polled_since(job: dict[str, Any], since: datetime) -> bool:
    if job["state"] in {"completed", "failed"}:
        return True
    live = job["live"]
    return live is not None and live["polled_at"] is not None and datetime.fromisoformat(live["polled_at"]) > since
