"""Whatever happens to the server or the network: every acknowledged event is there, and none twice."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from adapters.event_log import postgres_writer
from adapters.event_log.database_errors import DatabaseUnavailable, EventLogInUse
from adapters.event_log.database_log import DatabaseEventLog
from adapters.event_log.postgres_lock import acquire
from adapters.event_log.postgres_schema import lock_key
from adapters.event_log.postgres_session import Session
from adapters.event_log.postgres_store import database_of
from adapters.event_log.postgres_writer import Writer
from domain.errors import ConcurrentWrite, LogChanged, StorageUnavailable
from domain.replication_job import ReplicationJob
from tests.adapters.event_log.places import PostgresPlace, registered, verify
from tests.support import postgres as server
from tests.support.awake import awake
from tests.support.postgres_relay import ANSWER, REQUEST, PostgresRelay
from tests.support.service import wait_until

if TYPE_CHECKING:
    from domain.events import Event

BOUND = 5.0
"""Seconds within which a write has an answer."""

TRIES = 10
"""How often a call is refused until the error must have had its reason."""


@pytest.fixture
def relay() -> Iterator[PostgresRelay]:
    server.need_postgres()
    passing = PostgresRelay(server.port())
    yield passing
    passing.close()


@pytest.fixture
def relayed(postgres: PostgresPlace, relay: PostgresRelay) -> PostgresPlace:
    """Return the log by way of the relay."""
    return PostgresPlace(postgres.schema, server.url_to(relay.port))


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the writer all the time that a slow machine needs to connect again, where time is not what is tested."""
    for name in ("WRITE_TIMEOUT", "HEARTBEAT_TIMEOUT", "HANDOVER"):
        monkeypatch.setattr(postgres_writer, name, 20.0)


@contextmanager
def open_log(place: PostgresPlace) -> Iterator[DatabaseEventLog]:
    log = place.open()
    try:
        yield log
    finally:
        log.close()


def installation_id(place: PostgresPlace) -> object:
    ((installation,),) = place.execute("SELECT id FROM installation")
    return installation


def writer_of(place: PostgresPlace) -> int:
    """Return the server process that has the lock of the log."""
    lock = "locktype = 'advisory' AND granted AND (classid::bigint << 32) | objid::bigint = %s"
    key = lock_key("writer", place.schema, installation_id(place))
    ((pid,),) = server.execute(f"SELECT pid FROM pg_locks WHERE {lock}", key)  # noqa: S608 - of this test
    return int(pid)


async def refused_in_time(call: Any) -> str:
    """Return the error of a call that must fail, while this process runs for so long."""
    began = awake()
    with pytest.raises(StorageUnavailable) as refused:
        await call
    assert awake() - began < BOUND
    return str(refused.value)


async def refused_with(why: str, call: Callable[[], Awaitable[object]]) -> None:
    """Have a call refused until the error says why: on a slow machine the answer itself may come too late."""
    said: list[str] = []
    while not said or why not in said[-1]:
        said.append(await refused_in_time(call()))
        assert len(said) < TRIES, said


async def streams(log: DatabaseEventLog) -> list[str]:
    return [event.originator_id for _, event in await log.read_from(0, 100)]


@pytest.mark.usefixtures("patient")
async def test_a_writer_that_the_server_ended_between_commits_is_replaced_and_no_command_notices(
    postgres: PostgresPlace,
) -> None:
    with open_log(postgres) as log:
        await log.append(registered("job-1"))
        server.execute("SELECT pg_terminate_backend(%s, 5000)", writer_of(postgres))

        assert await log.append(registered("job-2")) == 2
        assert await log.append(registered("job-3")) == 3

        assert await streams(log) == ["job-1", "job-2", "job-3"]
    assert verify(postgres).events == 3


@pytest.mark.usefixtures("patient")
async def test_a_writer_that_the_server_ended_while_it_was_idle_does_not_make_the_log_unwritable(
    postgres: PostgresPlace,
) -> None:
    with open_log(postgres) as log:
        for _ in range(2):
            server.execute("SELECT pg_terminate_backend(%s, 5000)", writer_of(postgres))
            await log.check_writable()

        assert log.error is None
        assert await log.append(registered("job-1")) == 1


