"""Recorded decisions are read once, and again when there are others."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.event_log.sqlite import sqlite3
from domain.events import Event
from projections.queries import recorded_decisions
from projections.queries.audit_entry import AuditFilter
from projections.queries.audit_trail import AuditTrail
from projections.queries.recorded_decisions import RecordedDecisions
from projections.read_model.model_file import open_read_model
from projections.read_model.projector import Projector
from tests.support.clock import FakeClock
from tests.support.harness import RecordingLog
from tests.support.memory_log import MemoryLog
from tests.support.written import log_of

OBSERVED = AuditFilter(type=("VMAStatusObserved",))
OF_JOB_1 = AuditFilter(job_id=("job-1",))

HISTORY = log_of(("job-1", 1.0), ("job-2", 2.0), ("job-1", 3.0), ("job-2", 4.0), ("job-1", 5.0))


class Kept:
    """The decisions of a read model, and how to add more of the history to it."""

    def __init__(self, folder: Path) -> None:
        self._engine = open_read_model(folder / "read_model.sqlite", sqlite3)
        self._log = MemoryLog()
        self._projector = Projector(self._engine, self._log, FakeClock(), RecordingLog())
        self.decisions = RecordedDecisions(AuditTrail(self._engine))

    async def add(self, *events: Event) -> None:
        await self._log.append(list(events))
        await self._projector.catch_up()

    async def matching(self, wanted: AuditFilter) -> list[Event]:
        return [event async for part in self.decisions.matching(wanted) for event in part]

    async def is_kept(self, wanted: AuditFilter) -> bool:
        """Return whether the decisions are those that were read before, and not equal ones."""
        (first,), (again,) = [[part async for part in self.decisions.matching(wanted)] for _ in range(2)]
        return again is first

    def close(self) -> None:
        self._engine.dispose()


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Kept]:
    kept = Kept(tmp_path)
    yield kept
    kept.close()


async def test_there_are_none_in_an_empty_log(kept: Kept) -> None:
    assert await kept.matching(OBSERVED) == []


async def test_they_are_read_once_and_in_the_order_of_the_log(kept: Kept) -> None:
    await kept.add(*HISTORY)

    assert await kept.matching(OF_JOB_1) == [HISTORY[n] for n in (0, 2, 4)]
    assert await kept.is_kept(OF_JOB_1)


async def test_one_that_is_new_is_among_them(kept: Kept) -> None:
    await kept.add(*HISTORY[:3])
    assert await kept.matching(OF_JOB_1) == [HISTORY[0], HISTORY[2]]

    await kept.add(*HISTORY[3:])

    assert await kept.matching(OF_JOB_1) == [HISTORY[0], HISTORY[2], HISTORY[4]]


async def test_those_of_another_filter_are_others_also_if_the_last_one_is_the_same(kept: Kept) -> None:
    await kept.add(*HISTORY)
    await kept.matching(OF_JOB_1)

    assert await kept.matching(OBSERVED) == [HISTORY[n] for n in (2, 3, 4)]
    assert await kept.matching(OF_JOB_1) == [HISTORY[n] for n in (0, 2, 4)]


@pytest.mark.parametrize(("most", "is_kept"), [(2, False), (3, True)])
async def test_too_many_are_not_kept_and_complete(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, most: int, *, is_kept: bool
) -> None:
    monkeypatch.setattr(recorded_decisions, "KEPT", most)
    await kept.add(*HISTORY)

    first, again = [await kept.matching(OF_JOB_1) for _ in range(2)]

    assert first == again == [HISTORY[n] for n in (0, 2, 4)]
    assert await kept.is_kept(OF_JOB_1) == is_kept
