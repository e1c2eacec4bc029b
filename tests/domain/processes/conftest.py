"""A scenery without threads: on its fake clock, what the processes do is the same every time."""

import pytest

from tests.memory_log import MemoryLog
from tests.scenery import Scenery


@pytest.fixture
def scenery() -> Scenery:
    return Scenery(MemoryLog())
