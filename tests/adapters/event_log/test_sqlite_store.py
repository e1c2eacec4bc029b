"""What only a log in an SQLite file can do, and how it fails."""

import asyncio
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
import pytest

from adapters.event_log import seals, sqlite_file
from adapters.event_log.sqlite import sqlite3
from adapters.event_log.sqlite_store import SQLiteEventLog
from adapters.event_log.sqlite_stored_log import SQLiteStoredLog, verify
from domain.errors import ConcurrentWrite, LogChanged, StorageUnavailable
from tests.adapters.event_log.places import registered
from tests.support.clock import FakeClock
from tests.support.harness import RecordingLog


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.sqlite"


@pytest.fixture
def log(path: Path) -> Iterator[SQLiteEventLog]:
    opened = SQLiteEventLog(path)
    yield opened
    opened.close()


async def positions(log: SQLiteEventLog) -> list[int]:
    return [position for position, _ in await log.read_from(0, 10_000)]


async def test_a_log_that_cannot_be_written_raises_an_error_and_accepts_later_writes(log: SQLiteEventLog) -> None:
    with log._recorder.datastore.transaction(commit=True) as cursor:
        cursor.execute("PRAGMA query_only=ON")
    with pytest.raises(StorageUnavailable, match="cannot be written"):
        await log.append(registered("job-1"))
    with pytest.raises(StorageUnavailable, match="cannot be written"):
        await log.check_writable()
    with log._recorder.datastore.transaction(commit=True) as cursor:
        cursor.execute("PRAGMA query_only=OFF")

    await log.check_writable()
    await log.append(registered("job-1"))

    assert await positions(log) == [1]


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
        await log.append(registered("job-1"))

    await log.append(registered("job-1"))
    assert await positions(log) == [1]


@contextmanager
def moved_away(path: Path) -> Iterator[None]:
    """Move a file or folder away, and back if nothing has taken its place."""
    away = path.with_name(f"away-{path.name}")
    path.rename(away)
    yield
    assert not path.exists()
    away.rename(path)


async def test_a_read_while_the_file_is_away_makes_no_empty_one_in_its_place(log: SQLiteEventLog, path: Path) -> None:
    await log.append(registered("job-1"))

    # All connections are in use, so that the read needs another one.
    in_use = log._recorder.datastore.transaction(commit=False)
    with in_use, moved_away(path), pytest.raises(StorageUnavailable, match="cannot be read"):
        await log.head()

    assert await positions(log) == [1]


async def test_a_file_that_cannot_be_looked_up_is_written_to_when_it_can_be(log: SQLiteEventLog, path: Path) -> None:
    with moved_away(path.parent):
        path.parent.write_text("a file in the place of its folder")
        with pytest.raises(StorageUnavailable, match="moved away or deleted"):
            await log.append(registered("job-1"))
        path.parent.unlink()

    await log.append(registered("job-1"))
    assert await positions(log) == [1]


def put_back(backup: Path, path: Path) -> None:
    """Put a backup back into the same file, as `.restore` of SQLite's command line does."""
    with closing(sqlite3.connect(backup)) as source, closing(sqlite3.connect(path)) as target:
        source.backup(target)


@pytest.fixture
async def backup(log: SQLiteEventLog, path: Path, tmp_path: Path) -> Path:
    """Return a backup of the log with job-1, which has job-2 and job-3 since."""
    await log.append(registered("job-1"))
    put_back(path, tmp_path / "backup.sqlite")
    await log.append(registered("job-2"))
    await log.append(registered("job-3"))
    return tmp_path / "backup.sqlite"


LOST = "the last 2 acknowledged events, from position 2 to 3, are lost"


async def test_a_backup_that_is_put_back_into_the_file_is_recognised_at_the_next_write(
    log: SQLiteEventLog, path: Path, backup: Path
) -> None:
    put_back(backup, path)

    for _ in range(2):
        with pytest.raises(LogChanged, match=LOST):
            await log.append(registered("job-4"))
        with pytest.raises(LogChanged, match=LOST):
            await asyncio.wait_for(log.keep(FakeClock()), timeout=10)
    assert await positions(log) == [1]


