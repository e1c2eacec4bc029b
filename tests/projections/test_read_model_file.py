"""The read model's file: what is wrong with it is told apart, and a damaged one makes room for a new one."""

from pathlib import Path

import pytest

from adapters.sqlite import sqlite3
from domain.errors import StorageUnavailable
from projections.projector import ReadModelDamaged, open_read_model, set_aside


def test_a_file_that_is_no_database_is_damaged_and_named(tmp_path: Path) -> None:
    path = tmp_path / "read_model.sqlite"
    path.write_bytes(b"this is no database at all" * 1000)

    with pytest.raises(ReadModelDamaged, match=r"read_model\.sqlite is damaged: "):
        open_read_model(path, sqlite3)


def test_a_file_that_cannot_be_opened_now_is_not_taken_for_damaged(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "read_model.sqlite"

    with pytest.raises(StorageUnavailable, match="cannot be opened") as refused:
        open_read_model(path, sqlite3)

    assert not isinstance(refused.value, ReadModelDamaged)


def test_what_is_set_aside_is_kept_and_nothing_of_it_is_in_the_way(tmp_path: Path) -> None:
    path = tmp_path / "read_model.sqlite"
    for name in ("read_model.sqlite", "read_model.sqlite-wal", "read_model.sqlite-shm", "read_model.sqlite-journal"):
        (tmp_path / name).write_text(name)
    (tmp_path / "events.sqlite-wal").write_text("of another file")

    aside = set_aside(path)

    assert aside.read_text() == "read_model.sqlite"
    assert {file.name for file in tmp_path.iterdir()} == {"read_model.damaged", "events.sqlite-wal"}
    open_read_model(path, sqlite3).dispose()
