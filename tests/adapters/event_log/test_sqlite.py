"""Only an SQLite without the WAL-reset bug is safe for the log."""

from pathlib import Path

import pytest

from adapters.event_log.sqlite import FIXED, sqlite3, weakness
from adapters.event_log.sqlite_store import SQLiteEventLog


@pytest.mark.parametrize("version", [(3, 40, 1), (3, 51, 2), (3, 7, 0)])
def test_a_version_with_the_bug_is_named_with_a_remedy(version: tuple[int, ...]) -> None:
    why = weakness(version)

    assert why is not None
    assert why.startswith(f"SQLite {'.'.join(map(str, version))} can lose commits")
    assert "install pysqlite3" in why


@pytest.mark.parametrize("version", [FIXED, (3, 53, 4), (4, 0, 0)])
def test_a_fixed_version_is_accepted(version: tuple[int, ...]) -> None:
    assert weakness(version) is None


def test_the_log_is_opened_with_the_selected_sqlite(tmp_path: Path) -> None:
    log = SQLiteEventLog(tmp_path / "events.sqlite")
    with log._recorder.datastore.transaction(commit=False) as cursor:
        cursor.execute("SELECT sqlite_version()")
        used = cursor.fetchone()[0]
    log.close()

    assert used == sqlite3.sqlite_version