async def test_so_it_is_at_the_next_heartbeat_and_with_others_in_their_place(
    log: SQLiteEventLog, path: Path, backup: Path
) -> None:
    put_back(backup, path)
    other = SQLiteEventLog(path)
    for job in ("job-7", "job-8", "job-9"):
        await other.append(registered(job))
    other.close()

    with pytest.raises(LogChanged, match=f"{LOST}, and 3 others are in their place"):
        await log.check_writable()


async def test_what_another_process_adds_is_recognised(log: SQLiteEventLog, path: Path) -> None:
    await log.append(registered("job-1"))
    other = SQLiteEventLog(path)
    await other.append(registered("job-2"))
    other.close()

    with pytest.raises(LogChanged, match="another process added 1 events after position 1"):
        await log.append(registered("job-3"))
    assert await positions(log) == [1, 2]


async def test_after_a_write_that_is_refused_the_log_is_as_it_was_left(log: SQLiteEventLog) -> None:
    await log.append(registered("job-1"))
    with pytest.raises(ConcurrentWrite):
        await log.append(registered("job-1"))

    await log.append(registered("job-2"))
    await log.check_writable()

    assert await positions(log) == [1, 2]


async def closed_after(statement: str, log: SQLiteEventLog, path: Path) -> None:
    """Write two events, close the log, and remove seals from it."""
    for job in ("job-1", "job-2"):
        await log.append(registered(job))
    log.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


async def test_a_log_of_the_first_version_is_sealed_and_that_is_told(log: SQLiteEventLog, path: Path) -> None:
    await closed_after("DROP TABLE seals", log, path)
    told = RecordingLog()

    opened = SQLiteEventLog(path, logger=told)

    opened.close()
    assert told.events == ["event_log_sealed"]
    assert (verify(path).events, verify(path).broken_at) == (2, None)


async def test_an_event_whose_seal_was_removed_gets_no_other_one(log: SQLiteEventLog, path: Path) -> None:
    await closed_after("DELETE FROM seals WHERE last = 2", log, path)

    for _ in range(2):
        with pytest.raises(StorageUnavailable, match="fails verification at position 2: the event has no seal"):
            SQLiteEventLog(path)


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
    await log.append(registered("job-1"))

    with sqlite3.connect(path) as connection:
        topic, state = connection.execute("SELECT topic, state FROM stored_events").fetchone()
    connection.close()

    assert topic == "JobRegistered"
    assert msgspec.json.decode(state)["vm_name"] == "vm"


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

    message = str(sqlite_file.cannot_open(tmp_path / "events.sqlite", error))

    assert "events.sqlite cannot be opened: no. " in message
    assert "start again; do not change the file" in message
    assert ("Free space" in message) == (name == "SQLITE_FULL")


def test_a_log_that_is_locked_while_it_is_verified_is_not_called_damaged(path: Path) -> None:
    SQLiteEventLog(path).close()
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as other,
        closing(sqlite3.connect(path, timeout=0)) as own,
    ):
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")

        with pytest.raises(sqlite3.OperationalError, match="database is locked"):
            seals.verify(SQLiteStoredLog(own))


def test_a_log_without_its_tables_is_damaged(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE notes (line TEXT)")

    assert "no such table" in (verify(path).why or "")


def files_under(folder: Path) -> list[str]:
    return [str(found.relative_to(folder)) for found in sorted(folder.rglob("*"))]


@pytest.mark.parametrize("name", ["a?mode=memory", "b%41#x", ":memory:"])
async def test_a_directory_may_have_any_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name / "events.sqlite"
    path.parent.mkdir()
    log = SQLiteEventLog(path)
    await log.append(registered("job-1"))

    assert verify(path).events == 1
    assert path.with_name("events.sqlite-wal").exists()
    log.close()
    assert files_under(tmp_path) == [name, f"{name}/events.sqlite"]
