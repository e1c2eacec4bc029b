"""A log is copied as it is, from each database to each, and a copy that was stopped anywhere goes on."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from adapters.event_log.copying import copy
from adapters.event_log.database_errors import EventLogInUse
from adapters.event_log.seals import Seal
from domain.errors import InvalidInput, NotFound, StorageUnavailable
from tests.adapters.event_log.opening import copy_until_killed
from tests.adapters.event_log.places import Place, PostgresPlace, SQLitePlace, change_state, opened, registered, verify
from tests.support.postgres import new_schema
from tests.support.process import run_until_killed

BLOCK = 16
"""Positions of a block in these tests; there are ten blocks."""

TABLES = {
    "stored_events": "position, originator_id, originator_version, topic, state",
    "seals": "first, last, digests, hash",
}

Rows = list[tuple[Any, ...]]


@pytest.fixture
def schemas() -> Iterator[Callable[[], Place]]:
    with ExitStack() as made:
        yield lambda: PostgresPlace(made.enter_context(new_schema()))


@pytest.fixture(params=["sqlite to postgres", "postgres to sqlite", "sqlite to sqlite", "postgres to postgres"])
def places(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Place, Place]:
    """Return a log of 160 events, in transactions of six and of two, and an empty place."""
    found = tuple(
        SQLitePlace(tmp_path / f"{n}.sqlite") if engine == "sqlite" else request.getfixturevalue("schemas")()
        for n, engine in enumerate(request.param.split(" to "))
    )
    asyncio.run(write(found[0], range(0, 80, 4)))
    return found[0], found[1]


async def write(place: Place, jobs: range) -> None:
    with opened(place) as log:
        for n in jobs:
            await log.append([event for m in range(3) for event in both(f"job-{n + m}")])
            await log.append(both(f"job-{n + 3}"))


def both(name: str) -> list[Any]:
    """Return two events."""
    return [*registered(name), *registered(f"{name}-ü")]


def rows(place: Place) -> dict[str, Rows]:
    return {
        table: place.execute(f"SELECT {columns} FROM {table} ORDER BY 1")  # noqa: S608 - constants
        for table, columns in TABLES.items()
    }


def run(source: Place, target: Place, tell: Callable[[int], None] = lambda _: None) -> Seal:
    """Copy all, and finish the copy."""
    with source.source() as reading, target.target(source.name) as writing:
        seal = copy(reading, writing, tell, block_size=BLOCK)
        writing.finish()
    return seal


def killed(source: Place, target: Place, position: int) -> None:
    """Copy in a process that is killed when the copy reaches a position."""
    run_until_killed(copy_until_killed, source.address, target.address, BLOCK, position)


def test_a_copy_has_every_event_at_its_position_and_every_seal(places: tuple[Place, Place]) -> None:
    source, target = places
    told: list[int] = []

    seal = run(source, target, told.append)

    assert rows(target) == rows(source)
    assert seal == verify(source).seal == verify(target, seal).seal
    assert (len(told), told[-1]) == (10, 160)


def test_a_copy_that_is_killed_goes_on_where_it_was_and_later_brings_what_is_new(places: tuple[Place, Place]) -> None:
    source, target = places
    for after in (16, 96, 160):
        killed(source, target, after)
        assert target.execute("SELECT max(position) FROM stored_events") == [(after,)]
    asyncio.run(write(source, range(80, 88, 4)))
    told: list[int] = []

    run(source, target, told.append)

    assert told == [176]
    assert rows(target) == rows(source)


def test_a_copy_can_be_written_and_is_a_log_of_its_own(places: tuple[Place, Place]) -> None:
    source, target = places
    run(source, target)

    asyncio.run(write(target, range(80, 84, 4)))

    assert verify(target).events == 168
    assert rows(target)["seals"][:40] == rows(source)["seals"]


def test_an_unfinished_copy_is_opened_by_no_service_but_a_copy_of_it_is(
    places: tuple[Place, Place], tmp_path: Path
) -> None:
    source, target = places
    killed(source, target, 96)
    rescued = SQLitePlace(tmp_path / "rescued.sqlite")

    with pytest.raises(StorageUnavailable, match=f"is an unfinished copy of {source.name}: run `job-recovery copy`"):
        target.open()
    run(target, rescued)

    with opened(rescued) as log:
        assert asyncio.run(log.head()) == 96
    assert rows(target)["seals"] == rows(source)["seals"][:24]


def test_a_target_with_events_of_its_own_is_refused_and_left_as_it_was(places: tuple[Place, Place]) -> None:
    source, target = places
    asyncio.run(write(target, range(100, 104, 4)))
    before = rows(target)

    with pytest.raises(InvalidInput, match=r"has events of its own: it is not a copy of .* Choose an empty target"):
        run(source, target)

    assert rows(target) == before
    with opened(target) as log:
        assert asyncio.run(log.head()) == 8


def test_a_target_that_was_written_to_since_is_refused(places: tuple[Place, Place]) -> None:
    source, target = places
    run(source, target)
    asyncio.run(write(target, range(80, 84, 4)))

    with pytest.raises(InvalidInput, match="has events up to position 168, and the source ends at 160"):
        run(source, target)


def test_of_a_source_that_was_changed_only_what_is_intact_is_copied(places: tuple[Place, Place]) -> None:
    source, target = places
    change_state(source, "stored_events", lambda state: state.replace(b"ctx-", b"CTX-"), "originator_version = 1")
    change_state(source, "stored_events", lambda state: state.replace(b"CTX-", b"ctx-"), "position < 70")

    with pytest.raises(StorageUnavailable, match=r"fails verification at position 70: the event .* is not the one"):
        run(source, target)

    assert target.execute("SELECT max(position) FROM stored_events") == [(64,)]
    assert verify(target).seal.position == 64


def test_a_transaction_longer_than_a_block_is_copied_whole(places: tuple[Place, Place]) -> None:
    source, target = places

    async def write_at_once() -> None:
        with opened(source) as log:
            await log.append([event for n in range(100, 150) for event in both(f"job-{n}")])

    asyncio.run(write_at_once())

    run(source, target)

    assert rows(target) == rows(source)


def test_a_copy_that_ends_before_its_first_event_is_opened_by_no_service(places: tuple[Place, Place]) -> None:
    source, target = places

    with target.target(source.name):
        pass

    with pytest.raises(StorageUnavailable, match=f"is an unfinished copy of {source.name}: run `job-recovery copy`"):
        target.open()
    run(source, target)
    target.open().close()


def test_a_log_that_was_there_before_a_copy_that_ends_at_once_is_opened_as_before(places: tuple[Place, Place]) -> None:
    source, target = places
    target.open().close()

    with target.target(source.name):
        pass

    target.open().close()


def test_an_empty_log_is_copied(tmp_path: Path) -> None:
    source, target = SQLitePlace(tmp_path / "a.sqlite"), SQLitePlace(tmp_path / "b.sqlite")
    source.open().close()

    assert run(source, target).position == 0

    target.open().close()


def test_a_schema_that_is_written_by_a_service_is_not_copied_to(tmp_path: Path, postgres: PostgresPlace) -> None:
    source = SQLitePlace(tmp_path / "a.sqlite")
    asyncio.run(write(source, range(0, 4, 4)))
    with opened(postgres), pytest.raises(EventLogInUse, match="is in use by job-recovery writer"):
        run(source, postgres)


def test_a_schema_that_is_copied_to_is_not_opened_by_a_service(postgres: PostgresPlace) -> None:
    with postgres.target("another log"), pytest.raises(EventLogInUse, match="is in use by job-recovery copy"):
        postgres.open(patience=0)


def test_a_log_is_copied_while_it_is_written(places: tuple[Place, Place]) -> None:
    source, target = places
    with opened(source) as log, asyncio.Runner() as runner:

        def tell(position: int) -> None:
            runner.run(log.append(both(f"job-of-{position}")))

        seal = run(source, target, tell)
        head = runner.run(log.head())

    assert (seal.position, head) == (182, 184)
    assert rows(target)["seals"] == rows(source)["seals"][:-1]


def test_a_schema_without_a_log_is_not_copied(postgres: PostgresPlace, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="there is no event log in schema"):
        run(postgres, SQLitePlace(tmp_path / "b.sqlite"))


def test_the_log_of_a_newer_version_is_not_copied(postgres: PostgresPlace, tmp_path: Path) -> None:
    postgres.open().close()
    postgres.execute("UPDATE installation SET schema_version = 99")

    with pytest.raises(StorageUnavailable, match="is of version 99"):
        run(postgres, SQLitePlace(tmp_path / "b.sqlite"))
