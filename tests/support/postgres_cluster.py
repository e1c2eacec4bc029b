"""A PostgreSQL server of a test's own, which it may end and start again at any moment.

    python -m tests.support.postgres_cluster COMMAND...

runs a command with `JOB_RECOVERY_TEST_POSTGRES` set to such a server.
"""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg

from adapters.simulated_vma import HeldPort
from tests.support.postgres import VARIABLE
from tests.support.service import wait_until

SUPERUSER = "postgres"
ACCESS = f"host all {SUPERUSER} 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
"""The superuser needs no password, and every other role does, so that a password is really used."""

NOBODY = pwd.getpwnam("nobody")
AS_USER: Mapping[str, Any] = (
    {"user": NOBODY.pw_uid, "group": NOBODY.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
)
"""The server does not run as root."""

FOR_TESTS = {"max_connections": "400", "fsync": "off"}
"""Many tests at once; and what a crash of the machine would lose, a crash of the server does not."""


class PostgresCluster:
    """One server, on a folder of its own."""

    def __init__(self, folder: Path, port: int, **settings: str) -> None:
        """Make the files of the server; `settings` are those of postgresql.conf."""
        self._folder = folder / "cluster"
        self.port = port
        if AS_USER:
            os.chown(folder, NOBODY.pw_uid, NOBODY.pw_gid)
        line = [program("initdb"), "-D", str(self._folder), "-U", SUPERUSER, "-E", "UTF8", "--locale=C", "--no-sync"]
        subprocess.run(line, check=True, capture_output=True, cwd=folder, **AS_USER)  # noqa: S603 - PostgreSQL's own
        (self._folder / "pg_hba.conf").write_text(ACCESS)
        own = {"port": str(self.port), "listen_addresses": "127.0.0.1", "unix_socket_directories": "", **settings}
        with (self._folder / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in own.items())
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return the URL of the superuser."""
        return self.url_at(self.port)

    def url_at(self, port: int, address: str = "127.0.0.1") -> str:
        """Return the URL of the superuser at another port, such as that of a relay, or at another address."""
        return f"postgresql://{SUPERUSER}@{address}:{port}/postgres"

    def admit(self, network: str) -> None:
        """Let the superuser in from another network, too, without a password."""
        assert self._process is not None
        with (self._folder / "pg_hba.conf").open("a") as file:
            file.write(f"host all {SUPERUSER} {network} trust\n")
        self._process.send_signal(signal.SIGHUP)

    @property
    def pid(self) -> int:
        """Return the id of the server's main process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start the server; return when it accepts connections."""
        with (self._folder.parent / "cluster.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - PostgreSQL's own
                [program("postgres"), "-D", str(self._folder)], stdout=log, stderr=log, cwd=self._folder, **AS_USER
            )
        wait_until(self._answers, what="PostgreSQL answers")

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """Stop the server: SIGQUIT is `pg_ctl stop -m immediate`, SIGINT is `-m fast`."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(60)
            self._process = None

    def restart(self) -> None:
        """Restart the server without a shutdown of its own, like `pg_ctl restart -m immediate`."""
        self.stop()
        self.start()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Have all processes of the server stand still for a block, without an end of any connection."""
        group = [self.pid, *children(self.pid)]
        for process in group:
            os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in reversed(group):
                os.kill(process, signal.SIGCONT)

    def execute(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Execute a statement as the superuser, and return its rows."""
        with psycopg.connect(self.url, autocommit=True, connect_timeout=10) as session:
            cursor = session.execute(statement.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._folder.parent / "cluster.log").read_text()[-2000:]
        with suppress(psycopg.Error):
            psycopg.connect(self.url, connect_timeout=5).close()
            return True
        return False


def children(process: int) -> list[int]:
    """Return the ids of the children of a process."""
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


@contextmanager
def new_cluster(**settings: str) -> Iterator[PostgresCluster]:
    """Run a server for a block; nothing of it stays."""
    with tempfile.TemporaryDirectory(prefix="job-recovery-", ignore_cleanup_errors=True) as folder, HeldPort() as port:
        cluster = PostgresCluster(Path(folder), port.number, **settings)
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.stop()


def program(name: str) -> str:
    """Return the path of a program of PostgreSQL. Debian has those of a server in a folder for each version."""
    found = shutil.which(name) or max(map(str, Path("/usr/lib/postgresql").glob(f"*/bin/{name}")), default=None)
    assert found is not None, f"PostgreSQL's {name} is not installed: scripts/need-postgres"
    return found


def main(command: list[str]) -> int:
    """Run a command with a server for its tests; return its exit code."""
    with new_cluster(**FOR_TESTS) as cluster:
        environment = {**os.environ, VARIABLE: cluster.url}
        return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603 - the caller's own


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
