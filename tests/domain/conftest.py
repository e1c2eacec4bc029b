"""A harness on a real log, for the commands."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.harness import Harness
from tests.support.logs import open_log


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    event_log = open_log(tmp_path)
    yield Harness(event_log)
    event_log.close()
