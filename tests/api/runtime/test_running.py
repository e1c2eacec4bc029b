"""Jobs are watched although the read model needs longer, or cannot be derived."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from adapters.event_log.database_log import DatabaseEventLog
from adapters.host.clock import SystemClock
from adapters.host.tokens import TokenFile
from adapters.simulated_vma import SimulatedVMA
from adapters.vma.client import HttpVMA
from api.runtime.bootstrap import Service, assemble
from api.runtime.event_logs import open_event_log
from api.runtime.read_models import open_read_model
from api.runtime.running import discard_what_is_outdated, run
from api.runtime.settings import Settings
from domain.errors import StorageUnavailable
from projections.read_model.projector import Projector
from tests.support import logs
from tests.support.builders import instance
from tests.support.harness import RecordingLog, while_running


class UnreadLog:
    """An event log of which nothing is read in time, or at all."""

    def __init__(self, log: DatabaseEventLog, read: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._log = log
        self._read = read

    async def read_from(self, position: int, limit: int) -> list[Any]:  # noqa: ARG002 - a port
        await self._read()
        return []

    async def head(self) -> int:
        return await self._log.head()


async def never() -> None:
    await asyncio.Event().wait()


async def refuse() -> None:
    raise StorageUnavailable("the disk of the read model is full: this test says so")


def service_of(vma: SimulatedVMA, folder: Path, log: RecordingLog, read: Callable[[], Any]) -> Service:
    """Return a service whose projector reads the log by a function."""
    where: dict[str, Any] = {"data_dir": folder / "data", **logs.settings_of(folder / "data")}
    settings = Settings(vma_url=vma.url, **where)
    (folder / "data").mkdir()
    clock, event_log, model = SystemClock(), open_event_log(settings, log), open_read_model(settings, log)
    client = HttpVMA(settings.vma_urls, clock, settings, circuit_rest=settings.circuit_rest)
    projector = Projector(model.writer, UnreadLog(event_log, read), clock, log, model.writing)
    chance = random.Random(0)
    return assemble(
        settings,
        instance("test"),
        clock,
        log,
        event_log,
        model,
        client,
        projector,
        TokenFile(settings.data_dir),
        chance,
    )


@pytest.mark.parametrize("read", [never, refuse])
async def test_jobs_are_recovered_although_the_read_model_cannot_be_derived_yet(
    vma: SimulatedVMA, tmp_path: Path, read: Callable[[], Any]
) -> None:
    log = RecordingLog()
    service = service_of(vma, tmp_path, log, read)
    assert await discard_what_is_outdated(service)

    await while_running(run(service), lambda: "recovery_completed" in log.events, turns=20_000)

    await service.close()
    assert "projections_caught_up" not in log.events
    assert not service.projector.caught_up
