"""The threads that call a server."""

from threading import Event

import pytest

from projections.read_model import threads
from projections.read_model.threads import DaemonThreads


def test_a_call_that_ends_soon_is_waited_for_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "ENDS_SOON", 30.0)
    reading, may_end = DaemonThreads(2, "test"), Event()
    call = reading.submit(may_end.wait)
    reading.submit(may_end.set)

    reading.shutdown()

    assert call.done()


def test_a_call_that_does_not_end_is_not_waited_for() -> None:
    reading, may_end = DaemonThreads(1, "test"), Event()
    call = reading.submit(may_end.wait)

    reading.shutdown()

    assert not call.done()
    may_end.set()
    assert call.result(30) is True
