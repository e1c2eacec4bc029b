"""Runs the failover, and prints what the service says and does: `scripts/reliability/failover`.

The replica is cut off before the last registrations (`synchronous_commit` is local, as a site has it that does not wait
for replicas). The primary is killed, the replica promoted, and the service, which names both, goes on there.
"""

import argparse
import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path

import httpx
import psycopg

from adapters.simulated_vma import HeldPort, SimulatedVMA
from tests.support.service import ServiceProcess, wait_until

KEPT, LOST = 5, 20
PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
QUIET = {"POLL_INTERVAL": "3600", "LOG_FORMAT": "json"}


class Server:
    """One PostgreSQL server in a directory. As root, it runs as the user `postgres`, as it must."""

    def __init__(self, directory: Path, port: int) -> None:
        self.directory = directory
        self.port = port

    def run(self, program: str, *arguments: str) -> None:
        user = "postgres" if os.geteuid() == 0 else None
        path = shutil.which(program) or str(PROGRAMS[-1].with_name(program))
        done = subprocess.run(  # noqa: S603 - PostgreSQL's own programs
            [path, *arguments], user=user, cwd=self.directory.parent, check=False, capture_output=True, text=True
        )
        if done.returncode:
            raise SystemExit(f"{program} failed: {done.stdout}{done.stderr}")

    def create(self) -> None:
        self.run("initdb", "--pgdata", str(self.directory), "--auth=trust", "--username=postgres", "--no-sync")

    def follow(self, primary: "Server") -> None:
        source = f"host=127.0.0.1 port={primary.port} user=postgres"
        self.run("pg_basebackup", "--pgdata", str(self.directory), "--write-recovery-conf", "--dbname", source)

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.directory}"
        log = str(self.directory / "log")
        self.run("pg_ctl", "start", "--wait", "--pgdata", str(self.directory), "--log", log, "--options", options)

    def stop(self, mode: str) -> None:
        self.run("pg_ctl", "stop", "--wait", "--mode", mode, "--pgdata", str(self.directory))

    def end(self) -> None:
        """Stop it, if it still runs."""
        if (self.directory / "postmaster.pid").exists():
            self.stop("immediate")

    def promote(self) -> None:
        self.run("pg_ctl", "promote", "--wait", "--pgdata", str(self.directory))

    def ask(self, query: str) -> object:
        address = f"host=127.0.0.1 port={self.port} user=postgres dbname=postgres"
        with psycopg.connect(address, autocommit=True) as session:
            row = session.execute(query.encode()).fetchone()
        return row[0] if row else None


def check(what: str, *, holds: bool) -> None:
    print(f"{'ok  ' if holds else 'NOT '} {what}")
    if not holds:
        raise SystemExit(1)


def events_from(service: ServiceProcess, last: str) -> tuple[str, str]:
    """Return name and data of the first event of a stream that is resumed."""
    url = f"{service.url}/api/v1/events/stream"
    found: dict[str, str] = {}
    with httpx.stream("GET", url, headers={"Last-Event-ID": last}, timeout=30, trust_env=False) as stream:
        for line in stream.iter_lines():
            name, _, value = line.partition(": ")
            if name in {"event", "data", "id"}:
                found[name] = value
            if not line and "data" in found:
                break
    return found["event"], found["data"]


def last_id(service: ServiceProcess, events: int) -> str:
    """Return the id of the last event of a log with so many."""
    url = f"{service.url}/api/v1/events/stream"
    ids: list[str] = []
    with httpx.stream("GET", url, params={"after": "0"}, timeout=30, trust_env=False) as stream:
        for line in stream.iter_lines():
            name, _, value = line.partition(": ")
            if name == "id":
                ids.append(value)
            if len(ids) == events:
                break
    return ids[-1]


def decide(service: ServiceProcess, job: str, tag: str) -> int:
    order = {"outcome": "fail", "who": "mara", "why": "seen before the failover"}
    url = f"{service.url}/api/v1/jobs/{job}/decision"
    return httpx.post(url, json=order, headers={"If-Match": tag}, timeout=30, trust_env=False).status_code


