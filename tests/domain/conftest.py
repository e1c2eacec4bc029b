"""A scenery for each test that needs one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenery import Scenery


@pytest.fixture
def scenery(tmp_path: Path) -> Iterator[Scenery]:
    made = Scenery(tmp_path)
    yield made
    made.event_log.close()
