"""A log is a good neighbour in a site's database: it depends on no default, and disturbs nobody."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import psycopg
import pytest
from psycopg import Cursor
from psycopg.rows import DictRow

from adapters.event_log.database_errors import EventLogInUse
from adapters.event_log.postgres_lock import HOLDER, acquire
from adapters.event_log.postgres_schema import MIGRATIONS, lock_key
from adapters.event_log.postgres_session import SETTINGS, Session
from adapters.event_log.postgres_store import database_of
from adapters.simulated_vma import HeldPort
from domain.errors import StorageUnavailable
from tests.adapters.event_log.opening import open_once
from tests.adapters.event_log.places import PostgresPlace, registered, verify
from tests.support import postgres as server
from tests.support.harness import RecordingLog
from tests.support.missing import miss
from tests.support.process import run_together
from tests.support.service import wait_until

DEFAULTS = {
    "statement_timeout": "20000",
    "lock_timeout": "20000",
    "idle_session_timeout": "20000",
    "idle_in_transaction_session_timeout": "1",
    "timezone": "Asia/Kathmandu",
    "search_path": "pg_catalog",
    "default_transaction_isolation": "serializable",
    "synchronous_commit": "off",
    "bytea_output": "escape",
    "datestyle": "German",
}
"""What the defaults of a role or of a database may be."""


@pytest.fixture
def role(postgres: PostgresPlace) -> Iterator[str]:
    """Return a role with odd defaults that may create schemas."""
    with server.new_role(f"{postgres.schema}_role", DEFAULTS) as name:
        yield name


@contextmanager
def alone(place: PostgresPlace, name: str) -> Iterator[None]:
    """Have the log for itself, as a copy of it does."""
    ((installation,),) = place.execute("SELECT id FROM installation")
    with psycopg.connect(server.SERVER, autocommit=True, application_name=name) as session:
        session.execute("SELECT pg_advisory_lock(%s)", [lock_key("writer", place.schema, installation)])
        yield


def settings_of(session: psycopg.Connection[Any]) -> dict[str, str]:
    rows = session.execute(
        "SELECT name, current_setting(name) FROM unnest(%s::text[]) AS name", [list(DEFAULTS)]
    ).fetchall()
    return {row["name"]: row["current_setting"] for row in rows}


def test_every_setting_of_a_session_is_one_of_the_server(postgres: PostgresPlace) -> None:
    known = {name for (name,) in server.execute("SELECT name FROM pg_settings")}
    newer = {"transaction_timeout"}

    assert SETTINGS.keys() - newer <= known


async def test_the_defaults_of_a_role_change_nothing(postgres: PostgresPlace, role: str) -> None:
    place = PostgresPlace(postgres.schema, server.url_to(server.port(), user=role, password=role))
    with closing(place.open()) as log:
        storage: Any = log._storage
        await log.append(registered("job-1"))
        writer = settings_of(storage.writer._datastore.session)
        with storage._readers.get_connection() as session:
            reader = settings_of(session)

    assert verify(place).events == 1
    assert writer == {
        "statement_timeout": "2400ms",
        "lock_timeout": "2s",
        "idle_session_timeout": "0",
        "idle_in_transaction_session_timeout": "5s",
        "timezone": "UTC",
        "search_path": postgres.schema,
        "default_transaction_isolation": "read committed",
        "synchronous_commit": "on",
        "bytea_output": "hex",
        "datestyle": "ISO, DMY",
    }
    assert reader == {**writer, "statement_timeout": "3s", "lock_timeout": "2s"}


async def test_an_instance_has_three_sessions_that_name_it(postgres: PostgresPlace) -> None:
    named = (
        "SELECT split_part(application_name, ' ', 2) FROM pg_stat_activity WHERE application_name LIKE %s ORDER BY 1"
    )
    own = f"job-recovery %:{os.getpid()}"
    with closing(postgres.open()) as log:
        await log.append(registered("job-1"))
        await log.head()
        # The pool opens its second session after the first was asked for, and each is checked by one that ends at once.
        wait_until(lambda: server.execute(named, own) == [("reader",), ("reader",), ("writer",)])

    wait_until(lambda: not server.execute(named, own))


async def test_two_installations_in_two_schemas_do_not_meet(postgres: PostgresPlace) -> None:
    with server.new_schema() as name:
        other = PostgresPlace(name)
        with closing(postgres.open()) as here, closing(other.open()) as there:
            assert [await log.append(registered("job-1")) for log in (here, there)] == [1, 1]
            assert await here.append(registered("job-2")) == 2
            assert await there.head() == 1

        assert postgres.execute("SELECT id FROM installation") != other.execute("SELECT id FROM installation")
        assert (verify(postgres).events, verify(other).events) == (2, 1)


async def test_a_strangers_lock_is_not_taken_for_the_logs(postgres: PostgresPlace) -> None:
    postgres.open().close()
    with psycopg.connect(server.SERVER) as stranger:
        for key in (0, 1, lock_key("writer", postgres.schema), lock_key("writer", "other")):
            stranger.execute("SELECT pg_advisory_lock(%s)", [key])

        with closing(postgres.open()) as log:
            assert await log.append(registered("job-1")) == 1


def test_a_process_beside_one_that_has_the_log_for_itself_is_refused_with_its_name(postgres: PostgresPlace) -> None:
    postgres.open().close()
    with alone(postgres, "job-recovery copy"):
        with pytest.raises(EventLogInUse) as refused:
            postgres.open(patience=0)
        assert "is in use by job-recovery copy (PostgreSQL process " in str(refused.value)

    with closing(postgres.open()), closing(postgres.open()):
        pass


def test_a_lock_that_is_released_before_its_holder_is_read_is_taken(postgres: PostgresPlace) -> None:
    first = postgres.open()
    ((installation,),) = postgres.execute("SELECT id FROM installation")
    released = False

    class SessionThatLoses(Session):
        """The other process releases the lock between the attempt to take it and the question who has it."""

        def execute(self, query: Any, *arguments: Any, **options: Any) -> Cursor[DictRow]:
            nonlocal released
            if query == HOLDER and not released:
                first.close()
                wait_until(lambda: super(SessionThatLoses, self).execute(query, *arguments).fetchone() is None)
                released = True
            return super().execute(query, *arguments, **options)

    database = database_of(postgres.url, postgres.schema)
    with SessionThatLoses.connect(**database.arguments("writer")) as session:
        acquire(session, lock_key("writer", postgres.schema, installation), database.place, deadline=monotonic())

        assert released
        with pytest.raises(EventLogInUse):
            postgres.open(patience=0)


def test_a_start_waits_for_the_process_that_has_the_log_for_itself_and_says_so(postgres: PostgresPlace) -> None:
    logger = RecordingLog()
    postgres.open().close()
    with ExitStack() as first:
        first.enter_context(alone(postgres, "job-recovery copy"))

        class ClosingLog(RecordingLog):
            """Ends the other process as soon as it is waited for."""

            def warning(self, event: str, /, **fields: object) -> None:
                logger.warning(event, **fields)
                first.close()

        postgres.open(ClosingLog(), patience=60).close()

    assert logger.events == ["event_log_waited_for"]


def test_eight_processes_that_start_at_once_create_one_schema(postgres: PostgresPlace) -> None:
    results = run_together(open_once, [(postgres.url, postgres.schema)] * 8)

    assert set(results) <= {"open", "in use"}
    assert "open" in results
    assert len(postgres.execute("SELECT id FROM installation")) == 1
    assert verify(postgres).broken_at is None


def test_a_schema_of_a_newer_version_is_refused(postgres: PostgresPlace) -> None:
    postgres.open().close()
    newer = len(MIGRATIONS) + 1
    postgres.execute("UPDATE installation SET schema_version = ?", newer)

    with pytest.raises(
        StorageUnavailable, match=f"is of version {newer}, and this program knows {newer - 1}: use a new"
    ):
        postgres.open(patience=0)


async def test_a_refused_write_leaves_no_gap_in_the_positions(postgres: PostgresPlace) -> None:
    with closing(postgres.open()) as log:
        await log.append(registered("job-1"))
        for _ in range(3):
            with pytest.raises(Exception, match="written to by another process first"):
                await log.append([*registered("job-2"), *registered("job-1")])

        assert await log.append(registered("job-2")) == 2


def test_a_start_without_a_free_connection_says_so(postgres: PostgresPlace, role: str) -> None:
    server.execute(f"ALTER ROLE {role} CONNECTION LIMIT 0")
    place = PostgresPlace(postgres.schema, server.url_to(server.port(), user=role, password=role))

    with pytest.raises(StorageUnavailable, match=r"cannot be opened: .*too many connections for role"):
        place.open(patience=0)


@contextmanager
def pgbouncer(folder: Path, mode: str) -> Iterator[int]:
    """Run PgBouncer before the server, and return its port."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        miss("needs pgbouncer: set JOB_RECOVERY_INSTALL=1 and run scripts/need-postgres")
    as_user = ["-u", "nobody"] if os.geteuid() == 0 else []
    with HeldPort() as port:
        line = [program, "-q", *as_user, str(_settings(folder, port.number, mode))]
        process = subprocess.Popen(line, stderr=subprocess.DEVNULL)  # noqa: S603
        try:
            wait_until(lambda: process.poll() is not None or is_open(port.number))
            yield port.number
        finally:
            process.terminate()
            process.wait(10)


