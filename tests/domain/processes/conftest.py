"""A harness without threads: on its fake clock, what the processes do is the same every time."""

import pytest

from tests.support.harness import Harness
from tests.support.memory_log import MemoryLog


@pytest.fixture
def harness() -> Harness:
    return Harness(MemoryLog())