async def test_readers_that_the_server_ended_are_replaced_and_no_reader_notices(postgres: PostgresPlace) -> None:
    readers, name = "FROM pg_stat_activity WHERE application_name LIKE %s", f"job-recovery reader %:{os.getpid()}"
    wait_until(lambda: not server.execute(f"SELECT pid {readers}", name), what="the end of an earlier test's")
    with open_log(postgres) as log:
        await log.append(registered("job-1"))
        # The pool opens the second one later.
        wait_until(lambda: len(server.execute(f"SELECT pid {readers}", name)) == 2, what="two readers")
        ended = server.execute(f"SELECT pg_terminate_backend(pid, 5000) {readers}", name)
        assert ended == [(True,), (True,)]

        assert await log.load(ReplicationJob, "job-1") is not None
        assert await log.head() == 1


@contextmanager
def held_up_commit(place: PostgresPlace) -> Iterator[psycopg.Connection[Any]]:
    """Hold up every commit of events, in the commit itself, until the block ends."""
    key = lock_key("test", place.schema)
    place.execute(
        "CREATE FUNCTION wait_for_test() RETURNS trigger LANGUAGE plpgsql AS "
        f"'BEGIN PERFORM pg_advisory_xact_lock({key}); RETURN NULL; END'"
    )
    place.execute(
        "CREATE CONSTRAINT TRIGGER held AFTER INSERT ON stored_events DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION wait_for_test()"
    )
    with psycopg.connect(server.SERVER, autocommit=True) as holder:
        holder.execute("SELECT pg_advisory_lock(%s)", [key])
        yield holder


@pytest.mark.usefixtures("patient")
async def test_a_writer_that_the_server_ended_during_a_commit_stores_the_events_once(postgres: PostgresPlace) -> None:
    with open_log(postgres) as log:
        await log.append(registered("job-1"))
        writer = writer_of(postgres)
        with held_up_commit(postgres):
            appending = asyncio.ensure_future(log.append(registered("job-2")))
            waits = "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND wait_event = 'advisory' AND query = 'COMMIT'"
            await asyncio.to_thread(wait_until, lambda: server.execute(waits, writer))
            server.execute("SELECT pg_terminate_backend(%s, 5000)", writer)

        assert await appending == 2
        assert await streams(log) == ["job-1", "job-2"]
    assert verify(postgres).events == 2


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("lost", [ANSWER, REQUEST])
async def test_a_commit_whose_answer_or_request_was_lost_stores_the_events_once_and_is_no_conflict(
    relayed: PostgresPlace, relay: PostgresRelay, lost: str
) -> None:
    with open_log(relayed) as log:
        await log.append(registered("job-1"))
        relay.lose(lost, of="job-2")

        assert await log.append(registered("job-2")) == 2
        with pytest.raises(ConcurrentWrite):
            await log.append(registered("job-2"))
        assert await log.append(registered("job-3")) == 3

        assert await streams(log) == ["job-1", "job-2", "job-3"]
    assert verify(relayed).events == 3


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(
    ("lost", "is_stored"),
    [([ANSWER], True), ([REQUEST], False), ([REQUEST, ANSWER], True), ([REQUEST, REQUEST], False)],
    ids=["answer", "request", "request-then-answer", "request-twice"],
)
async def test_a_commit_that_was_refused_after_its_answer_was_lost_is_told_when_the_server_is_back(
    relayed: PostgresPlace, relay: PostgresRelay, lost: list[str], *, is_stored: bool
) -> None:
    late: list[Sequence[Event]] = []
    committed: list[int] = []
    with open_log(relayed) as log:
        log.on_late_commit(late.append)
        log.on_commit(committed.append)
        await log.append(registered("job-1"))
        relay.lose(*lost, of="job-2", then_silent=True)
        await refused_in_time(log.append(registered("job-2")))
        relay.resume()

        stored = await until_writable(log)

        assert await streams(log) == ["job-1", "job-2"][: 1 + is_stored]
        assert [[event.originator_id for event in events] for events in late] == [["job-2"]] * is_stored
        assert committed == [1, 2][: 1 + is_stored]
        assert stored == is_stored
        assert await log.append(registered("job-3")) == 2 + is_stored
        assert len(late) == is_stored
    assert verify(relayed).events == 2 + is_stored


