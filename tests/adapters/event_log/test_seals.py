"""Every change of the log is found, with its position."""

import asyncio
from pathlib import Path

import pytest

from adapters.event_log.seals import Seal, next_seal
from tests.adapters.event_log.places import Place, SQLitePlace, opened, registered, verify

EVENTS = 40


@pytest.fixture
def written(place: Place) -> Place:
    """Return a log of forty events, in transactions of one and of three."""
    asyncio.run(write(place))
    return place


async def write(place: Place) -> None:
    with opened(place) as log:
        for n in range(0, EVENTS, 4):
            await log.append([event for m in range(3) for event in registered(f"job-{n + m}")])
            await log.append(registered(f"job-{n + 3}"))


def test_an_unchanged_log_is_verified(written: Place) -> None:
    verdict = verify(written)

    assert (verdict.events, verdict.broken_at, verdict.seal.position) == (EVENTS, None, EVENTS)
    assert verify(written, verdict.seal) == verdict


@pytest.mark.parametrize("position", [1, 2, 4, 17, 39, 40])
@pytest.mark.parametrize("column", ["state", "topic", "originator_id"])
def test_one_changed_byte_of_one_event_is_found_with_its_position(written: Place, position: int, column: str) -> None:
    query = f"SELECT {column} FROM stored_events WHERE position = ?"  # noqa: S608 - a column's name
    ((stored,),) = written.execute(query, position)
    raw = bytearray(stored if isinstance(stored, bytes) else stored.encode())
    raw[len(raw) // 2] ^= 1
    value: object = bytes(raw) if isinstance(stored, bytes) else raw.decode()
    written.execute(f"UPDATE stored_events SET {column} = ? WHERE position = ?", value, position)  # noqa: S608 - likewise

    verdict = verify(written)

    assert verdict.broken_at == position
    assert "is not the one that was sealed" in (verdict.why or "")


@pytest.mark.parametrize(
    ("statement", "position"),
    [
        ("DELETE FROM stored_events WHERE position = 17", 17),
        ("DELETE FROM stored_events WHERE position = 40", 40),
        ("DELETE FROM seals WHERE first <= 17 AND last >= 17", 17),
        ("DELETE FROM seals WHERE last = 40", 40),
        ("UPDATE seals SET hash = substr(digests, 1, 1) WHERE first <= 20 AND last >= 20", 20),
        ("UPDATE stored_events SET originator_version = 9 WHERE position = 5", 5),
    ],
)
def test_what_was_removed_or_forged_is_found(written: Place, statement: str, position: int) -> None:
    written.execute(statement)

    assert verify(written).broken_at == position


def test_a_log_truncated_with_its_seals_is_detected_by_a_seal_recorded_elsewhere(written: Place) -> None:
    noted = verify(written).seal
    written.execute("DELETE FROM stored_events WHERE position = 40")
    written.execute("DELETE FROM seals WHERE last = 40")

    assert verify(written).broken_at is None
    assert verify(written, noted).broken_at == 40


def test_a_history_rewritten_with_all_its_seals_is_detected_by_a_seal_recorded_elsewhere(written: Place) -> None:
    noted = verify(written).seal
    written.execute("UPDATE stored_events SET topic = 'JobForged' WHERE position = 3")
    seal_as_one(written)

    assert verify(written).broken_at is None
    broken = verify(written, Seal(noted.position, noted.hash))
    assert broken.broken_at == 1
    assert "the expected seal" in (broken.why or "")


@pytest.mark.parametrize("position", [3, 4, 20, 39, 40])
def test_a_seal_recorded_elsewhere_is_compared_wherever_its_transaction_ends(written: Place, position: int) -> None:
    true, forged = seal_of(written, position), Seal(position, "00" * 32)

    assert verify(written, true).broken_at is None
    broken = verify(written, forged)

    assert broken.broken_at is not None
    assert f"the expected seal of position {position} differs" in (broken.why or "")


def test_a_seal_recorded_elsewhere_is_missed_in_a_history_sealed_anew_as_one(written: Place) -> None:
    noted = seal_of(written, 20)
    seal_as_one(written)

    assert verify(written, noted).broken_at == 1


def seal_of(written: Place, position: int) -> Seal:
    """Return the seal of a log that ends with the transaction of this event."""
    query = "SELECT last, hash FROM seals WHERE first <= ? AND last >= ?"
    ((last, digest),) = written.execute(query, position, position)
    assert last == position
    return Seal(last, digest.hex())


def seal_as_one(written: Place) -> None:
    """Replace all seals by one of all events, as a forger could."""
    with written.stored() as log:
        seal = next_seal(None, list(log.events()))
    written.execute("DELETE FROM seals")
    written.execute("INSERT INTO seals (first, last, digests, hash) VALUES (?, ?, ?, ?)", *seal)


def test_a_file_of_a_version_without_seals_is_sealed_when_it_is_opened(tmp_path: Path) -> None:
    file = SQLitePlace(tmp_path / "events.sqlite")
    asyncio.run(write(file))
    file.execute("DELETE FROM seals")
    assert verify(file).broken_at == 1

    file.open().close()

    assert (verify(file).broken_at, verify(file).events) == (None, EVENTS)


async def test_sealing_continues_after_a_refused_write(place: Place) -> None:
    await write(place)
    with opened(place) as log:
        with pytest.raises(Exception, match="written to by another process first"):
            await log.append(registered("job-1"))
        await log.append(registered("job-41"))

    assert (verify(place).broken_at, verify(place).events) == (None, EVENTS + 1)
