"""A harness without threads: on its fake clock, what the processes do is the same every time."""

import pytest

from domain.events import Cause
from domain.processes.polling import Poller
from domain.processes.recovery import Recovery, RunProgress
from domain.processes.reports import Reports
from tests.support.harness import Harness
from tests.support.memory_log import MemoryLog


@pytest.fixture
def harness() -> Harness:
    return Harness(MemoryLog())


@pytest.fixture
def poller(harness: Harness) -> Poller:
    return Poller(
        harness.shared,
        awake=harness.clock.monotonic,
        interval=5.0,
        on_contact_lost=harness.request,
    )


@pytest.fixture
def recovery(harness: Harness, poller: Poller) -> Recovery:
    """Return what makes runs; one of them is under way."""
    recovery = harness.recovery(poller)
    recovery.live["run-1"] = RunProgress(run_id="run-1", cause=Cause.RESTART)
    return recovery


@pytest.fixture
def reports(harness: Harness, poller: Poller, recovery: Recovery) -> Reports:
    return Reports(harness.shared, poller, recovery, harness.request)