async def until_writable(log: DatabaseEventLog) -> bool:
    """Try to write until it works; return whether a try was refused because an earlier write is stored."""
    told = False
    for _ in range(60):
        try:
            await log.check_writable()
        except StorageUnavailable as error:
            told = told or "the state was read again" in str(error)
            await asyncio.sleep(0.25)
        else:
            return told
    raise AssertionError("the log has not become writable")


async def test_while_the_network_is_silent_every_call_is_refused_in_time_and_afterwards_the_log_works(
    relayed: PostgresPlace, relay: PostgresRelay
) -> None:
    with open_log(relayed) as log:
        await log.append(registered("job-1"))
        relay.go_silent()

        group = (log.append(registered(f"job-{n}")) for n in range(2, 5))
        await asyncio.gather(*map(refused_in_time, group))
        await refused_in_time(log.check_writable())
        await refused_in_time(log.load(ReplicationJob, "job-1"))
        relay.resume()

        await until_writable(log)
        assert await log.load(ReplicationJob, "job-1") is not None
        assert await streams(log) == ["job-1"]
        assert await log.append(registered("job-9")) == 2
    assert verify(relayed).events == 2


async def test_a_session_that_the_network_has_forgotten_is_ended_on_the_server_so_that_the_next_one_gets_the_lock(
    postgres: PostgresPlace, relayed: PostgresPlace, relay: PostgresRelay
) -> None:
    with open_log(relayed) as log:
        await log.append(registered("job-1"))
        before = writer_of(postgres)
        relay.forget()
        await refused_in_time(log.append(registered("job-2")))

        await until_writable(log)

        assert writer_of(postgres) != before
        assert await log.append(registered("job-2")) == 2
        assert await streams(log) == ["job-1", "job-2"]
    assert verify(postgres).events == 2


async def test_while_a_stranger_locks_the_table_writes_are_refused_in_time_with_its_process_and_reads_work(
    postgres: PostgresPlace,
) -> None:
    with open_log(postgres) as log:
        await log.append(registered("job-1"))
        with psycopg.connect(server.SERVER, application_name="a dump") as stranger:
            stranger.execute(f"LOCK TABLE {postgres.schema}.stored_events IN SHARE MODE")
            process = f"PostgreSQL process {stranger.info.backend_pid} (a dump, "

            await refused_with(process, lambda: log.append(registered("job-2")))
            await refused_with(process, log.check_writable)
            assert process in (log.error or "")
            assert await log.load(ReplicationJob, "job-1") is not None

        assert await log.append(registered("job-2")) == 2
        assert log.error is None
        assert await log.append(registered("job-3")) == 3


async def test_a_stranger_that_locks_the_seals_is_named_too(postgres: PostgresPlace) -> None:
    with open_log(postgres) as log, psycopg.connect(server.SERVER) as stranger:
        stranger.execute(f"LOCK TABLE {postgres.schema}.seals")

        await refused_with(f"PostgreSQL process {stranger.info.backend_pid} (", lambda: log.append(registered("job-1")))


async def test_a_start_that_is_refused_while_the_seals_are_locked_does_not_keep_out_the_next_one(
    postgres: PostgresPlace,
) -> None:
    postgres.open().close()
    database = database_of(server.SERVER, postgres.schema)
    with psycopg.connect(server.SERVER) as stranger:
        stranger.execute(f"LOCK TABLE {postgres.schema}.seals")
        with pytest.raises(DatabaseUnavailable) as refused:
            Writer(database, lambda: None, "test")

    # Its session is not collected as garbage meanwhile: the error that is kept refers to it.
    assert "lock timeout" in str(refused.value)
    Writer(database, lambda: None, "test").close()


async def test_reads_that_wait_for_a_strangers_lock_are_refused_in_time_all_together_with_its_process(
    postgres: PostgresPlace,
) -> None:
    with open_log(postgres) as log, psycopg.connect(server.SERVER) as stranger:
        stranger.execute(f"LOCK TABLE {postgres.schema}.stored_events")

        refusals = await asyncio.gather(*(refused_in_time(log.load(ReplicationJob, f"job-{n}")) for n in range(20)))

        assert all(f"PostgreSQL process {stranger.info.backend_pid} (" in why for why in refusals), refusals
        assert not any("job-recovery writer" in why for why in refusals), refusals


