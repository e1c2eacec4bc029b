"""Every change of the log is found, with its position."""

import asyncio
from pathlib import Path

import pytest

from adapters.event_log.seals import Seal, verify
from adapters.event_log.sqlite import sqlite3
from adapters.event_log.sqlite_store import SQLiteEventLog
from domain.events import Event, Trace
from domain.replication_job import ReplicationJob
from tests.support.builders import NOON, registration

EVENTS = 40


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a log of forty events, in transactions of one and of three."""
    path = tmp_path / "events.sqlite"
    asyncio.run(write(path))
    return path


async def write(path: Path) -> None:
    log = SQLiteEventLog(path)
    for n in range(0, EVENTS, 4):
        await log.append([event for m in range(3) for event in registered(f"job-{n + m}")])
        await log.append(registered(f"job-{n + 3}"))
    log.close()


def registered(job_id: str) -> list[Event]:
    job = ReplicationJob(id=job_id)
    job.register(registration(job.id, vm_context_id=f"ctx-{job_id}"), NOON, Trace("r", "r"))
    return job.pending


def change(path: Path, statement: str, *values: object) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(statement, values)
    connection.close()


def test_an_unchanged_log_is_verified(path: Path) -> None:
    verdict = verify(path)

    assert (verdict.events, verdict.broken_at, verdict.seal.position) == (EVENTS, None, EVENTS)
    assert verify(path, verdict.seal) == verdict


@pytest.mark.parametrize("position", [1, 2, 4, 17, 39, 40])
@pytest.mark.parametrize("column", ["state", "topic", "originator_id"])
def test_one_changed_byte_of_one_event_is_found_with_its_position(path: Path, position: int, column: str) -> None:
    with sqlite3.connect(path) as connection:
        query = f"SELECT {column} FROM stored_events WHERE rowid = ?"  # noqa: S608 - a column's name
        (stored,) = connection.execute(query, (position,)).fetchone()
    connection.close()
    raw = bytearray(stored if isinstance(stored, bytes) else stored.encode())
    raw[len(raw) // 2] ^= 1
    value: object = bytes(raw) if isinstance(stored, bytes) else raw.decode()
    change(path, f"UPDATE stored_events SET {column} = ? WHERE rowid = ?", value, position)  # noqa: S608 - likewise

    verdict = verify(path)

    assert verdict.broken_at == position
    assert "is not the one that was sealed" in (verdict.why or "")


@pytest.mark.parametrize(
    ("statement", "position"),
    [
        ("DELETE FROM stored_events WHERE rowid = 17", 17),
        ("DELETE FROM stored_events WHERE rowid = 40", 40),
        ("DELETE FROM seals WHERE first <= 17 AND last >= 17", 17),
        ("DELETE FROM seals WHERE last = 40", 40),
        ("UPDATE seals SET hash = zeroblob(32) WHERE first <= 20 AND last >= 20", 20),
        ("UPDATE stored_events SET originator_version = 9 WHERE rowid = 5", 5),
    ],
)
def test_what_was_removed_or_forged_is_found(path: Path, statement: str, position: int) -> None:
    change(path, statement)

    assert verify(path).broken_at == position


def test_a_log_truncated_with_its_seals_is_detected_by_a_seal_recorded_elsewhere(path: Path) -> None:
    noted = verify(path).seal
    change(path, "DELETE FROM stored_events WHERE rowid = 40")
    change(path, "DELETE FROM seals WHERE last = 40")

    assert verify(path).broken_at is None
    assert verify(path, noted).broken_at == 40


def test_a_history_rewritten_with_all_its_seals_is_detected_by_a_seal_recorded_elsewhere(path: Path) -> None:
    noted = verify(path).seal
    change(path, "UPDATE stored_events SET topic = 'JobForged' WHERE rowid = 3")
    change(path, "DELETE FROM seals")
    SQLiteEventLog(path).close()

    assert verify(path).broken_at is None
    broken = verify(path, Seal(noted.position, noted.hash))
    assert broken.broken_at == 1
    assert "the expected seal" in (broken.why or "")


@pytest.mark.parametrize("position", [3, 4, 20, 39, 40])
def test_a_seal_recorded_elsewhere_is_compared_wherever_its_transaction_ends(path: Path, position: int) -> None:
    true, forged = seal_of(path, position), Seal(position, "00" * 32)

    assert verify(path, true).broken_at is None
    broken = verify(path, forged)

    assert broken.broken_at is not None
    assert f"the expected seal of position {position} differs" in (broken.why or "")


def test_a_seal_recorded_elsewhere_is_missed_in_a_history_sealed_anew_as_one(path: Path) -> None:
    noted = seal_of(path, 20)
    change(path, "DELETE FROM seals")
    SQLiteEventLog(path).close()

    assert verify(path, noted).broken_at == 1


def seal_of(path: Path, position: int) -> Seal:
    """Return the seal of a log that ends with the transaction of this event."""
    with sqlite3.connect(path) as connection:
        query = "SELECT last, hash FROM seals WHERE first <= ? AND last >= ?"
        last, digest = connection.execute(query, (position, position)).fetchone()
    connection.close()
    assert last == position
    return Seal(last, digest.hex())


def test_a_log_of_a_version_without_seals_is_sealed_when_it_is_opened(path: Path) -> None:
    change(path, "DELETE FROM seals")
    assert verify(path).broken_at == 1

    SQLiteEventLog(path).close()

    assert (verify(path).broken_at, verify(path).events) == (None, EVENTS)


async def test_sealing_continues_after_a_refused_write(path: Path) -> None:
    log = SQLiteEventLog(path)
    with pytest.raises(Exception, match="written to by another process first"):
        await log.append(registered("job-1"))
    await log.append(registered("job-41"))
    log.close()

    assert (verify(path).broken_at, verify(path).events) == (None, EVENTS + 1)
