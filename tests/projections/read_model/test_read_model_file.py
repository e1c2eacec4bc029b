"""The read model's file: damage differs from other errors, and a damaged file is replaced."""

from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine, inspect, select

from adapters.event_log.sqlite import sqlite3
from domain.errors import StorageUnavailable
from projections.read_model import checkpoint, schema
from projections.read_model.checkpoint import START
from projections.read_model.errors import ReadModelDamaged
from projections.read_model.model_file import open_read_model, quarantine
from projections.read_model.projector import Projector
from tests.support.harness import Harness, RecordingLog, eventually, running
from tests.support.memory_log import MemoryLog


def test_a_file_that_is_not_a_database_is_quarantined_and_a_new_one_created(tmp_path: Path) -> None:
    path, log = tmp_path / "read_model.sqlite", RecordingLog()
    path.write_bytes(b"this is no database at all" * 1000)

    open_read_model(path, sqlite3, log).dispose()

    assert (tmp_path / "read_model.damaged").read_bytes().startswith(b"this is no database")
    assert log.events == ["read_model_quarantined"]


@pytest.mark.parametrize("page", range(1, 20))
def test_an_overwritten_page_is_found_anywhere_in_the_file(tmp_path: Path, page: int) -> None:
    path, log = tmp_path / "read_model.sqlite", RecordingLog()
    open_read_model(path, sqlite3).dispose()
    with path.open("r+b") as file:
        file.seek(page * 4096)
        file.write(b"\xff" * 4096)

    open_read_model(path, sqlite3, log).dispose()

    assert log.events == ["read_model_quarantined"]


@pytest.mark.parametrize("table", ["jobs", "vm_contexts", "recovery_runs"])
def test_an_aggregate_that_is_not_json_is_damage(tmp_path: Path, table: str) -> None:
    path, log = tmp_path / "read_model.sqlite", RecordingLog()
    engine = open_read_model(path, sqlite3)
    with engine.begin() as connection:
        columns: dict[str, object] = {
            column.name: 0 for column in schema.metadata.tables[schema.PREFIX + table].columns if not column.nullable
        }
        columns |= {"id": "x-1", "folded": b"\x00\xff"}
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        insert = f"INSERT INTO {schema.PREFIX}{table} ({names}) VALUES ({marks})"  # noqa: S608
        connection.exec_driver_sql(insert, tuple(columns.values()))
    engine.dispose()

    open_read_model(path, sqlite3, log).dispose()

    assert log.events == ["read_model_quarantined"]


@pytest.mark.parametrize("table", sorted(schema.metadata.tables))
def test_a_read_model_without_one_of_its_tables_is_rebuilt(tmp_path: Path, table: str) -> None:
    engine = open_read_model(tmp_path / "read_model.sqlite", sqlite3)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP TABLE {table}")
    engine.dispose()

    engine = open_read_model(tmp_path / "read_model.sqlite", sqlite3)

    with engine.connect() as connection:
        assert checkpoint.read(connection) in {START, msgspec.structs.replace(START, is_valid=False)}
        assert set(inspect(connection).get_table_names()) == set(schema.metadata.tables)
    engine.dispose()


@pytest.mark.parametrize("name", ["a?mode=memory", "b%41#x"])
def test_a_directory_may_have_any_name(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()

    open_read_model(folder / "read_model.sqlite", sqlite3).dispose()

    assert [file.name for file in folder.iterdir()] == ["read_model.sqlite"]
    assert list(tmp_path.iterdir()) == [folder]


def test_a_file_that_cannot_be_opened_is_not_reported_as_damaged(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "read_model.sqlite"

    with pytest.raises(StorageUnavailable, match="cannot be opened") as refused:
        open_read_model(path, sqlite3)

    assert not isinstance(refused.value, ReadModelDamaged)


def test_a_quarantined_file_stays_and_the_files_beside_it_are_deleted(tmp_path: Path) -> None:
    path = tmp_path / "read_model.sqlite"
    for name in ("read_model.sqlite", "read_model.sqlite-wal", "read_model.sqlite-shm", "read_model.sqlite-journal"):
        (tmp_path / name).write_text(name)
    (tmp_path / "events.sqlite-wal").write_text("of another file")

    aside = quarantine(path)

    assert aside.read_text() == "read_model.sqlite"
    assert {file.name for file in tmp_path.iterdir()} == {"read_model.damaged", "events.sqlite-wal"}
    open_read_model(path, sqlite3).dispose()


@pytest.mark.parametrize("suffixes", [("",), ("", "-wal", "-shm")])
async def test_a_file_that_is_deleted_under_the_service_is_derived_again_and_no_connection_keeps_the_old_one(
    tmp_path: Path, suffixes: tuple[str, ...]
) -> None:
    harness, path = Harness(MemoryLog()), tmp_path / "read_model.sqlite"
    await harness.job("job-1")
    engine = open_read_model(path, sqlite3)
    follower = Projector(engine, harness.event_log, harness.clock, harness.log)
    await follower.catch_up()
    use_connections(engine, 3)
    async with running(follower.run()):
        # What it has applied shows that it follows.
        await harness.job("job-2")
        follower.committed(await harness.event_log.head())
        assert await follower.reached(await harness.event_log.head(), 30.0)

        delete(path, suffixes)

        await eventually(has_all_tables(path))
    await follower.catch_up()

    assert use_connections(engine, 3) == [["job-1", "job-2"]] * 3
    engine.dispose()
    assert use_connections(open_read_model(path, sqlite3), 1) == [["job-1", "job-2"]]


def has_all_tables(path: Path) -> Callable[[], Any]:
    async def has_them() -> bool:
        with closing(sqlite3.connect(path)) as connection:
            found = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
        return schema.metadata.tables.keys() <= {name for (name,) in found}

    return has_them


def delete(path: Path, suffixes: tuple[str, ...]) -> None:
    for suffix in suffixes:
        path.with_name(path.name + suffix).unlink()


def use_connections(engine: Engine, count: int) -> list[list[str]]:
    """Return the ids of the jobs that each of so many connections shows."""
    with ExitStack() as opened:
        connections = [opened.enter_context(engine.connect()) for _ in range(count)]
        return [list(connection.scalars(select(schema.jobs.c.id))) for connection in connections]