async def test_commands_that_arrive_while_one_waits_for_the_lock_do_not_wait_twice(postgres: PostgresPlace) -> None:
    with open_log(postgres) as log, psycopg.connect(server.SERVER) as stranger:
        stranger.execute(f"LOCK TABLE {postgres.schema}.stored_events IN SHARE MODE")
        first = asyncio.ensure_future(refused_in_time(log.append(registered("job-1"))))
        waits = "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND wait_event = 'relation'"
        writer = writer_of(postgres)
        await asyncio.to_thread(wait_until, lambda: first.done() or server.execute(waits, writer))

        await asyncio.gather(first, *(refused_in_time(log.append(registered(f"job-{n}"))) for n in range(2, 6)))


async def test_a_server_that_has_become_read_only_is_named_and_written_to_again_afterwards(
    postgres: PostgresPlace,
) -> None:
    with open_log(postgres) as log:
        await log.append(registered("job-1"))
        session = log._storage.writer._datastore.session  # type: ignore[attr-defined]
        session.execute("SET default_transaction_read_only = on")

        assert "the server is read-only" in await refused_in_time(log.append(registered("job-2")))
        session.execute("SET default_transaction_read_only = off")

        assert await log.append(registered("job-2")) == 2


async def until_given_up(log: DatabaseEventLog) -> None:
    """Ask until the writer is refused for good, and raise that error."""
    for _ in range(60):
        try:
            await log.check_writable()
        except (EventLogInUse, LogChanged):
            raise
        except StorageUnavailable:
            await asyncio.sleep(0.25)


async def test_a_log_that_another_process_has_for_itself_meanwhile_is_not_written_to(
    postgres: PostgresPlace, relayed: PostgresPlace, relay: PostgresRelay
) -> None:
    with open_log(relayed) as log:
        await log.append(registered("job-1"))
        installation = installation_id(postgres)
        relay.go_silent()
        await refused_in_time(log.append(registered("job-2")))
        server.execute("SELECT pg_terminate_backend(%s, 5000)", writer_of(postgres))
        with psycopg.connect(server.SERVER, autocommit=True, application_name="job-recovery copy") as other:
            other.execute("SELECT pg_advisory_lock(%s)", [lock_key("writer", postgres.schema, installation)])
            relay.resume()
            with pytest.raises(EventLogInUse, match="is in use by job-recovery copy"):
                await until_given_up(log)
    assert verify(postgres).events == 1


async def test_a_connection_that_goes_silent_with_the_lock_does_not_keep_out_its_own_process(
    relayed: PostgresPlace, relay: PostgresRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent: list[Session] = []

    def acquire_then_go_silent(session: Session, *how: Any, shared: bool = False) -> None:
        acquire(session, *how, shared=shared)
        if not silent and not shared:
            silent.append(session)
            relay.forget()
            # Nobody learns that it has the lock.
            session.execute("SELECT 1")

    with open_log(relayed) as log:
        monkeypatch.setattr(postgres_writer, "acquire", acquire_then_go_silent)
        relay.forget()
        await refused_in_time(log.append(registered("job-1")))

        await until_writable(log)

        assert silent
        assert await log.append(registered("job-2")) in {1, 2}


@pytest.mark.usefixtures("patient")
async def test_tables_that_are_gone_are_not_made_again_behind_the_back_of_a_running_service(
    postgres: PostgresPlace,
) -> None:
    with open_log(postgres) as log:
        await log.append(registered("job-1"))
        writer = writer_of(postgres)
        server.execute(f"DROP SCHEMA {postgres.schema} CASCADE")
        server.execute("SELECT pg_terminate_backend(%s, 5000)", writer)

        with pytest.raises(LogChanged, match="is another one: start the service again"):
            await log.append(registered("job-2"))

    assert server.execute("SELECT to_regnamespace(%s)::text", postgres.schema) == [(None,)]


async def test_closing_a_log_that_is_about_to_connect_again_leaves_no_session_with_its_lock(
    postgres: PostgresPlace, relayed: PostgresPlace, relay: PostgresRelay
) -> None:
    log = relayed.open()
    relay.go_silent()
    await refused_in_time(log.check_writable())
    await refused_in_time(log.check_writable())
    log.close()
    relay.resume()

    postgres.open(patience=20).close()
