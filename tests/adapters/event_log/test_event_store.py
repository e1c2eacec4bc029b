"""The log has every acknowledged event once, in order, and none that was refused."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from adapters.event_log import log_file
from adapters.event_log.seals import verify
from adapters.event_log.sqlite import sqlite3
from adapters.event_log.sqlite_store import SQLiteEventLog
from domain.errors import ConcurrentWrite, StorageUnavailable
from domain.events import EVENTS, Cause, Event, JobRegistered, JobStalled, Trace, UnreadableEvent
from domain.recovery_policy import Policy
from domain.recovery_run import RecoveryRun
from domain.replication_job import ReplicationJob
from tests.support.builders import NOON, registration
from tests.support.harness import RecordingLog


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.sqlite"


@pytest.fixture
def log(path: Path) -> Iterator[SQLiteEventLog]:
    opened = SQLiteEventLog(path)
    yield opened
    opened.close()


def begun(run_id: str) -> RecoveryRun:
    run = RecoveryRun(id=run_id)
    run.start(Cause.RESTART, "here", Policy(), ("job-1",), NOON, Trace(run_id, "here"))
    return run


def registered(job_id: str) -> ReplicationJob:
    job = ReplicationJob(id=job_id)
    job.register(registration(job.id, vm_context_id=f"ctx-{job_id}"), NOON, Trace("r", "r"))
    return job


async def positions(log: SQLiteEventLog) -> list[int]:
    return [position for position, _ in await log.read_from(0, 10_000)]


async def test_what_was_appended_is_loaded_again(log: SQLiteEventLog) -> None:
    job = registered("job-1")

    position = await log.append(job.collect_events())

    assert (position, await log.head()) == (1, 1)
    assert await log.load(ReplicationJob, "job-1") == job
    assert await log.load(ReplicationJob, "job-2") is None
    assert await log.load_many(ReplicationJob, ["job-1", "job-2"]) == {"job-1": job}


async def test_events_of_a_kind_are_found_among_all_events_in_their_order(log: SQLiteEventLog) -> None:
    for name in ("job-2", "job-1"):
        job = registered(name)
        job.begin_recovery("run-1", Cause.RESTART, NOON, "instance")
        await log.append(job.collect_events())

    assert [found.originator_id for found in await log.select(JobRegistered)] == ["job-2", "job-1"]


async def test_each_of_many_concurrent_writers_gets_its_own_position(log: SQLiteEventLog) -> None:
    positions = await asyncio.gather(*(log.append(registered(f"job-{n}").pending) for n in range(300)))

    assert sorted(positions) == list(range(1, 301))
    by_position = dict(await log.read_from(0, 1000))
    assert [by_position[position].originator_id for position in positions] == [f"job-{n}" for n in range(300)]


async def test_a_version_that_exists_is_refused_and_the_other_requests_of_the_group_are_stored(
    log: SQLiteEventLog,
) -> None:
    await log.append(registered("job-1").pending)

    group = [registered("job-0"), registered("job-1"), registered("job-2")]
    results = await asyncio.gather(*(log.append(job.pending) for job in group), return_exceptions=True)

    assert isinstance(results[1], ConcurrentWrite)
    assert "job-1 was written to by another process first" in str(results[1])
    assert [e.originator_id for _, e in await log.read_from(0, 9)] == ["job-1", "job-0", "job-2"]
    assert await positions(log) == sorted(set(await positions(log)))


async def test_events_of_one_request_are_stored_all_or_none(log: SQLiteEventLog) -> None:
    await log.append(registered("job-2").pending)

    with pytest.raises(ConcurrentWrite):
        await log.append([*registered("job-1").pending, *registered("job-2").pending])

    assert await log.load(ReplicationJob, "job-1") is None


async def test_a_log_that_cannot_be_written_raises_an_error_and_accepts_later_writes(log: SQLiteEventLog) -> None:
    with log._recorder.datastore.transaction(commit=True) as cursor:
        cursor.execute("PRAGMA query_only=ON")
    with pytest.raises(StorageUnavailable, match="cannot be written"):
        await log.append(registered("job-1").pending)
    with pytest.raises(StorageUnavailable, match="cannot be written"):
        await log.check_writable()
    with log._recorder.datastore.transaction(commit=True) as cursor:
        cursor.execute("PRAGMA query_only=OFF")

    await log.check_writable()
    await log.append(registered("job-1").pending)

    assert await positions(log) == [1]


async def test_an_event_that_cannot_be_encoded_fails_its_own_command_and_no_other(log: SQLiteEventLog) -> None:
    wrong = registered("job-1")
    wrong.pending = [msgspec.structs.replace(wrong.pending[0], vm_name=object())]
    group = [registered("job-0"), wrong, registered("job-2")]

    results = await asyncio.gather(*(log.append(job.pending) for job in group), return_exceptions=True)

    assert isinstance(results[1], StorageUnavailable)
    assert "cannot be written: TypeError" in str(results[1])
    assert [e.originator_id for _, e in await log.read_from(0, 9)] == ["job-0", "job-2"]
    await log.append(registered("job-1").pending)


async def test_after_a_commit_that_fails_the_next_one_has_a_new_transaction(log: SQLiteEventLog) -> None:
    datastore = log._recorder.datastore
    with datastore.get_connection(commit=True) as connection:
        for statement in (
            "CREATE TABLE parents (id TEXT PRIMARY KEY)",
            "CREATE TABLE children (id TEXT REFERENCES parents DEFERRABLE INITIALLY DEFERRED)",
            "CREATE TRIGGER orphan AFTER INSERT ON stored_events BEGIN INSERT INTO children VALUES ('nobody'); END",
            # For this connection only: the commit itself is what fails.
            "PRAGMA foreign_keys=ON",
        ):
            connection.cursor().execute(statement)

    with pytest.raises(ConcurrentWrite, match="FOREIGN KEY"):
        await log.append(registered("job-1").pending)

    await log.append(registered("job-1").pending)
    assert await positions(log) == [1]


async def test_a_listener_that_raises_does_not_fail_a_command_whose_events_are_stored(path: Path) -> None:
    durations: list[float] = []
    logger = RecordingLog()
    log = SQLiteEventLog(path, logger=logger)

    def broken(_: float) -> None:
        raise ValueError("a slip")

    for listen in (log.on_commit, log.on_append):
        listen(broken)
        listen(durations.append)

    assert await log.append(registered("job-1").pending) == 1
    log.close()
    assert (len(durations), logger.events) == (2, ["event_log_listener_failed"] * 2)


async def test_a_closed_log_refuses_every_call_at_once(path: Path) -> None:
    log = SQLiteEventLog(path)
    log.close()

    for call in (log.load(ReplicationJob, "job-1"), log.append(registered("job-1").pending), log.check_writable()):
        with pytest.raises(StorageUnavailable, match="the event log is closed"):
            await asyncio.wait_for(call, 10)


async def test_synchronous_is_full_by_default(tmp_path: Path) -> None:
    levels: list[int] = []
    default, asked = SQLiteEventLog(tmp_path / "a.sqlite"), SQLiteEventLog(tmp_path / "b.sqlite", synchronous="NORMAL")
    for log in (default, asked):
        with log._recorder.datastore.transaction(commit=True) as cursor:
            cursor.execute("PRAGMA synchronous")
            levels.append(cursor.fetchone()[0])
        log.close()

    assert levels == [2, 1]


async def test_the_log_can_be_read_with_sqlite_alone(log: SQLiteEventLog, path: Path) -> None:
    await log.append(registered("job-1").pending)

    with sqlite3.connect(path) as connection:
        topic, state = connection.execute("SELECT topic, state FROM stored_events").fetchone()
    connection.close()

    assert topic == "JobRegistered"
    assert msgspec.json.decode(state)["vm_name"] == "vm"


async def test_an_event_of_a_newer_version_is_named_and_other_events_and_jobs_can_be_read(
    log: SQLiteEventLog, path: Path
) -> None:
    for job_id in ("job-1", "job-2"):
        await log.append(registered(job_id).pending)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE stored_events SET topic = 'JobTeleported' WHERE originator_id = 'job-1'")
    connection.close()

    (_, unreadable), (_, other) = await log.read_from(0, 10)

    assert isinstance(unreadable, UnreadableEvent)
    assert (unreadable.ref, other.ref) == ("job-1#1", "job-2#1")
    assert "'JobTeleported' (job-1 version 1) that this version does not know: use a newer one" in unreadable.why
    with pytest.raises(StorageUnavailable, match="'JobTeleported'"):
        await log.load(ReplicationJob, "job-1")
    assert list(await log.load_many(ReplicationJob, ["job-1", "job-2"])) == ["job-2"]
    assert [one.originator_id for one in await log.select(JobRegistered)] == ["job-2"]


async def test_a_stream_of_another_kind_is_not_loaded_as_a_job(log: SQLiteEventLog) -> None:
    await log.append(begun("run-1").pending)

    assert await log.load(ReplicationJob, "run-1") is None
    assert await log.load(RecoveryRun, "run-1") is not None


async def test_a_snapshot_of_another_kind_is_not_used(log: SQLiteEventLog) -> None:
    job = registered("job-1")
    snapshot = msgspec.structs.replace(job.snapshot(), topic=RecoveryRun.kind)
    await log.append(job.pending, [snapshot])

    found = await log.load(ReplicationJob, "job-1")

    assert found is not None
    assert found.vm_name == "vm"


def test_unknown_fields_are_ignored_and_missing_ones_have_defaults() -> None:
    event = JobStalled(
        originator_id="job-1",
        originator_version=2,
        recorded_at=NOON,
        correlation_id="r",
        causation_id="r",
        since=NOON,
        stalled_for=900.0,
        progress_percent=41.0,
    )
    stored = msgspec.json.decode(msgspec.json.encode(event))
    del stored["phase"]
    stored["added_in_version_9"] = {"a": 1}

    assert msgspec.json.decode(msgspec.json.encode(stored), type=JobStalled) == event


def test_topics_are_explicit_names_instead_of_module_paths() -> None:
    assert all(topic.isalpha() and kind.topic == topic for topic, kind in EVENTS.items())
    assert set(EVENTS.values()) == set(Event.__subclasses__()) - {UnreadableEvent}


@pytest.mark.parametrize("state", [b"{", b'{"vm_name":"\xff"}', b'{"vm_name":1}', b""])
async def test_an_event_that_cannot_be_decoded_is_named_with_a_remedy(
    log: SQLiteEventLog, path: Path, state: bytes
) -> None:
    await log.append(registered("job-1").pending)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE stored_events SET state = ?", (state,))
    connection.close()

    with pytest.raises(
        StorageUnavailable, match=r"\(job-1 version 1\) that cannot be decoded: .*restore it from a backup"
    ):
        await log.load(ReplicationJob, "job-1")


def test_a_file_that_is_not_a_database_is_refused_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    path.write_bytes(b"this is a letter to my grandmother" * 100)

    with pytest.raises(StorageUnavailable, match=r"events\.sqlite cannot be opened: .*restore it from a backup"):
        SQLiteEventLog(path)


def refusal(path: Path) -> str:
    with pytest.raises(StorageUnavailable) as refused:
        SQLiteEventLog(path)
    return str(refused.value)


def test_an_error_other_than_damage_does_not_ask_for_a_backup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.event_log.sqlite_application.LOCK_TIMEOUT", 0.1)
    folder, locked = tmp_path / "folder.sqlite", tmp_path / "locked.sqlite"
    folder.mkdir()
    SQLiteEventLog(locked).close()
    with closing(sqlite3.connect(locked, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        messages = {folder: refusal(folder), locked: refusal(locked)}

    for path, message in messages.items():
        assert message.startswith(f"the event log {path} cannot be opened: ")
        assert "backup" not in message
    assert "permission" in messages[folder] or "this user may read" in messages[folder]
    assert "database is locked. Stop the program that locks it, and start again" in messages[locked]


@pytest.mark.parametrize("name", ["SQLITE_FULL", "SQLITE_READONLY_DIRECTORY", "SQLITE_IOERR_WRITE", ""])
def test_every_error_of_sqlite_has_a_remedy(tmp_path: Path, name: str) -> None:
    error = sqlite3.OperationalError("no")
    error.sqlite_errorname = name

    message = str(log_file.cannot_open(tmp_path / "events.sqlite", error))

    assert "events.sqlite cannot be opened: no. " in message
    assert "start again; do not change the file" in message
    assert ("Free space" in message) == (name == "SQLITE_FULL")


def files_under(folder: Path) -> list[str]:
    return [str(found.relative_to(folder)) for found in sorted(folder.rglob("*"))]


@pytest.mark.parametrize("name", ["a?mode=memory", "b%41#x", ":memory:"])
async def test_a_directory_may_have_any_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name / "events.sqlite"
    path.parent.mkdir()
    log = SQLiteEventLog(path)
    await log.append(registered("job-1").pending)

    assert verify(path).events == 1
    assert path.with_name("events.sqlite-wal").exists()
    log.close()
    assert files_under(tmp_path) == [name, f"{name}/events.sqlite"]


async def test_a_changed_event_is_refused_at_the_start_with_its_position(log: SQLiteEventLog, path: Path) -> None:
    for n in range(3):
        await log.append(registered(f"job-{n}").pending)
    with sqlite3.connect(path) as connection:
        changed = "UPDATE stored_events SET state = replace(CAST(state AS TEXT), 'default', 'another') WHERE rowid = 2"
        connection.execute(changed)
        connection.execute("UPDATE stored_events SET state = CAST(state AS BLOB)")
    connection.close()

    message = refusal(path)

    assert f"the event log {path} fails verification at position 2: the event (job-1 version 1)" in message
    assert "restore it from a backup" in message
