"""A harness on a real log, for the commands."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.event_log.sqlite_store import SQLiteEventLog
from tests.support.harness import Harness


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    event_log = SQLiteEventLog(tmp_path / "events.sqlite", synchronous="NORMAL")
    yield Harness(event_log)
    event_log.close()