def read_only(service: ServiceProcess) -> str | None:
    """Return why the service is not ready, once it has found only a read-only server."""
    why = " ".join(service.get("/readyz").json()["why"])
    return why if "read-only" in why else None


def fail_over(primary: Server, replica: Server, service: ServiceProcess) -> None:
    kept, lost = ([f"{kind}-{n:02}" for n in range(count)] for kind, count in (("kept", KEPT), ("lost", LOST)))
    for job in kept:
        service.register(job, f"disk-of-{job}")
    head = len(service.pages("/api/v1/audit"))
    reached = primary.ask("SELECT pg_current_wal_lsn()")
    caught_up = f"SELECT pg_last_wal_replay_lsn() >= '{reached}'::pg_lsn"
    wait_until(lambda: replica.ask(caught_up), what="the replica has everything so far")
    replica.stop("fast")
    for job in lost:
        service.register(job, f"disk-of-{job}")
    acknowledged = len(service.pages("/api/v1/audit"))
    tag, seen = service.get("/api/v1/jobs/lost-00").headers["ETag"], last_id(service, acknowledged)
    print(
        f"{acknowledged} events acknowledged, {acknowledged - head} of them ({LOST} registrations) only on the primary"
    )

    primary.stop("immediate")
    replica.start()
    refused = wait_until(lambda: read_only(service), what="/readyz says that the server is read-only")
    print(f"/readyz while there is only a replica: {refused}")
    replica.promote()
    code = service.process.wait(60)
    output = service.log_file.read_text()
    print(f"the service ended with exit code {code}, and systemd starts it again: {output.splitlines()[-1]}")
    where = f"from position {head + 1} to {acknowledged}, are"
    check("it says how many events are lost, and from which position", holds=where in output)

    service.start()
    (told,) = service.logged("read_model_of_another_log")
    print(f"at its start: {told}")
    check(
        "the start says the same", holds=(told["lost_events"], told["from_position"]) == (acknowledged - head, head + 1)
    )
    check("the read model shows none of the lost", holds=[job["job_id"] for job in service.jobs()] == kept)
    name, data = events_from(service, seen)
    check(f"a stream client gets a reset: {data}", holds=name == "reset")
    for job in lost:
        service.register(job, f"disk-of-{job}")
    check(f"the {LOST} jobs are registered again", holds=len(service.jobs()) == KEPT + LOST)
    name, data = events_from(service, seen)
    check("also now that other events have taken the positions, a stream client gets a reset", holds=name == "reset")
    check("an old ETag of the same version is refused (412)", holds=decide(service, "lost-00", tag) == 412)
    fresh = service.get("/api/v1/jobs/lost-00").headers["ETag"]
    check("the present ETag is accepted", holds=decide(service, "lost-00", fresh) == 200)


def main() -> None:
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="job-recovery-failover-")))
        servers = place / "servers"
        servers.mkdir()
        if os.geteuid() == 0:
            place.chmod(0o755)
            os.chown(servers, pwd.getpwnam("postgres").pw_uid, -1)
        ports = [stack.enter_context(HeldPort()).number for _ in range(2)]
        primary, replica = Server(servers / "primary", ports[0]), Server(servers / "replica", ports[1])
        for server in (primary, replica):
            stack.callback(server.end)
        primary.create()
        primary.start()
        replica.follow(primary)
        replica.start()
        vma = stack.enter_context(SimulatedVMA())
        url = f"host=127.0.0.1,127.0.0.1 port={ports[0]},{ports[1]} user=postgres dbname=postgres"
        service = ServiceProcess(place / "data", vma.url, DATABASE_URL=url, **QUIET)
        stack.callback(service.close)
        service.start()
        fail_over(primary, replica, service)


if __name__ == "__main__":
    argparse.ArgumentParser("scripts/reliability/failover", description=__doc__).parse_args()
    main()
