"""A log in a whole service in this process that watches nothing."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Select

from api.http.app import create_app
from api.runtime.bootstrap import Service, build
from api.runtime.settings import Settings
from domain.events import Event
from domain.ports import VMA
from projections.queries.audit_trail import AuditTrail
from tests.support import logs
from tests.support.clock import FakeClock
from tests.support.harness import RecordingLog


@asynccontextmanager
async def service_with(
    events: Sequence[Event], folder: Path, clock: FakeClock, vma: VMA | None = None
) -> AsyncIterator[Service]:
    """Yield a service whose log and read model have these events; without a VMA, the configured one is asked."""
    where: dict[str, Any] = {"data_dir": folder / "data", **logs.settings_of(folder / "data")}
    service = build(Settings(**where, sqlite_synchronous="NORMAL"), RecordingLog(), clock=clock, vma=vma)
    await written_to(service, events)
    yield service
    await service.close()


async def written_to(service: Service, events: Sequence[Event]) -> None:
    """Store events, and have the read model follow."""
    await service.event_log.append(events)
    await service.projector.catch_up()


def client_of(service: Service) -> httpx.AsyncClient:
    """Return a client of a service's API."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(create_app(service)), base_url="http://localhost/api/v1")


class Meanwhile(AuditTrail):
    """The queries of a service; right after the first of them, more events are stored."""

    def __init__(self, service: Service, *events: Event) -> None:
        super().__init__(service.model.readers)
        self.asked = 0
        self._service = service
        self._events = events

    async def rows(self, query: Select[Any], values: Mapping[str, str] | None = None) -> Sequence[Any]:
        found = await super().rows(query, values)
        self.asked += 1
        events, self._events = self._events, ()
        if events:
            await written_to(self._service, events)
        return found