def _settings(folder: Path, port: int, mode: str) -> Path:
    """Write PgBouncer's settings to a file that its user can read."""
    known = psycopg.conninfo.conninfo_to_dict(server.SERVER)
    login = " ".join(f"{name}={known[name]}" for name in ("user", "password") if name in known)
    settings = folder / "pgbouncer.ini"
    settings.write_text(
        f"[databases]\n* = host=127.0.0.1 port={server.port()} {login}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = any\nunix_socket_dir =\n"
        f"pool_mode = {mode}\n"
    )
    for readable in (folder, *folder.parents):
        if readable.owner() == settings.owner() and "pytest" in str(readable):
            readable.chmod(0o755)
    return settings


def is_open(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


async def test_a_pooler_in_session_mode_serves_a_log(postgres: PostgresPlace, tmp_path: Path) -> None:
    with pgbouncer(tmp_path, "session") as port, closing(PostgresPlace(postgres.schema, pooled(port)).open()) as log:
        assert await log.append(registered("job-1")) == 1
        assert await log.head() == 1


def test_a_pooler_in_transaction_mode_is_refused_in_one_line(postgres: PostgresPlace, tmp_path: Path) -> None:
    with pgbouncer(tmp_path, "transaction") as port:
        place = PostgresPlace(postgres.schema, pooled(port))
        with pytest.raises(StorageUnavailable) as refused:
            place.open(patience=0)
        with pytest.raises(Exception, match="pooler in transaction mode"):
            verify(place)

    assert "a connection pooler in transaction mode is between this service and PostgreSQL" in str(refused.value)
    assert "\n" not in str(refused.value)


def pooled(port: int) -> str:
    """Return the URL of a pooler, which has the password itself."""
    return server.url_to(port, sslmode="disable")
