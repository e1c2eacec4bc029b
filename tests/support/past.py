"""A log with times of the test's own choice, in a whole service in this process that watches nothing."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from hypothesis import strategies as st
from sqlalchemy import Select

from api.http.app import create_app
from api.runtime.bootstrap import Service, build
from api.runtime.settings import Settings
from domain.events import Event, JobRegistered, VMAStatusObserved
from domain.vma_status import VMAStatus
from projections.queries.audit_trail import AuditTrail
from tests.support.builders import at, document, observed
from tests.support.clock import FakeClock
from tests.support.harness import RecordingLog

Written = tuple[str, float]
"""A job, and the seconds after noon that the clock said when its event was recorded."""

DAY = 86_400.0

ANY_CLOCK = st.one_of(st.integers(0, 20), st.integers(-100_000, 100_000)).map(float)
ANY_LOG = st.lists(st.tuples(st.sampled_from(["job-1", "job-2", "job-3"]), ANY_CLOCK), min_size=1, max_size=25)
"""Few different seconds, so that they collide, and some steps of a day."""


def log_of(*written: Written) -> list[Event]:
    """Return a log in this order: each job's registration, then its growing progress."""
    versions: dict[str, int] = {}
    events: list[Event] = []
    for job_id, seconds in written:
        version = versions[job_id] = versions.get(job_id, 0) + 1
        common: Any = {"originator_id": job_id, "originator_version": version, "recorded_at": at(seconds)}
        common |= {"correlation_id": "request-1", "causation_id": "request-1"}
        if version == 1:
            names: Any = {"vm_name": "vm", "vm_context_id": f"ctx-{job_id}", "vma": "default", "volume_ids": ("v1",)}
            events.append(JobRegistered(**common, **names))
        else:
            running = document(VMAStatus.RUNNING, float(version))
            events.append(VMAStatusObserved(**common, observation=observed(running, job_id=job_id, seconds=seconds)))
    return events


@asynccontextmanager
async def service_with(events: Sequence[Event], folder: Path, clock: FakeClock) -> AsyncIterator[Service]:
    """Yield a service whose log and read model have these events."""
    service = build(Settings(data_dir=folder / "data", sqlite_synchronous="NORMAL"), RecordingLog(), clock=clock)
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
        super().__init__(service.engine)
        self.asked = 0
        self._service = service
        self._events = events

    async def rows(self, query: Select[Any]) -> Sequence[Any]:
        found = await super().rows(query)
        self.asked += 1
        events, self._events = self._events, ()
        if events:
            await written_to(self._service, events)
        return found
